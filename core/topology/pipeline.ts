import { type Batch, dropReason } from '../batch/batch.ts';
import { ColumnOrder } from '../batch/column_order.ts';
import { copyChosen, copyLive, Interleaving } from '../batch/interleaving.ts';
import { addMarked, isClear } from '../batch/masks.ts';
import { eachSource } from '../batch/stretch.ts';
import type { OutputStage } from '../deliver/output_stage.ts';
import type { Counter } from '../sdk/contracts.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Selector } from './condition.ts';
import type { DerivedBatch, FilterStage } from './filter_stage.ts';

/** How often a record may go back to the first filter; then it goes on as it is. */
export const retagsMax = 8;

/** An output as the router sees it. */
export interface Route {
  readonly stage: Pick<OutputStage, 'id' | 'hasRoom' | 'room' | 'accept'>;
  readonly condition: Selector;
  /** Filters of its own, for a copy of what it gets. */
  readonly processors: readonly FilterStage[];
}

interface FilterRange {
  readonly filters: readonly FilterStage[];
  readonly first: number;
  readonly end: number;
}

type Onward = (batch: Batch) => Promise<void>;

/** The filters in order and the outputs behind them. A reload puts a new one in its place; a
 *  batch under way stays with the one it began with. */
export class Pipeline {
  readonly filters: readonly FilterStage[];
  readonly routes: readonly Route[];
  /** Batches may bring events of several sources. */
  readonly mixesSources: boolean;
  private readonly order: ColumnOrder;
  private running = 0;
  private readonly idleWaiters: (() => void)[] = [];
  private readonly unmatched: Counter;
  private readonly alreadyDelivered: readonly Counter[];
  private readonly edges: readonly Counter[];

  constructor(filters: readonly FilterStage[], routes: readonly Route[], metrics: Metrics) {
    this.filters = filters;
    this.routes = routes;
    const all = [...filters, ...routes.flatMap(({ processors }) => processors)];
    this.mixesSources =
      filters.every((filter) => filter.mixesSources) &&
      routes.every(({ processors }) => processors.length === 0);
    this.order = new ColumnOrder(all.flatMap(({ declared }) => declared));
    this.unmatched = metrics.counter('sluice_records_unmatched_total', {
      component: 'router',
      kind: 'router',
    });
    this.edges = routes.map(({ stage }) =>
      metrics.counter('sluice_edge_records_total', { from: 'router', to: stage.id }),
    );
    this.alreadyDelivered = routes.map((route) =>
      metrics.counter('sluice_records_already_delivered_total', {
        component: route.stage.id,
        kind: 'output',
      }),
    );
  }

  /** Takes a batch through all filters into the outputs' chunks. Synchronous in effect unless a
   *  filter or a full output makes it wait. Derived events change what is in the batch. */
  async run(batch: Batch, signal: AbortSignal): Promise<void> {
    batch.setOrder(this.order);
    this.running++;
    try {
      await this.filterRange(batch, wholeOf(this.filters), (filtered) =>
        this.route(filtered, signal),
      );
    } finally {
      this.running--;
      if (this.running === 0) for (const wake of this.idleWaiters.splice(0)) wake();
    }
  }

