import {
  type BatchEmitter,
  compileRegex,
  type Input,
  type InputContext,
  type OptionProblem,
} from '../../../core/sdk/index.ts';
import {
  type Collector,
  CollectorSchedule,
  type Reading,
} from '../../shared/collect/collector_schedule.ts';
import { lanesOf } from '../../shared/collect/lanes.ts';
import { type Metric, unitOfName } from '../../shared/metrics/metric.ts';
import { MetricEmitter } from '../../shared/metrics/metric_emitter.ts';
import type { PerfcounterOptions } from './config.ts';
import { type CounterPath, instanceTest, metricName, parseCounterPath } from './counter_path.ts';
import type { PdhAnswer, PdhMissing, PdhRequest } from './pdh_reader.ts';

/** A way to performance counters. Creating one does no I/O. */
export interface CounterSource {
  /** Errors: an Error whose message is a whole reason. */
  read(request: PdhRequest, signal: AbortSignal): Promise<PdhAnswer>;
  close(): Promise<void>;
}

interface Counter {
  readonly path: CounterPath;
  readonly name: string;
  readonly takes: (instance: string) => boolean;
}

/** Reads performance counters; each object apart from the others. */
export class PerfcounterInput implements Input {
  private readonly options: PerfcounterOptions;
  private readonly context: InputContext;
  private readonly openSource: () => CounterSource;
  private readonly counters: readonly Counter[];
  private readonly excluded: ReturnType<typeof compileRegex> | undefined;
  private readonly missing = new Set<string>();
  private source: CounterSource | undefined;

  /** Errors: SLUICE_REGEX_INVALID. */
  constructor(options: PerfcounterOptions, context: InputContext, openSource: () => CounterSource) {
    this.options = options;
    this.context = context;
    this.openSource = openSource;
    const { instance_exclude: exclude } = options;
    this.excluded = exclude === '' ? undefined : compileRegex(exclude);
    this.counters = pathsOf(options).map((path) => ({
      path,
      name: options.names[path.text] ?? metricName(path),
      takes: instanceTest(path.instance),
    }));
  }

  async open(): Promise<void> {
    this.source = this.openSource();
  }

  async run(emitter: BatchEmitter, signal: AbortSignal): Promise<void> {
    const { options, context } = this;
    const out = new MetricEmitter(
      emitter,
      await context.sources.open({ name: context.id }),
      context.tag,
    );
    const schedule = new CollectorSchedule<PdhAnswer>({
      collectors: this.collectors(),
      lanes: lanesOf(options),
      context,
      deliver: async (_collector, reading) => this.deliver(reading, out),
    });
    await schedule.run(signal);
  }

  async close(): Promise<void> {
    await this.source?.close();
    this.source = undefined;
  }

  private collectors(): Collector<PdhAnswer>[] {
    const { options } = this;
    const objects = new Map<string, Set<string>>();
    for (const { path } of this.counters) {
      const paths = objects.get(path.object) ?? new Set();
      objects.set(path.object, paths.add(path.query));
    }
    return [...objects].map(([object, paths]) => ({
      name: object,
      lane: options.priority,
      intervalMs: options.interval,
      timeoutMs: options.timeout,
      collect: (stop) => this.source!.read({ object, paths: [...paths] }, stop),
    }));
  }

  private async deliver(reading: Reading<PdhAnswer>, out: MetricEmitter): Promise<void> {
    if (reading.kind !== 'done') return;
    const { samples, missing, negative } = reading.value;
    this.context.metrics.counter('sluice_perfcounter_negative_total').value += negative;
    const metrics: Metric[] = [];
    const seen = new Set<string>();
    for (const sample of samples) {
      const { instance, value } = sample;
      seen.add(sample.path);
      if (this.excluded?.test(instance) === true) continue;
      for (const { path, name, takes } of this.counters) {
        if (path.query !== sample.path || !takes(instance)) continue;
        const labels = { ...this.options.labels, ...(instance === '' ? {} : { instance }) };
        metrics.push({ name, type: 'gauge', labels, value, unit: unitOfName(name) });
      }
    }
    this.note(seen, missing);
    await out.emit(metrics, reading.startedAtMs);
  }

  /** A counter that is missing is counted at each reading, and named when it goes and comes. */
  private note(seen: ReadonlySet<string>, missing: readonly PdhMissing[]): void {
    const { log, metrics } = this.context;
    for (const path of seen) {
      if (this.missing.delete(path)) log.info({ counter: path }, 'A counter has values again.');
    }
    for (const { path, reason } of missing) {
      metrics.counter('sluice_perfcounter_missing_total', { counter: path }).value++;
      if (this.missing.has(path)) continue;
      this.missing.add(path);
      log.warn({ counter: path, reason }, 'A counter has no value; the others go on.');
    }
    const isAll = this.missing.size === new Set(this.counters.map(({ path }) => path.query)).size;
    const reason = missing[0]?.reason ?? '';
    if (isAll && reason !== '') this.context.setHealth(`no counter has a value: ${reason}`);
    else if (seen.size > 0) this.context.setHealth(undefined);
  }
}

/** What the schema cannot say. */
export function checkOptions(options: PerfcounterOptions): OptionProblem[] {
  const problems = options.counters.flatMap((text, at): OptionProblem[] => {
    const path = ['counters', String(at)];
    const parsed = parseCounterPath(text);
    if (typeof parsed === 'string') return [{ path, message: parsed }];
    if (/^[\x00-\x7f]*$/.test(parsed.object + parsed.counter)) return [];
    const message = `${text} has letters that no English name of a counter has: write the English names, which hold on every Windows.`;
    return [{ path, message }];
  });
  const unknown = Object.keys(options.names).filter((path) => !options.counters.includes(path));
  return [
    ...problems,
    ...unknown.map((path) => ({
      path: ['names', path],
      message: 'This path is not among the `counters`.',
    })),
  ];
}

function pathsOf(options: PerfcounterOptions): CounterPath[] {
  return options.counters.map(parseCounterPath).filter((path) => typeof path !== 'string');
}
