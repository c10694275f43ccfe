import { defineFilter } from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { SampleFilter } from './sample_filter.ts';

export const plugin = defineFilter<Options>({
  name: 'sample',
  summary: 'Keeps a share of the records, the same ones on every read.',
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
    - name: sample
      match: app
      when: level < "WARN"
      percentage: 5
      key: trace_id
  outputs:
    - name: stdout
      match: '*'
`,
  check(options) {
    const { percentage, one_of: oneOf } = options;
    if (percentage === undefined && oneOf === undefined) {
      return [{ path: [], message: 'Say how much to keep: percentage, or one_of.' }];
    }
    if (percentage === undefined || oneOf === undefined) return [];
    return [{ path: ['one_of'], message: 'Use either percentage or one_of, not both.' }];
  },
  create: (options, context) => new SampleFilter(options, context),
});
