import type { Counter } from '../sdk/contracts.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CounterGrowth } from './messages.ts';

/** Finds how much a worker's counters grew since it was asked last. */
export class GrowthMeter {
  private readonly metrics: Metrics;
  private readonly known = new Map<Counter, number>();

  constructor(metrics: Metrics) {
    this.metrics = metrics;
  }

  take(): CounterGrowth[] {
    const growth: CounterGrowth[] = [];
    for (const { name, labels, counter } of this.metrics.counters()) {
      const before = this.known.get(counter) ?? 0;
      if (counter.value === before) continue;
      growth.push([name, labels, counter.value - before]);
      this.known.set(counter, counter.value);
    }
    return growth;
  }
}

/** Adds what workers counted to the counters of the agent. */
export class GrowthBook {
  private readonly metrics: Metrics;
  private readonly counters = new Map<string, Counter>();

  constructor(metrics: Metrics) {
    this.metrics = metrics;
  }

  /** Looks all counters up anew: a reload removes some. */
  begin(): void {
    this.counters.clear();
  }

  add(growth: readonly CounterGrowth[]): void {
    for (const [name, labels, more] of growth) {
      const key = `${name}{${labels}`;
      let counter = this.counters.get(key);
      if (counter === undefined) {
        counter = this.metrics.counterAt(name, labels);
        this.counters.set(key, counter);
      }
      counter.value += more;
    }
  }
}
