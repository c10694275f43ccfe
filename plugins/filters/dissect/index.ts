import { compileFieldPath, defineFilter, type OptionProblem } from '../../../core/sdk/index.ts';
import { readDissectPattern } from '../../shared/dissect/dissect_pattern.ts';
import { attempt } from '../../shared/parsing/check_options.ts';
import { type DissectFilterOptions, schema } from './config.ts';
import { DissectFilter } from './dissect_filter.ts';

export const plugin = defineFilter<DissectFilterOptions>({
  name: 'dissect',
  summary: 'Takes a text apart at fixed delimiters, by default the raw line.',
  stability: 'beta',
  isStateless: true,
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: dissect
      match: app
      pattern: '%{time} %{level->} [%{thread}] %{message} in %{took}ms'
      convert_datatype:
        took: float
  outputs:
    - name: stdout
      match: '*'
`,
  check,
  create: (options, context) => new DissectFilter(options, context),
});

function check(options: DissectFilterOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const checkAt = (path: readonly string[], work: () => unknown) => {
    attempt(work, (message) => problems.push({ path, message }));
  };
  const { pattern, mapping = {}, convert_datatype: types = {} } = options;
  if (pattern !== undefined) checkAt(['pattern'], () => readDissectPattern(pattern));
  for (const [field, text] of Object.entries(mapping)) {
    checkAt(['mapping', field], () => compileFieldPath(field));
    checkAt(['mapping', field], () => readDissectPattern(text));
  }
  for (const field of Object.keys(types)) {
    checkAt(['convert_datatype', field], () => compileFieldPath(field));
  }
  const isIdle = Object.keys(mapping).length === 0 && Object.keys(types).length === 0;
  if (pattern === undefined && isIdle) {
    problems.push({ path: [], message: 'Nothing is to be done: give `pattern` or `mapping`.' });
  }
  if (pattern === undefined && options.key_name !== undefined) {
    problems.push({ path: ['key_name'], message: '`key_name` needs `pattern`.' });
  }
  return problems;
}
