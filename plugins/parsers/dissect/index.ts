import { defineParser } from '../../../core/sdk/index.ts';
import { type DissectOptions, DissectParser } from '../../shared/dissect/dissect_parser.ts';
import { readDissectPattern } from '../../shared/dissect/dissect_pattern.ts';
import { attempt, checkParserOptions } from '../../shared/parsing/check_options.ts';
import { schema } from './config.ts';

export const plugin = defineParser<DissectOptions>({
  name: 'dissect',
  summary: 'Takes texts apart at fixed delimiters.',
  stability: 'beta',
  isStateless: () => true,
  schema,
  example: `parsers:
  - name: app
    format: dissect
    pattern: '%{time} %{level->} [%{thread}] %{message}'
    time_key: time
    time_format: ISO8601
pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: parser
      match: app
      parser: app
  outputs:
    - name: stdout
      match: '*'
`,
  check(options) {
    const problems = checkParserOptions(options);
    attempt(
      () => readDissectPattern(options.pattern),
      (message) => problems.push({ path: ['pattern'], message }),
    );
    return problems;
  },
  create: (options, context) => new DissectParser(options, context),
});
