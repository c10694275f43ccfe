import type { Counter } from '../sdk/contracts.ts';
import type { ComponentCounters } from '../telemetry/component_counters.ts';
import { labelText, type Metrics } from '../telemetry/metrics.ts';
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

/** What counts the records of a filter. */
export interface CountedFilter {
  readonly id: string;
  readonly counters: ComponentCounters;
}

const filteredName = 'sluice_records_filtered_total';
const reasonMark = ',reason="';

/** Adds what workers counted to the counters of the agent. */
export class GrowthBook {
  private readonly metrics: Metrics;
  private readonly counters = new Map<string, Counter>();
  private readonly filters = new Map<string, ComponentCounters>();

  constructor(metrics: Metrics) {
    this.metrics = metrics;
  }

  /** Takes up the filters of a configuration; series of others may be gone. */
  begin(filters: readonly CountedFilter[]): void {
    this.counters.clear();
    this.filters.clear();
    for (const { id, counters } of filters) {
      this.filters.set(labelText({ component: id, kind: 'filter' }), counters);
    }
  }

  add(growth: readonly CounterGrowth[]): void {
    for (const [name, labels, more] of growth) this.counter(name, labels).value += more;
  }

  private counter(name: string, labels: string): Counter {
    const key = `${name}{${labels}`;
    let counter = this.counters.get(key);
    if (counter === undefined) {
      counter = this.metrics.counterAt(name, labels);
      this.counters.set(key, counter);
      if (name === filteredName) this.noteReason(labels);
    }
    return counter;
  }

  /** A filter adds its reasons up to know what is in flight. */
  private noteReason(labels: string): void {
    const at = labels.indexOf(reasonMark);
    const reason = labels.slice(at + reasonMark.length, -1);
    this.filters.get(labels.slice(0, at))?.filtered(reason, 0);
  }
}
