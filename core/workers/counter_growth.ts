import type { Metrics } from '../telemetry/metrics.ts';
import type { CounterGrowth } from './messages.ts';

/** Finds how much a worker's counters grew since it was asked last. */
export class GrowthMeter {
  private readonly metrics: Metrics;
  private readonly known = new Map<object, number>();

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

/** Adds a worker's growth to the counters of the agent. */
export function addGrowth(metrics: Metrics, growth: readonly CounterGrowth[]): void {
  for (const [name, labels, more] of growth) metrics.counterAt(name, labels).value += more;
}
