import type {
  Chunk,
  Counter,
  DeliveryOutcome,
  Output,
  OutputContext,
  RejectedRecord,
} from '../../../core/sdk/index.ts';
import { labelsOf } from '../../shared/metrics/label_options.ts';
import { MetricEncoder, type MetricWire } from '../../shared/metrics/metric_encoder.ts';
import { metricJson, readMetric } from '../../shared/metrics/metric_record.ts';
import type { ExporterOptions } from './config.ts';
import { isLoopback, MetricsPage } from './metrics_page.ts';
import { SeriesTable } from './series_table.ts';

/** Records wait as their own JSON. */
const jsonWire: MetricWire = {
  fingerprint: 'prometheus_exporter:1',
  write: (metric, _seconds, _nanos, out) => out.text(metricJson(metric)),
  recordJson: (record) => record.toString(),
};

/** Shows the latest value of each series at /metrics. */
export class ExporterOutput implements Output {
  readonly encoder: MetricEncoder;
  private readonly options: ExporterOptions;
  private readonly context: OutputContext;
  private readonly table: SeriesTable;
  private readonly refused: Counter;
  private readonly late: Counter;
  private page: MetricsPage | undefined;

  constructor(options: ExporterOptions, context: OutputContext) {
    this.options = options;
    this.context = context;
    this.encoder = new MetricEncoder(jsonWire, context);
    const { metrics } = context;
    this.refused = metrics.counter('sluice_prometheus_exporter_series_refused_total');
    this.late = metrics.counter('sluice_prometheus_exporter_older_total');
    const limits = { seriesMax: options.series_max, expireAfterMs: options.expire_after };
    this.table = new SeriesTable(limits, labelsOf(options.add_label));
    metrics.gauge('sluice_prometheus_exporter_series', () => this.table.size);
  }

  /** The port that it listens on; 0 before `open`. */
  get port(): number {
    return this.page?.port ?? 0;
  }

  async open(): Promise<void> {
    const { options, context } = this;
    const page = new MetricsPage({
      host: options.host,
      port: options.port,
      path: options.uri,
      allowedHosts: options.allowed_hosts,
      page: () => {
        this.table.expire(context.clock.monotonicMs());
        return this.table.page(options.add_timestamp);
      },
    });
    await page.listen();
    this.page = page;
    const address = `${options.host}:${page.port}`;
    context.log.info({ address, uri: options.uri }, 'The prometheus_exporter output listens.');
    if (!isLoopback(options.host)) {
      context.log.warn({ address }, 'Anybody who reaches this address may read the metrics.');
    }
  }

  async deliver(chunk: Chunk): Promise<DeliveryOutcome> {
    const nowMs = this.context.clock.monotonicMs();
    const rejected: RejectedRecord[] = [];
    for (let index = 0; index < chunk.count; index++) {
      // Written by the encoder.
      const metric = readMetric(chunk.recordAt(index).toString());
      const { seconds, nanos } = chunk.originAt(index);
      const put = this.table.put(metric, seconds * 1000 + nanos / 1e6, nowMs);
      if (put === 'older') this.late.value++;
      else if (put === 'full') this.refuse(index, rejected);
      else if (put === 'type_conflict') {
        const reason = `The metric ${metric.name} is shown with another type than ${metric.type}.`;
        rejected.push({ index, reason });
      }
    }
    if (rejected.length === 0) return { kind: 'accepted' };
    const reason = rejected[0]!.reason;
    return { kind: 'partial', retry: [], rejected, reason };
  }

  /** The successor serves the page; records on their way are still taken. */
  async release(): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    const { page } = this;
    this.page = undefined;
    await page?.close();
  }

  private refuse(index: number, rejected: RejectedRecord[]): void {
    this.refused.value++;
    if (this.options.series_limit_action === 'drop') return;
    const reason = `There are ${this.options.series_max} series already, the series_max of this output.`;
    rejected.push({ index, reason });
  }
}
