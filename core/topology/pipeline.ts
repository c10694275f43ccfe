import type { Batch } from '../batch/batch.ts';
import { addMarked } from '../batch/masks.ts';
import type { OutputStage } from '../deliver/output_stage.ts';
import type { Counter } from '../sdk/contracts.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Condition } from './condition.ts';
import type { DerivedBatch, FilterStage } from './filter_stage.ts';

/** How often a record may go back to the first filter; then it goes on as it is. */
export const retagsMax = 8;

/** An output as the router sees it. */
export interface Route {
  readonly stage: OutputStage;
  readonly condition: Condition;
}

/** The filters in order and the outputs behind them. A reload puts a new one in its place; a
 *  batch under way stays with the one it began with. */
export class Pipeline {
  readonly filters: readonly FilterStage[];
  readonly routes: readonly Route[];
  private readonly unmatched: Counter;
  private readonly alreadyDelivered: readonly Counter[];
  private readonly edges: readonly Counter[];

  constructor(filters: readonly FilterStage[], routes: readonly Route[], metrics: Metrics) {
    this.filters = filters;
    this.routes = routes;
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
   *  filter or a full output makes it wait. */
  async run(batch: Batch, signal: AbortSignal): Promise<void> {
    await this.filterFrom(batch, 0, 0, signal);
  }

  private async filterFrom(
    batch: Batch,
    first: number,
    retags: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (let i = first; i < this.filters.length; i++) {
      const derived: DerivedBatch[] = [];
      const working = this.filters[i]!.process(batch, derived);
      if (working !== undefined) await working;
      for (const made of derived) {
        const again = made.to === 'first' && retags < retagsMax;
        await this.filterFrom(made.batch, again ? 0 : i + 1, again ? retags + 1 : retags, signal);
      }
    }
    await this.route(batch, signal);
  }

  private async route(batch: Batch, signal: AbortSignal): Promise<void> {
    let taken: Uint8Array | undefined;
    let areAllTaken = false;
    for (let i = 0; i < this.routes.length; i++) {
      const { stage, condition } = this.routes[i]!;
      let count = condition.select(batch, batch.select);
      if (count === 0) continue;
      if (count === batch.count) areAllTaken = true;
      else addMarked((taken ??= new Uint8Array(batch.count)), batch.select, batch.count);
      count -= this.skipDelivered(batch, stage.id, this.alreadyDelivered[i]!);
      if (count === 0) continue;
      if (!stage.hasRoom()) {
        await stage.room(signal);
        if (signal.aborted) throw new InterruptedBatch();
        // Other batches ran while this one waited; `select` is the batch's own and still true.
      }
      this.edges[i]!.value += count;
      stage.accept(batch, batch.select, count);
    }
    if (!areAllTaken) this.countUnmatched(batch, taken);
  }

  /** Takes out what this output had before the restart; returns how many. */
  private skipDelivered(batch: Batch, outputId: string, counter: Counter): number {
    const mark = batch.source.ledger.startMark(outputId);
    if (mark === 0 || batch.count === 0) return 0;
    let skipped = 0;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] === 1 && batch.offset[index]! < mark) {
        batch.select[index] = 0;
        skipped++;
      }
    }
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

/** The agent stopped while a batch waited for room; its records stay with their source. */
export class InterruptedBatch extends Error {
  constructor() {
    super('stopped while waiting for room');
    this.name = 'InterruptedBatch';
  }
}
