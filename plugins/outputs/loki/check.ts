import { messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import type { LokiOptions } from './config.ts';
import { fieldNamed, labelSources, parseSources } from './label_source.ts';
import { isTenant } from './streams.ts';

/** What the schema cannot say of the options. The label map is read when the output is made. */
export function checkOptions(options: LokiOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const attempt = (key: string, action: () => unknown): void => {
    try {
      action();
    } catch (error) {
      problems.push({ path: [key], message: messageOf(error) });
    }
  };
  attempt('host', () => parseAddress(options.host, { port: options.port, isTls: false }));
  attempt('labels', () => labelSources({ ...options, label_map_path: undefined }, '.'));
  attempt('structured_metadata', () => {
    parseSources(options.structured_metadata, 'structured_metadata');
  });
  for (const key of ['structured_metadata_map_keys', 'remove_keys'] as const) {
    for (const text of options[key] ?? []) attempt(key, () => fieldNamed(text));
  }
  if (options.tenant_id !== undefined && !isTenant(options.tenant_id)) {
    problems.push({
      path: ['tenant_id'],
      message: `Loki takes no tenant ${JSON.stringify(options.tenant_id)}: use up to 150 letters, digits and !-_.*'().`,
    });
  }
  return problems;
}
