/** Which pool a collector runs in: those of one lane never wait for those of another. */
export type LaneName = 'high' | 'normal';

export interface LaneLimits {
  /** Collectors at work at a time. */
  readonly workers: number;
  /** Collectors that wait for a worker; more are left out of this round, counted. */
  readonly queue: number;
  /** How long a collector may take, from its start. */
  readonly timeoutMs: number;
}

export type Lanes = Readonly<Record<LaneName, LaneLimits>>;

/** Options of inputs that collect in lanes. Spread into the plugin's `properties`. */
export const laneProperties = {
  high_workers: {
    type: 'integer',
    minimum: 1,
    maximum: 256,
    default: 5,
    description: 'Collectors of high priority at work at a time.',
  },
  high_queue: {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    default: 100,
    description: 'Collectors of high priority that may wait; more are skipped and counted.',
  },
  high_timeout: {
    'x-type': 'duration',
    'x-minimum': 1,
    default: '30s',
    description: 'How long a collector of high priority may take before it is given up.',
  },
  normal_workers: {
    type: 'integer',
    minimum: 1,
    maximum: 256,
    default: 8,
    description: 'Collectors of normal priority at work at a time.',
  },
  normal_queue: {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    default: 200,
    description: 'Collectors of normal priority that may wait; more are skipped and counted.',
  },
  normal_timeout: {
    'x-type': 'duration',
    'x-minimum': 1,
    default: '60s',
    description: 'How long a collector of normal priority may take before it is given up.',
  },
} as const;

export interface LaneOptions {
  readonly high_workers: number;
  readonly high_queue: number;
  readonly high_timeout: number;
  readonly normal_workers: number;
  readonly normal_queue: number;
  readonly normal_timeout: number;
}

export function lanesOf(options: LaneOptions): Lanes {
  return {
    high: {
      workers: options.high_workers,
      queue: options.high_queue,
      timeoutMs: options.high_timeout,
    },
    normal: {
      workers: options.normal_workers,
      queue: options.normal_queue,
      timeoutMs: options.normal_timeout,
    },
  };
}
