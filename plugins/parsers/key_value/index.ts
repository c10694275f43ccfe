import { defineParser } from '../../../core/sdk/index.ts';
import { checkParserOptions } from '../../shared/parsing/check_options.ts';
import { type Options, schema } from './config.ts';
import { KeyValueParser } from './key_value_parser.ts';

export const plugin = defineParser<Options>({
  name: 'key_value',
  aliases: ['kv', 'key-value'],
  summary: 'Reads pairs of keys and values with separators of your choice.',
  stability: 'beta',
  isStateless: () => true,
  schema,
  example: `parsers:
  - name: firewall
    format: key_value
    field_split: ' ,'
    value_split: '='
    trim_value: '"'
pipeline:
  inputs:
    - name: stdin
      tag: firewall
  filters:
    - name: parser
      match: firewall
      parser: firewall
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkParserOptions,
  create: (options, context) => new KeyValueParser(options, context),
});
