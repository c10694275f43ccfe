import { defineParser } from '../../../core/sdk/index.ts';
import { checkParserOptions } from '../../shared/parsing/check_options.ts';
import { type Options, schema } from './config.ts';
import { LtsvParser } from './ltsv_parser.ts';

export const plugin = defineParser<Options>({
  name: 'ltsv',
  summary: 'Reads Labeled Tab-separated Values.',
  stability: 'beta',
  isStateless: () => true,
  builtIn: true,
  schema,
  example: `parsers:
  - name: access
    format: ltsv
    time_key: time
    time_format: '[%d/%b/%Y:%H:%M:%S %z]'
    types: 'status:integer size:integer'
pipeline:
  inputs:
    - name: stdin
      tag: access
  filters:
    - name: parser
      match: access
      parser: access
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkParserOptions,
  create: (options, context) => new LtsvParser(options, context),
});
