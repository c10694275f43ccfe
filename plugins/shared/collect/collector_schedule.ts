import {
  type Clock,
  type ComponentMetrics,
  type Log,
  messageOf,
  type PluginContext,
} from '../../../core/sdk/index.ts';
import { Lane } from './lane.ts';
import type { LaneName, Lanes } from './lanes.ts';

/** Timers count whole milliseconds, and may end this much before their time. */
const timerEarlyMs = 2;

/** Something that is asked for values again and again. */
export interface Collector<Value> {
  /** Label of its metrics: from a bounded set. */
  readonly name: string;
  readonly lane: LaneName;
  readonly intervalMs: number;
  /** Instead of the lane's. */
  readonly timeoutMs?: number | undefined;
  /** Reads once. Should stop when the signal aborts; what it gives after that is thrown away. */
  collect(signal: AbortSignal): Promise<Value>;
}

/** What became of one reading. */
export type Reading<Value> = {
  /** Unix milliseconds at its start. */
  readonly startedAtMs: number;
  readonly tookMs: number;
} & (
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'timeout'; readonly reason: string }
);

export interface ScheduleOptions<Value> {
  readonly collectors: readonly Collector<Value>[];
  readonly lanes: Lanes;
  readonly context: Pick<PluginContext, 'clock' | 'log' | 'metrics'>;
  /** Passes a reading on. The collector does not read again before it resolves, so that nothing
   *  piles up when the pipeline is full. */
  deliver(collector: Collector<Value>, reading: Reading<Value>): Promise<void>;
}

/** Asks each collector at its interval, in its lane, with a deadline.
 *
 *  A collector that hangs costs its own values only: its worker is freed at the deadline, and it is
 *  not asked again before the hung reading has ended, so that hung readings are never more than
 *  there are collectors. What a late reading brings is thrown away: an old value never passes for a
 *  new one. One that ran into its deadline shares half of the lane's workers with its like until it
 *  answers again. Intervals are counted from the start, without drift; a round that comes too early
 *  for a collector is skipped and counted. Where there are more collectors than a lane has room for,
 *  their starts are spread over the interval, so that it is not always the same that are skipped. */
export class CollectorSchedule<Value> {
  private readonly options: ScheduleOptions<Value>;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly metrics: ComponentMetrics;
  private readonly lanes: Readonly<Record<LaneName, Lane>>;
  private readonly delivering = new Set<Promise<void>>();
  private readonly busy = new Set<Collector<Value>>();
  private readonly failing = new Set<Collector<Value>>();
  /** Those that ran into their deadline the last time. */
  private readonly slow = new Set<Collector<Value>>();
  /** What is to be done when all ends; one listener on the signal serves them all. */
  private readonly onStop = new Set<() => void>();
  private isStopped = false;

  constructor(options: ScheduleOptions<Value>) {
    this.options = options;
    this.clock = options.context.clock;
    this.log = options.context.log;
    this.metrics = options.context.metrics;
    this.lanes = { high: new Lane(options.lanes.high), normal: new Lane(options.lanes.normal) };
  }

