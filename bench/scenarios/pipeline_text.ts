import { join } from 'node:path';
import type { PipelineFacts } from './scenario.ts';

export interface PipelineParts {
  /** Further settings of `service`, as lines of YAML. */
  readonly service?: readonly string[];
  readonly plugins?: readonly string[];
  /** Further options of each input, by its place. */
  readonly inputOptions?: readonly string[];
  readonly filters?: readonly string[];
  readonly output: string;
}

/** A pipeline file: tails the inputs from their beginning, filters, one output. */
export function pipelineText(facts: PipelineFacts, parts: PipelineParts): string {
  const list = (entries: readonly string[]): string =>
    entries.map((entry) => `    - ${entry}`).join('\n');
  const inputs = facts.inputs.map((path, i) => {
    const further = parts.inputOptions?.[i];
    const options = further === undefined ? '' : `, ${further}`;
    return `{name: tail, tag: bench, path: '${path}', read_from_head: true${options}}`;
  });
  const service = ['log_level: warn', `storage.path: ${join(facts.directory, 'data')}`];
  return [
    'service:',
    ...[...service, ...(parts.service ?? [])].map((line) => `  ${line}`),
    ...(parts.plugins === undefined ? [] : ['plugins:', ...parts.plugins.map((p) => `  - ${p}`)]),
    'pipeline:',
    '  inputs:',
    list(inputs),
    ...(parts.filters === undefined ? [] : ['  filters:', list(parts.filters)]),
    '  outputs:',
    `    - ${parts.output}`,
    '',
  ].join('\n');
}

export const accessFilters: readonly string[] = [
  "{name: grok, match: '*', pattern: '%{COMBINEDAPACHELOG}', remove_field: [log]}",
  "{name: date, match: '*', key: timestamp, formats: ['dd/MMM/yyyy:HH:mm:ss Z']}",
];

export function bulkOutput(facts: PipelineFacts, further = ''): string {
  return `{name: elasticsearch, alias: bulk, match: '*', host: 127.0.0.1, port: ${facts.port}, index: bench${further}}`;
}
