import {
  type Batch,
  type BatchFilter,
  type Counter,
  dropReason,
  type PluginContext,
} from '../../../core/sdk/index.ts';
import { FieldFinder } from '../../shared/values/field_finder.ts';
import type { Options } from './config.ts';
import { SlidingWindow } from './sliding_window.ts';

/** Longer values of `key` are told apart by this many characters. */
const keyLengthMax = 256;

/** Lets `rate × window` records pass in any `window` intervals and drops the rest. */
export class ThrottleFilter implements BatchFilter {
  private readonly context: PluginContext;
  private readonly finder: FieldFinder;
  private readonly key: number;
  private readonly size: number;
  private readonly passMax: number;
  private readonly intervalMs: number;
  private readonly keysMax: number;
  private readonly printsStatus: boolean;
  private readonly windows = new Map<string, SlidingWindow>();
  private readonly limited: Counter;
  /** Of all records without a key, and of keys past `keysMax`. */
  private common: SlidingWindow | undefined;
  private sweptAt = -1;
  private printedAt = -1;
  private passed = 0;
  private dropped = 0;

  constructor(options: Options, context: PluginContext) {
    this.context = context;
    this.finder = new FieldFinder(context.kernel);
    this.key = options.key === undefined ? -1 : this.finder.add(context.field(options.key));
    this.size = options.window ?? 5;
    this.passMax = (options.rate ?? 1) * this.size;
    this.intervalMs = options.interval ?? 1000;
    this.keysMax = options.keys_max ?? 10_000;
    this.printsStatus = options.print_status ?? false;
    this.limited = context.metrics.counter('sluice_throttle_keys_limited_total');
  }

  process(batch: Batch): void {
    // hot path
    const interval = Math.floor(this.context.clock.monotonicMs() / this.intervalMs);
    this.finder.begin(batch);
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      const window = this.windowFor(batch, index, interval);
      window.moveTo(interval);
      if (window.total >= this.passMax) {
        batch.dropped[index] = dropReason.throttled;
        this.dropped++;
      } else {
        window.add();
        this.passed++;
      }
    }
    if (this.printsStatus) this.print(interval);
  }

  async close(): Promise<void> {
    this.finder.close();
    this.windows.clear();
  }

  private windowFor(batch: Batch, index: number, interval: number): SlidingWindow {
    if (this.key < 0 || !this.finder.find(batch, index, this.key)) return this.shared(interval);
    const key = this.finder.text().slice(0, keyLengthMax);
    const known = this.windows.get(key);
    if (known !== undefined) return known;
    if (this.windows.size >= this.keysMax) this.sweep(interval);
    if (this.windows.size >= this.keysMax) {
      this.limited.value++;
      return this.shared(interval);
    }
    const window = new SlidingWindow(this.size, interval);
    this.windows.set(key, window);
    return window;
  }

  private shared(interval: number): SlidingWindow {
    this.common ??= new SlidingWindow(this.size, interval);
    return this.common;
  }

  /** Drops the windows of keys that were idle; once an interval, since it walks over all. */
  private sweep(interval: number): void {
    if (this.sweptAt === interval) return;
    this.sweptAt = interval;
    for (const [key, window] of this.windows) {
      window.moveTo(interval);
      if (window.total === 0) this.windows.delete(key);
    }
  }

  private print(interval: number): void {
    if (this.printedAt === interval) return;
    this.printedAt = interval;
    const { passed, dropped, passMax, size, intervalMs } = this;
    this.context.log.info(
      { rate: passMax / size, window: size, intervalMs, passed, dropped },
      'The throttle let records pass and dropped others since it was last said.',
    );
    this.passed = 0;
    this.dropped = 0;
  }
}
