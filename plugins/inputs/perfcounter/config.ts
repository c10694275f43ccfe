import { type LaneName, type LaneOptions, laneProperties } from '../../shared/collect/lanes.ts';

export const schema = {
  type: 'object',
  required: ['counters'],
  properties: {
    counters: {
      type: 'array',
      items: { type: 'string', minLength: 3, maxLength: 1024 },
      minItems: 1,
      maxItems: 1000,
      uniqueItems: true,
      description:
        'Paths of counters with their English names, whatever the language of Windows, such as `\\Processor(*)\\% Processor Time`; the instance may have wildcards.',
    },
    names: {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '^[a-zA-Z_:][a-zA-Z0-9_:]*$' },
      maxProperties: 1000,
      default: {},
      description:
        'Names of metrics by path, in place of those made of it, such as `windows_processor_percent_processor_time`.',
    },
    interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      default: '10s',
      description:
        'Time between two readings, counted from the start, without drift. Rates are over this time.',
    },
    timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      description: 'How long the reading of an object may take; when absent, what its lane allows.',
    },
    priority: {
      enum: ['high', 'normal'],
      default: 'high',
      description: 'Lane that the counters are read in.',
    },
    ...laneProperties,
    instance_exclude: {
      'x-type': 'regex',
      default: '',
      description: 'Instances that are left out, such as `^_Total$`; none by default.',
    },
    labels: {
      type: 'object',
      propertyNames: { pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' },
      additionalProperties: { type: 'string' },
      maxProperties: 32,
      default: {},
      description: 'Labels that every metric gets, such as `{cluster: north}`.',
    },
  },
} as const;

/** Options after normalising: times in milliseconds. */
export interface PerfcounterOptions extends LaneOptions {
  readonly counters: readonly string[];
  readonly names: Readonly<Record<string, string>>;
  readonly interval: number;
  readonly timeout?: number;
  readonly priority: LaneName;
  readonly instance_exclude: string;
  readonly labels: Readonly<Record<string, string>>;
}
