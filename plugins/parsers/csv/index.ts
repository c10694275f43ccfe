import { defineParser } from '../../../core/sdk/index.ts';
import { checkParserOptions } from '../../shared/parsing/check_options.ts';
import { type Options, schema } from './config.ts';
import { CsvParser } from './csv_parser.ts';

export const plugin = defineParser<Options>({
  name: 'csv',
  summary: 'Reads comma-separated values, one record a text.',
  stability: 'beta',
  isStateless: ({ autodetect_column_names: detects, columns = [] }) =>
    detects !== true || columns.length > 0,
  schema,
  example: `parsers:
  - name: orders
    format: csv
    columns: time, order, amount, note
    types: 'order:integer amount:float'
    time_key: time
    time_format: ISO8601
pipeline:
  inputs:
    - name: stdin
      tag: orders
  filters:
    - name: parser
      match: orders
      parser: orders
  outputs:
    - name: stdout
      match: '*'
`,
  check: checkParserOptions,
  create: (options, context) => new CsvParser(options, context),
});
