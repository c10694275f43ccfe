import { defineParser } from '../../../core/sdk/index.ts';
import { checkParserOptions } from '../../shared/parsing/check_options.ts';
import { type Options, schema } from './config.ts';
import { JsonParser } from './json_parser.ts';

export const plugin = defineParser<Options>({
  name: 'json',
  summary: 'Takes texts that are one JSON object each.',
  stability: 'beta',
  isStateless: () => true,
  builtIn: true,
  schema,
  example: `parsers:
  - name: app
    format: json
    time_key: time
    time_format: '%Y-%m-%dT%H:%M:%S.%L%z'
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
  check: checkParserOptions,
  create: (options, context) => new JsonParser(options, context),
});
