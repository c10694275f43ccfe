import { defineFilter } from '../../../core/sdk/index.ts';
import { type Options, schema } from './config.ts';
import { ThrottleFilter } from './throttle_filter.ts';

/** 32 MB of counters. */
const panesMax = 4_000_000;

export const plugin = defineFilter<Options>({
  name: 'throttle',
  summary: 'Lets so many records pass in a sliding window of time and drops the rest.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: stdin
      tag: app
  filters:
    - name: parser
      match: app
      parser: json
    - name: throttle
      match: app
      rate: 100
      window: 10
      interval: 1s
      key: service
  outputs:
    - name: stdout
      match: '*'
`,
  check(options) {
    const { key, keys_max: keysMax = 10_000, window = 5 } = options;
    if (key === undefined || keysMax * window <= panesMax) return [];
    return [
      {
        path: ['keys_max'],
        message: `keys_max times window is more than ${panesMax} counters: make one of them smaller.`,
      },
    ];
  },
  create: (options, context) => new ThrottleFilter(options, context),
});
