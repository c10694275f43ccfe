import {
  compileFieldPath,
  defineFilter,
  messageOf,
  type OptionProblem,
} from '../../../core/sdk/index.ts';
import { splitRule } from '../../shared/values/rule_text.ts';
import { type Options, schema } from './config.ts';
import { RecordModifierFilter } from './record_modifier_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'record_modifier',
  summary: 'Sets fields, and removes others by name or by what may stay.',
  stability: 'beta',
  isStateless: true,
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: parser
      match: app
      parser: json
    - name: record_modifier
      match: app
      record: [env production, region eu-west-1]
      remove_key: [password, tmp_*]
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkOptions,
  create: (options, context) => new RecordModifierFilter(options, context),
});

function checkOptions(options: Options): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const attempt = (path: readonly string[], make: () => unknown) => {
    try {
      make();
    } catch (error) {
      problems.push({ path, message: messageOf(error) });
    }
  };
  const checkKey = (key: string) => {
    if (key.startsWith('$') || key.startsWith('[')) compileFieldPath(key);
  };
  (options.record ?? []).forEach((text, i) => {
    attempt(['record', String(i)], () => checkKey(splitRule(text, 'KEY VALUE').head));
  });
  (options.remove_key ?? []).forEach((key, i) => {
    attempt(['remove_key', String(i)], () => checkKey(key.endsWith('*') ? 'key' : key));
  });
  const allows = options.allowlist_key !== undefined || options.whitelist_key !== undefined;
  if (allows && options.remove_key !== undefined) {
    problems.push({
      path: ['remove_key'],
      message: 'Use either remove_key or allowlist_key, not both.',
    });
  }
  return problems;
}
