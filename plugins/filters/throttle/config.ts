export const schema = {
  type: 'object',
  properties: {
    rate: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1,
      description: 'Records that may pass in each interval, on average over the window.',
    },
    window: {
      type: 'integer',
      minimum: 1,
      maximum: 3600,
      default: 5,
      description: 'Intervals over which the average is taken.',
    },
    interval: {
      'x-type': 'duration',
      'x-minimum': 1,
      default: '1s',
      description: 'Length of one interval.',
    },
    print_status: {
      type: 'boolean',
      default: false,
      description: 'Whether the rate and what was dropped are logged, once an interval at most.',
    },
    key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field that groups the records: each value has a limit of its own. When absent, all share one.',
    },
    keys_max: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 10_000,
      description:
        'Most values of `key` that are told apart at a time; further ones share one limit until others have been idle for a window.',
    },
  },
} as const;

export interface Options {
  readonly rate?: number;
  readonly window?: number;
  /** Milliseconds. */
  readonly interval?: number;
  readonly print_status?: boolean;
  readonly key?: string;
  readonly keys_max?: number;
}
