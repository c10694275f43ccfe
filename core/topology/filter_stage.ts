import type { Batch } from '../batch/batch.ts';
import { dropReason, heapBatch } from '../batch/batch.ts';
import type { RecordHolding } from '../batch/holding.ts';
import type { EventView } from '../batch/event_view.ts';
import { isClear } from '../batch/masks.ts';
import { assert, messageOf } from '../errors/sluice_error.ts';
import type {
  BatchFilter,
  ComponentMetrics,
  DerivedEmitter,
  EventFilter,
  Log,
} from '../sdk/contracts.ts';
import { ComponentCounters } from '../telemetry/component_counters.ts';
import type { Selector } from './condition.ts';

/** A derived batch and where it goes on. */
export interface DerivedBatch {
  readonly batch: Batch;
  readonly to: 'next' | 'first';
}

export interface FilterStageOptions {
  readonly id: string;
  readonly filter: BatchFilter | EventFilter;
  readonly condition: Selector;
  readonly view: EventView;
  readonly metrics: ComponentMetrics;
  readonly log: Log;
  /** Names of the fields that the filter named when it was made, in order. */
  readonly declared?: readonly string[];
}

/** One filter with its condition and its numbers. */
export class FilterStage {
  readonly id: string;
  readonly filter: BatchFilter | EventFilter;
  readonly counters: ComponentCounters;
  readonly declared: readonly string[];
  private readonly options: FilterStageOptions;
  private isRetired = false;

  constructor(options: FilterStageOptions) {
    this.id = options.id;
    this.filter = options.filter;
    this.options = options;
    this.declared = options.declared ?? [];
    this.counters = new ComponentCounters(options.metrics);
  }

  /** The filter takes events of several sources in one batch. */
  get mixesSources(): boolean {
    const { filter } = this;
    return !('process' in filter) || filter.mixesSources === true;
  }

  /** Runs the filter over a batch; `derived` takes what it makes besides. Returns a promise only
   *  when the filter itself is asynchronous. */
  process(batch: Batch, derived: DerivedBatch[]): void | Promise<void> {
    const selected = this.options.condition.select(batch, batch.select);
    const holding = this.holdingOf(batch);
    if (selected === 0 && holding === undefined) return;
    this.counters.in.value += selected;
    if (!('process' in this.filter)) {
      this.eachEvent(batch, this.filter);
      this.count(batch, selected, derived, 0);
      return;
    }
    const before = derived.length;
    try {
      const working = this.filter.process(batch, new Emitter(derived, holding));
      if (working !== undefined) {
        return working
          .catch((error) => this.markFailed(batch, error))
          .then(() => this.count(batch, selected, derived, before));
      }
    } catch (error) {
      this.markFailed(batch, error);
    }
    this.count(batch, selected, derived, before);
  }

  /** Closes the filter, when no batch is in it any more. */
  async close(): Promise<void> {
    this.options.view.close();
    await this.filter.close?.();
  }

  /** The filter is replaced: from now on it holds nothing beyond a batch. */
  retire(): void {
    this.isRetired = true;
  }

  private holdingOf(batch: Batch): RecordHolding | undefined {
    const { filter } = this;
    const { holding } = batch;
    if (holding === undefined || !('process' in filter) || filter.holdsRecords !== true) {
      return undefined;
    }
    if (!this.isRetired) return holding;
    return {
      isLast: true,
      hold: (...args) => holding.hold(...args),
      release: (holder) => holding.release(holder),
    };
  }

  /** A filter that throws changes nothing more; its events go on, marked. */
  private markFailed(batch: Batch, error: unknown): void {
    this.options.log.error({ error: messageOf(error) }, 'The filter failed on a batch.');
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] === 1 && batch.dropped[index] === 0) {
        batch.addMark(index, '_filterfailure');
      }
    }
  }

  /** The per-event door. An event that makes the filter throw stays as it is, is marked and
   *  counted; its neighbours are not touched. */
  private eachEvent(batch: Batch, filter: EventFilter): void {
    const view = this.options.view;
    view.begin(batch);
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      try {
        filter.filter(view.at(batch, index));
      } catch (error) {
        view.settle();
        batch.addMark(index, '_filterfailure');
        this.options.log.warn({ error: messageOf(error) }, 'The filter threw on an event.');
      }
    }
    view.end();
  }

  private count(batch: Batch, selected: number, derived: DerivedBatch[], from: number): void {
    let taken = 0;
    const isUntouched = isClear(batch.dropped, batch.count);
    for (let index = 0; index < batch.count && !isUntouched; index++) {
      if (batch.select[index] !== 1) continue;
      const reason = batch.dropped[index]!;
      if (reason === 0) continue;
      taken++;
      if (reason === dropReason.merged) this.counters.merged.value++;
      else this.counters.filtered(nameOfReason[reason] ?? 'filtered', 1);
    }
    let created = 0;
    for (let i = from; i < derived.length; i++) created += derived[i]!.batch.count;
    this.counters.created.value += created;
    this.counters.out.value += selected - taken + created;
  }
}

const nameOfReason: readonly string[] = Object.entries(dropReason)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name);

/** Room for what later filters make of a derived batch's events. */
const derivedEventsMin = 64;

class Emitter implements DerivedEmitter {
  readonly holding: RecordHolding | undefined;
  private readonly derived: DerivedBatch[];

  constructor(derived: DerivedBatch[], holding: RecordHolding | undefined) {
    this.derived = derived;
    this.holding = holding;
  }

  derive(from: Batch, events: number, dataBytes: number): Batch {
    assert(from.stretches.length === 0, 'A filter that mixes sources derives no events.');
    const batch = heapBatch(dataBytes, Math.max(derivedEventsMin, events));
    batch.reset(from.source, from.tagNames[0]!);
    batch.setOrder(from.order);
    return batch;
  }

  forward(batch: Batch, to: 'next' | 'first'): void {
    if (batch.count > 0) this.derived.push({ batch, to });
  }
}