  /** Runs until the signal aborts; resolves when nothing is being delivered any more. Readings
   *  under way are given up. Errors: those of `deliver`. */
  async run(signal: AbortSignal): Promise<void> {
    let fail = (_error: unknown): void => undefined;
    const failed = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    // A failure between two awaits is not unhandled.
    failed.catch(() => undefined);
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      if (!signal.aborted) this.planAll(fail);
      await Promise.race([stopped, failed]);
    } finally {
      this.isStopped = true;
      for (const work of this.onStop) work();
      this.lanes.high.clear();
      this.lanes.normal.clear();
    }
    await Promise.all(this.delivering);
  }

  private planAll(fail: (error: unknown) => void): void {
    for (const name of ['high', 'normal'] as const) {
      const { workers, queue } = this.lanes[name].limits;
      const inLane = this.options.collectors.filter(({ lane }) => lane === name);
      const isCrowded = inLane.length > workers + queue;
      inLane.forEach((one, at) => {
        this.plan(one, isCrowded ? (at / inLane.length) * one.intervalMs : 0, fail);
      });
    }
  }

  private plan(
    collector: Collector<Value>,
    offsetMs: number,
    fail: (error: unknown) => void,
  ): void {
    const { intervalMs } = collector;
    const startMs = this.clock.monotonicMs() + offsetMs;
    let cancel = (): void => undefined;
    const round = (): void => {
      if (this.isStopped) return;
      this.request(collector, fail);
      const goneMs = this.clock.monotonicMs() - startMs;
      const nextMs = (Math.floor((goneMs + timerEarlyMs) / intervalMs) + 1) * intervalMs;
      cancel = this.clock.after(nextMs - goneMs, round);
    };
    this.onStop.add(() => cancel());
    if (offsetMs > 0) cancel = this.clock.after(offsetMs, round);
    else round();
  }

  private request(collector: Collector<Value>, fail: (error: unknown) => void): void {
    if (this.busy.has(collector)) {
      this.count('sluice_collector_skipped_total', collector, { reason: 'busy' });
      return;
    }
    this.busy.add(collector);
    const read = (): Promise<void> => this.read(collector, fail);
    const isTaken = this.lanes[collector.lane].add(read, this.slow.has(collector));
    if (isTaken) return;
    this.busy.delete(collector);
    this.count('sluice_collector_skipped_total', collector, { reason: 'queue_full' });
  }

  /** Resolves when the worker is free again: at the end of the reading or at its deadline. */
  private async read(collector: Collector<Value>, fail: (error: unknown) => void): Promise<void> {
    if (this.isStopped) return;
    const { clock } = this;
    const timeoutMs = collector.timeoutMs ?? this.lanes[collector.lane].limits.timeoutMs;
    const stop = new AbortController();
    const startedAtMs = clock.nowMs();
    const fromMs = clock.monotonicMs();
    // Called within, so that what it throws at once is a failure like any other.
    const reading = (async () => collector.collect(stop.signal))();
    let giveUp = (): void => undefined;
    const givenUp = new Promise<'timeout' | 'stopped'>((resolve) => {
      const cancel = clock.after(timeoutMs, () => resolve('timeout'));
      const onStopped = (): void => resolve('stopped');
      this.onStop.add(onStopped);
      giveUp = () => {
        cancel();
        this.onStop.delete(onStopped);
      };
    });
    const outcome = await Promise.race([reading.then(asDone, asFailed), givenUp]);
    giveUp();
    stop.abort();
    if (outcome === 'stopped') return;
    const times = { startedAtMs, tookMs: clock.monotonicMs() - fromMs };
    if (outcome === 'timeout') {
      this.slow.add(collector);
      this.count('sluice_collector_timeout_total', collector);
      const reason = `no values within ${timeoutMs} ms`;
      this.note(collector, reason);
      this.pass(collector, { ...times, kind: 'timeout', reason }, reading, fail);
      return;
    }
    this.slow.delete(collector);
    if (outcome.kind === 'failed') this.count('sluice_collector_failures_total', collector);
    this.note(collector, outcome.kind === 'failed' ? outcome.reason : undefined);
    this.pass(collector, { ...times, ...outcome }, reading, fail);
  }

  /** Delivers beside the lane: a full pipeline must not count as a slow collector. */
  private pass(
    collector: Collector<Value>,
    reading: Reading<Value>,
    ended: Promise<unknown>,
    fail: (error: unknown) => void,
  ): void {
    const delivery = this.options.deliver(collector, reading).catch(fail);
    this.delivering.add(delivery);
    delivery.finally(() => this.delivering.delete(delivery));
    Promise.allSettled([ended, delivery]).then(() => this.busy.delete(collector));
  }

  /** Says that a collector began or ceased to fail; what repeats is left to the counters. */
  private note(collector: Collector<Value>, reason: string | undefined): void {
    const { name } = collector;
    if (reason === undefined) {
      if (this.failing.delete(collector)) {
        this.log.info({ collector: name }, 'A collector gives values again.');
      }
      return;
    }
    if (this.failing.has(collector)) return;
    this.failing.add(collector);
    this.log.warn({ collector: name, reason }, 'A collector gives no values; the others go on.');
  }

  private count(
    name: string,
    collector: Collector<Value>,
    labels: Readonly<Record<string, string>> = {},
  ): void {
    this.metrics.counter(name, { collector: collector.name, ...labels }).value++;
  }
}

function asDone<Value>(value: Value): { kind: 'done'; value: Value } {
  return { kind: 'done', value };
}

function asFailed(error: unknown): { kind: 'failed'; reason: string } {
  return { kind: 'failed', reason: messageOf(error) };
}
