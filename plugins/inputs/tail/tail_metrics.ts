import type { ComponentMetrics, Counter } from '../../../core/sdk/index.ts';

/** Counters of one tail input; each is added to once a batch or more rarely. */
export interface TailMetrics {
  readonly truncatedLines: Counter;
  readonly skippedLines: Counter;
  readonly splitLines: Counter;
  readonly invalidLines: Counter;
  readonly abandonedBytes: Counter;
  readonly rotations: Counter;
  readonly multilineLimits: Counter;
  readonly multilineTimeouts: Counter;
  readonly gzipDamages: Counter;
  readonly dateFailures: Counter;
}

export function tailMetrics(metrics: ComponentMetrics): TailMetrics {
  return {
    truncatedLines: metrics.counter('sluice_tail_truncated_lines_total'),
    skippedLines: metrics.counter('sluice_tail_skipped_lines_total'),
    splitLines: metrics.counter('sluice_tail_split_lines_total'),
    invalidLines: metrics.counter('sluice_tail_invalid_utf8_lines_total'),
    abandonedBytes: metrics.counter('sluice_tail_files_abandoned_bytes_total'),
    rotations: metrics.counter('sluice_tail_rotations_total'),
    multilineLimits: metrics.counter('sluice_tail_multiline_limit_total'),
    multilineTimeouts: metrics.counter('sluice_tail_multiline_timeouts_total'),
    gzipDamages: metrics.counter('sluice_tail_gzip_damaged_files_total'),
    dateFailures: metrics.counter('sluice_date_failures_total'),
  };
}
