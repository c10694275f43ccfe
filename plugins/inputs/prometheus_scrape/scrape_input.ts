import type { BatchEmitter, Counter, Input, InputContext } from '../../../core/sdk/index.ts';
import {
  type Collector,
  CollectorSchedule,
  type Reading,
} from '../../shared/collect/collector_schedule.ts';
import { lanesOf } from '../../shared/collect/lanes.ts';
import type { Exposition } from '../../shared/metrics/exposition_parser.ts';
import type { Labels, Metric } from '../../shared/metrics/metric.ts';
import { MetricEmitter } from '../../shared/metrics/metric_emitter.ts';
import type { ScrapeOptions } from './config.ts';
import { Target } from './target.ts';
import { targetTexts } from './target_texts.ts';

interface TargetCollector extends Collector<Exposition> {
  readonly target: Target;
}

/** Scrapes pages of metrics at an interval. */
export class ScrapeInput implements Input {
  private readonly options: ScrapeOptions;
  private readonly context: InputContext;
  private readonly targets: readonly Target[];
  private readonly invalid: Counter;
  private readonly complained = new Set<Target>();

  /** Errors: SLUICE_OPTION_INVALID for a target that is no address. */
  constructor(options: ScrapeOptions, context: InputContext) {
    this.options = options;
    this.context = context;
    this.targets = targetTexts(options).map((text) => new Target(text, options, context));
    this.invalid = context.metrics.counter('sluice_scrape_invalid_lines_total');
  }

  async open(): Promise<void> {
    for (const target of this.targets) await target.open();
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { options, context } = this;
    const source = await context.sources.open({ name: context.id });
    const out = new MetricEmitter(emitter, source, context.tag);
    const schedule = new CollectorSchedule<Exposition>({
      collectors: this.collectors(),
      lanes: lanesOf(options),
      context,
      // Made below: each is of a target.
      deliver: (collector, reading) =>
        this.deliver((collector as TargetCollector).target, reading, out),
    });
    await schedule.run(signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.targets.map((target) => target.close()));
  }

  private collectors(): TargetCollector[] {
    return this.targets.map((target) => ({
      name: target.instance,
      lane: target.lane,
      intervalMs: this.options.scrape_interval,
      timeoutMs: target.timeoutMs,
      target,
      collect: (signal) => target.scrape(signal),
    }));
  }

  private deliver(target: Target, reading: Reading<Exposition>, out: MetricEmitter): Promise<void> {
    const own = this.labelsOf(target);
    const samples = reading.kind === 'done' ? reading.value.metrics : [];
    if (reading.kind === 'done') this.complain(target, reading.value);
    const metrics = samples.map((metric) => this.relabelled(metric, own));
    const gauge = (name: string, value: number): Metric => ({
      name,
      type: 'gauge',
      labels: own,
      value,
    });
    return out.emit(
      [
        ...metrics,
        gauge('up', reading.kind === 'done' ? 1 : 0),
        gauge('scrape_duration_seconds', reading.tookMs / 1000),
        gauge('scrape_samples_scraped', samples.length),
      ],
      reading.startedAtMs,
    );
  }

  private labelsOf(target: Target): Labels {
    const { job, labels } = this.options;
    return { ...labels, job, instance: target.instance };
  }

  /** As Prometheus does: what the target says of itself is kept, under another name. */
  private relabelled(metric: Metric, own: Labels): Metric {
    const { honor_labels: honorsLabels, honor_timestamps: honorsTimes } = this.options;
    const labels: Record<string, string> = { ...own };
    for (const [name, value] of Object.entries(metric.labels)) {
      const isOurs = Object.hasOwn(own, name) && !honorsLabels;
      labels[isOurs ? `exported_${name}` : name] = value;
    }
    return { ...metric, labels, timeMs: honorsTimes ? metric.timeMs : undefined };
  }

  /** Lines that are no samples cost themselves alone; they are counted, and named once. */
  private complain(target: Target, page: Exposition): void {
    this.invalid.value += page.invalidLines;
    if (page.invalidLines === 0) {
      this.complained.delete(target);
      return;
    }
    if (this.complained.has(target)) return;
    this.complained.add(target);
    const { invalidLines, firstProblem } = page;
    this.context.log.warn(
      { target: target.url, invalidLines, firstProblem },
      'Lines of a page are no metrics; the others are taken.',
    );
  }
}
