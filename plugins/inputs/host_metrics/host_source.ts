import type { LaneName } from '../../shared/collect/lanes.ts';
import type { Labels, Metric, MetricType } from '../../shared/metrics/metric.ts';
import { noLabels, unitOfName } from '../../shared/metrics/metric.ts';

/** What a host can be asked for. A platform has those that it can read. */
export const collectorNames = [
  'cpu',
  'load',
  'memory',
  'disk',
  'filesystem',
  'network',
  'processes',
  'uptime',
  'filefd',
  'vmstat',
  'pressure',
  'sockstat',
] as const;

export type CollectorName = (typeof collectorNames)[number];

/** The kernel of one platform, as the input sees it: the only door to it. Creating one does no
 *  I/O. */
export interface HostMetricsSource {
  readonly collectors: readonly HostCollector[];
  /** Of the metrics that say how a collector went; default `node_scrape_collector`. */
  readonly selfPrefix?: string;
  /** Ends what the source keeps open, such as processes that read for it. */
  close?(): Promise<void>;
}

/** One family of readings. Collectors share nothing that one of them could hold up. */
export interface HostCollector {
  readonly name: CollectorName;
  /** `high` for what is read from memory in no time; `normal` for what may wait for a device. */
  readonly lane: LaneName;
  /** Reads once. What it can read it gives, also where a part is missing; it throws when there is
   *  nothing. Stops soon after the signal aborts, if the kernel lets it. */
  collect(signal: AbortSignal): Promise<readonly Metric[]>;
}

/** Gathers one reading's metrics. */
export class Readings {
  readonly metrics: Metric[] = [];

  counter(name: string, value: number | undefined, labels: Labels = noLabels): void {
    this.add('counter', name, value, labels);
  }

  gauge(name: string, value: number | undefined, labels: Labels = noLabels): void {
    this.add('gauge', name, value, labels);
  }

  untyped(name: string, value: number | undefined, labels: Labels = noLabels): void {
    this.add('untyped', name, value, labels);
  }

  /** What the kernel does not say is left out, not written as 0. */
  private add(type: MetricType, name: string, value: number | undefined, labels: Labels): void {
    if (value === undefined || Number.isNaN(value)) return;
    const unit = unitOfName(name);
    this.metrics.push({ name, type, labels, value, ...(unit === undefined ? {} : { unit }) });
  }
}