  /** Resolves when no batch is on its way through: what a reload replaced is needed until then. */
  idle(): Promise<void> {
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** Takes a batch through some filters. What derived events make of it can be more than it has
   *  room for: then `onward` gets it several times, filled with a piece each time. */
  private async filterRange(batch: Batch, range: FilterRange, onward: Onward): Promise<void> {
    for (let i = range.first; i < range.end; i++) {
      const derived: DerivedBatch[] = [];
      const working = range.filters[i]!.process(batch, derived);
      if (working !== undefined) await working;
      if (derived.length === 0) continue;
      const joining: Batch[] = [];
      for (const made of derived) {
        if (made.to === 'next') joining.push(made.batch);
        else await this.sendBack(batch, made.batch, { ...range, first: 0, end: i + 1 }, joining);
      }
      const pieces = new Interleaving(batch, joining);
      const rest = { ...range, first: i + 1 };
      while (pieces.next()) await this.filterRange(batch, rest, onward);
      return;
    }
    await onward(batch);
  }

  /** Takes events under a new tag through the filters up to the one that sent them; what is left
   *  of them then joins the batch again. */
  private async sendBack(
    batch: Batch,
    sent: Batch,
    range: FilterRange,
    joining: Batch[],
  ): Promise<void> {
    for (let index = 0; index < sent.count; index++) {
      const rounds = batch.retags[sent.parents[index]!]! + 1;
      sent.retags[index] = Math.min(rounds, retagsMax);
      // One that has been round too often waits for the others.
      if (rounds > retagsMax) sent.dropped[index] = dropReason.retagged;
    }
    const tired = copyLive(sent, dropReason.retagged);
    if (tired !== undefined) joining.push(tired);
    await this.filterRange(sent, range, async (filtered) => {
      const left = copyLive(filtered, dropReason.none);
      if (left !== undefined) joining.push(left);
    });
  }

  private async route(batch: Batch, signal: AbortSignal): Promise<void> {
    const full = this.fullRoute(batch);
    if (full !== undefined) await this.roomFor(batch, full, signal);
    let taken: Uint8Array | undefined;
    let areAllTaken = false;
    for (let i = 0; i < this.routes.length; i++) {
      const { stage, condition, processors } = this.routes[i]!;
      let count = condition.select(batch, batch.select);
      if (count === 0) continue;
      if (count === batch.count) areAllTaken = true;
      else addMarked((taken ??= new Uint8Array(batch.count)), batch.select, batch.count);
      count -= this.skipDelivered(batch, stage.id, this.alreadyDelivered[i]!);
      if (count === 0) continue;
      if (processors.length > 0) {
        await this.branch(batch, i);
        continue;
      }
      this.edges[i]!.value += count;
      stage.accept(batch, batch.select, count);
    }
    if (!areAllTaken) this.countUnmatched(batch, taken);
  }

  /** Gives an output a copy of what it selected, after its own filters. */
  private async branch(batch: Batch, route: number): Promise<void> {
    const { stage, processors } = this.routes[route]!;
    const copy = copyChosen(batch, batch.select, branchEventsMin);
    if (copy === undefined) return;
    copy.setOrder(this.order);
    await this.filterRange(copy, wholeOf(processors), async (filtered) => {
      const { select, dropped, count } = filtered;
      let live = count;
      select.fill(1, 0, count);
      if (!isClear(dropped, count)) {
        for (let index = 0; index < count; index++) {
          if (dropped[index] === 0) continue;
          select[index] = 0;
          live--;
        }
      }
      if (live === 0) return;
      this.edges[route]!.value += live;
      stage.accept(filtered, select, live);
    });
  }

  /** Waits until every output that gets records of the batch has room. Only then is any of them
   *  given some: a batch that is interrupted while it waits was given to nobody, so that none of it
   *  comes twice when its source is read again. */
  private async roomFor(batch: Batch, first: Route, signal: AbortSignal): Promise<void> {
    let full: Route | undefined = first;
    while (full !== undefined) {
      await full.stage.room(signal);
      if (signal.aborted) throw new InterruptedBatch();
      full = this.fullRoute(batch);
    }
  }

  private fullRoute(batch: Batch): Route | undefined {
    return this.routes.find((route) => !route.stage.hasRoom() && this.wants(route, batch));
  }

  private wants({ stage, condition }: Route, batch: Batch): boolean {
    if (condition.select(batch, batch.select) === 0) return false;
    let wanted = false;
    eachSource(batch, (from, end) => {
      const mark = batch.source.ledger.startMark(stage.id);
      for (let index = from; index < end && !wanted; index++) {
        wanted = batch.select[index] === 1 && batch.offset[index]! >= mark;
      }
    });
    return wanted;
  }

  /** Takes out what this output had before the restart; returns how many. */
  private skipDelivered(batch: Batch, outputId: string, counter: Counter): number {
    let skipped = 0;
    eachSource(batch, (from, end) => {
      const mark = batch.source.ledger.startMark(outputId);
      if (mark === 0) return;
      for (let index = from; index < end; index++) {
        if (batch.select[index] === 1 && batch.offset[index]! < mark) {
          batch.select[index] = 0;
          skipped++;
        }
      }
    });
    counter.value += skipped;
    return skipped;
  }

  private countUnmatched(batch: Batch, taken: Uint8Array | undefined): void {
    let unmatched = 0;
    for (let index = 0; index < batch.count; index++) {
      if (batch.dropped[index] === 0 && (taken === undefined || taken[index] === 0)) unmatched++;
    }
    this.unmatched.value += unmatched;
  }
}

/** Room for what filters make of a copy's events. */
const branchEventsMin = 64;

function wholeOf(filters: readonly FilterStage[]): FilterRange {
  return { filters, first: 0, end: filters.length };
}

/** The agent stopped while a batch waited for room; its records stay with their source. */
export class InterruptedBatch extends Error {
  constructor() {
    super('stopped while waiting for room');
    this.name = 'InterruptedBatch';
  }
}
