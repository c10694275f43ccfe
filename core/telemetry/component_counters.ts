import type { ComponentMetrics, Counter } from '../sdk/contracts.ts';

/** The numbers that every component keeps. The law, to the record:
 *  `in + created = out + filtered + merged + dead_lettered + dropped + returned +
 *  in_flight`. */
export class ComponentCounters {
  readonly in: Counter;
  readonly created: Counter;
  readonly out: Counter;
  readonly merged: Counter;
  readonly deadLettered: Counter;
  readonly returned: Counter;
  private readonly metrics: ComponentMetrics;
  private readonly filteredBy = new Map<string, Counter>();
  private readonly droppedBy = new Map<string, Counter>();

  constructor(metrics: ComponentMetrics) {
    this.metrics = metrics;
    this.in = metrics.counter('sluice_records_in_total');
    this.created = metrics.counter('sluice_records_created_total');
    this.out = metrics.counter('sluice_records_out_total');
    this.merged = metrics.counter('sluice_records_merged_total');
    this.deadLettered = metrics.counter('sluice_records_dead_lettered_total');
    this.returned = metrics.counter('sluice_records_returned_total');
    metrics.gauge('sluice_records_in_flight', () => this.inFlight());
  }

  filtered(reason: string, count: number): void {
    this.labelled(this.filteredBy, 'sluice_records_filtered_total', reason).value += count;
  }

  dropped(reason: string, count: number): void {
    this.labelled(this.droppedBy, 'sluice_records_dropped_total', reason).value += count;
  }

  inFlight(): number {
    return (
      this.in.value +
      this.created.value -
      this.out.value -
      this.merged.value -
      this.deadLettered.value -
      this.returned.value -
      this.total('sluice_records_filtered_total', this.filteredBy) -
      this.droppedTotal()
    );
  }

  droppedTotal(): number {
    return this.total('sluice_records_dropped_total', this.droppedBy);
  }

  /** A component that a reload replaced counts on: its successor's total has its reasons too. */
  private total(name: string, by: ReadonlyMap<string, Counter>): number {
    return this.metrics.total?.(name) ?? total(by);
  }

  private labelled(by: Map<string, Counter>, name: string, reason: string): Counter {
    let counter = by.get(reason);
    if (counter === undefined) {
      counter = this.metrics.counter(name, { reason });
      by.set(reason, counter);
    }
    return counter;
  }
}

function total(by: ReadonlyMap<string, Counter>): number {
  let sum = 0;
  for (const counter of by.values()) sum += counter.value;
  return sum;
}
