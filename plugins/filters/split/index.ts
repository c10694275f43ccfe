import { defineFilter } from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { SplitFilter } from './split_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'split',
  summary: 'Makes one record of each element of an array, or of each line of a text.',
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
    - name: split
      match: app
      field: records
      target: record
    - name: mutate
      match: app
      remove: [records]
  outputs:
    - name: stdout
      match: '*'
`,
  create: (options, context) => new SplitFilter(options, context),
});
