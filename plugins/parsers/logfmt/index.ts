import { defineParser } from '../../../core/sdk/index.ts';
import { checkParserOptions } from '../../shared/parsing/check_options.ts';
import { type Options, schema } from './config.ts';
import { LogfmtParser } from './logfmt_parser.ts';

export const plugin = defineParser<Options>({
  name: 'logfmt',
  summary: 'Reads key=value pairs as Go programs and Heroku write them.',
  stability: 'beta',
  isStateless: () => true,
  builtIn: true,
  schema,
  example: `parsers:
  - name: service
    format: logfmt
    time_key: ts
    types: 'status:integer duration:float'
pipeline:
  inputs:
    - name: stdin
      tag: service
  filters:
    - name: parser
      match: service
      parser: service
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkParserOptions,
  create: (options, context) => new LogfmtParser(options, context),
});
