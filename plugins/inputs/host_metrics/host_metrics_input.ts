import type { BatchEmitter, Input, InputContext } from '../../../core/sdk/index.ts';
import {
  type Collector,
  CollectorSchedule,
  type Reading,
} from '../../shared/collect/collector_schedule.ts';
import { lanesOf } from '../../shared/collect/lanes.ts';
import type { Metric } from '../../shared/metrics/metric.ts';
import { MetricEmitter } from '../../shared/metrics/metric_emitter.ts';
import type { HostMetricsOptions } from './config.ts';
import { type HostCollector, type HostMetricsSource, Readings } from './host_source.ts';

type Metrics = readonly Metric[];

/** Asks a host for its metrics; each collector's go out as soon as it has them. */
export class HostMetricsInput implements Input {
  private readonly options: HostMetricsOptions;
  private readonly context: InputContext;
  private readonly source: HostMetricsSource;

  constructor(options: HostMetricsOptions, context: InputContext, source: HostMetricsSource) {
    this.options = options;
    this.context = context;
    this.source = source;
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { options, context } = this;
    const source = await context.sources.open({ name: context.id });
    const out = new MetricEmitter(emitter, source, context.tag);
    const schedule = new CollectorSchedule<Metrics>({
      collectors: this.collectors(),
      lanes: lanesOf(options),
      context,
      deliver: (collector, reading) =>
        out.emit(this.withLabels(this.metricsOf(collector, reading)), reading.startedAtMs),
    });
    await schedule.run(signal);
  }

  async close(): Promise<void> {
    await this.source.close?.();
  }

  private collectors(): Collector<Metrics>[] {
    const { collectors: wanted, interval, collector_timeout: timeoutMs } = this.options;
    const found = this.source.collectors.filter(({ name }) => wanted.includes(name));
    const missing = wanted.filter((name) => !found.some((one) => one.name === name));
    if (missing.length > 0) {
      this.context.log.info({ missing }, 'This platform does not have these collectors.');
    }
    return found.map((one: HostCollector) => ({
      name: one.name,
      lane: one.lane,
      intervalMs: interval,
      timeoutMs,
      collect: (stop: AbortSignal) => one.collect(stop),
    }));
  }

  private withLabels(metrics: Metrics): Metrics {
    const { labels } = this.options;
    if (Object.keys(labels).length === 0) return metrics;
    return metrics.map((metric) => ({ ...metric, labels: { ...labels, ...metric.labels } }));
  }

  /** A collector's values, and how it went. A reading that failed has no values: not those of the
   *  last one. */
  private metricsOf(collector: Collector<Metrics>, reading: Reading<Metrics>): Metrics {
    const readings = new Readings();
    const labels = { collector: collector.name };
    const prefix = this.source.selfPrefix ?? 'node_scrape_collector';
    const isGood = reading.kind === 'done' && reading.value.length > 0;
    readings.gauge(`${prefix}_success`, isGood ? 1 : 0, labels);
    readings.gauge(`${prefix}_duration_seconds`, reading.tookMs / 1000, labels);
    return reading.kind === 'done' ? [...reading.value, ...readings.metrics] : readings.metrics;
  }
}
