import type { Batch } from '../batch/batch.ts';
import type { RecordHolding } from '../batch/holding.ts';
import type { Source } from '../batch/source.ts';
import type { Clock } from '../time/clock.ts';

interface HeldSource {
  /** When each holder is due (monotonic ms). */
  readonly dueMs: Map<object, number>;
  /** A batch is on its way to the holders. */
  isCalled: boolean;
}

/** What filters hold of the sources of one input, and when the input has to come by for it. */
export class SourceHoldings {
  private readonly clock: Clock;
  private readonly call: (source: Source) => void;
  private readonly sources = new Map<Source, HeldSource>();
  private cancel: (() => void) | undefined;

  /** `call` sends an empty batch of a source on its way. */
  constructor(clock: Clock, call: (source: Source) => void) {
    this.clock = clock;
    this.call = call;
  }

  /** Lets filters hold records of a batch until `end`, or takes back what they hold. */
  begin(batch: Batch, isLast: boolean): void {
    batch.holding = new BatchHolding(batch.source, isLast, (holder, dueMs) => {
      let held = this.sources.get(batch.source);
      if (held === undefined) {
        held = { dueMs: new Map(), isCalled: false };
        this.sources.set(batch.source, held);
      }
      held.dueMs.set(holder, dueMs);
    });
  }

  /** The batch is through: what it brought along is owed by the outputs now. */
  end(batch: Batch): void {
    const { source, holding } = batch;
    batch.holding = undefined;
    if (!(holding instanceof BatchHolding)) return;
    const held = this.sources.get(source);
    for (const holder of holding.released) {
      source.ledger.release(holder);
      held?.dueMs.delete(holder);
    }
    if (held === undefined) return;
    held.isCalled = false;
    if (held.dueMs.size === 0) this.sources.delete(source);
    this.arm();
  }

  /** Sources of which something is held. */
  held(): readonly Source[] {
    return [...this.sources.keys()];
  }

  close(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private arm(): void {
    this.close();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs, isCalled } of this.sources.values()) {
      if (!isCalled) nextMs = Math.min(nextMs, ...dueMs.values());
    }
    if (nextMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(1, Math.ceil(nextMs - this.clock.monotonicMs()));
    this.cancel = this.clock.after(waitMs, () => this.callDue());
  }

  private callDue(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [source, held] of this.sources) {
      if (held.isCalled || Math.min(...held.dueMs.values()) > nowMs) continue;
      held.isCalled = true;
      this.call(source);
    }
    this.arm();
  }
}

class BatchHolding implements RecordHolding {
  readonly isLast: boolean;
  readonly released: object[] = [];
  private readonly source: Source;
  private readonly note: (holder: object, dueMs: number) => void;

  constructor(source: Source, isLast: boolean, note: (holder: object, dueMs: number) => void) {
    this.source = source;
    this.isLast = isLast;
    this.note = note;
  }

  hold(holder: object, offset: number, dueMs: number): void {
    this.source.ledger.hold(holder, offset);
    this.note(holder, dueMs);
  }

  release(holder: object): void {
    this.released.push(holder);
  }
}
