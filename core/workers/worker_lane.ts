import type { Batch } from '../batch/batch.ts';
import type { Source } from '../batch/source.ts';
import type { Clock } from '../time/clock.ts';
import { InterruptedBatch } from '../topology/pipeline.ts';
import { ParcelReader } from './run_cargo.ts';
import type { Answer, Parcel, ParcelTaker, WorkerCrew } from './worker_crew.ts';
import type { WorkerSlot } from './worker_slots.ts';

/** What a lane tells of each batch, in the order in which they were sent. */
export interface LaneEvents {
  /** All records are in the outputs' chunks. */
  onDone(): void;
  /** The batch, and all behind it, stay with their source. */
  onFailed(error: Error): void;
}

interface Waiting {
  readonly parcel: Parcel;
  readonly events: LaneEvents;
  answer: Answer | undefined;
  error: Error | undefined;
}

/** The way of one input's batches to the workers and back: what comes back is taken in the order
 *  in which it was sent, whichever worker had it, so that records of a source keep theirs. */
export class WorkerLane {
  private readonly crew: WorkerCrew;
  private readonly signal: AbortSignal;
  private readonly clock: Clock;
  private readonly queue: Waiting[] = [];
  private readonly reader = new ParcelReader();
  private reserve: WorkerSlot | undefined;
  private isReserveFree = true;
  /** Set while a batch waits for a slot. */
  wake: (() => void) | undefined;
  private merging: Promise<void> | undefined;
  private headSinceMs = 0;
  private broken: Error | undefined;
  private readonly onHead: (() => void)[] = [];

  /** `signal` ends all waiting: what is under way goes back to its source. */
  constructor(crew: WorkerCrew, clock: Clock, signal: AbortSignal) {
    this.crew = crew;
    this.clock = clock;
    this.signal = signal;
    signal.addEventListener('abort', () => this.break(new InterruptedBatch()), { once: true });
  }

  /** Sends a batch; resolves when it is packed and free again, which waits for a slot. */
  async send(batch: Batch, events: LaneEvents): Promise<void> {
    const slot = await this.slot();
    const failure = this.broken ?? this.crew.failure;
    if (slot === undefined || failure !== undefined) {
      if (slot !== undefined) this.giveBack(slot);
      throw failure ?? new InterruptedBatch();
    }
    const facts = this.crew.pack(batch, slot);
    const waiting: Waiting = {
      parcel: this.parcel(slot, facts, batch.source),
      events,
      answer: undefined,
      error: undefined,
    };
    if (this.queue.length === 0) this.headSinceMs = this.clock.monotonicMs();
    this.queue.push(waiting);
    this.crew.dispatch(waiting.parcel);
  }

  /** Resolves when all that was sent is done or given up; nothing is sent after that. */
  async end(): Promise<void> {
    while (this.queue.length > 0) {
      await (this.merging ?? new Promise<void>((resolve) => this.onHead.push(resolve)));
    }
  }

  /** How long the oldest batch is on its way; 0 when none is. */
  underWayMs(): number {
    return this.queue.length === 0 ? 0 : this.clock.monotonicMs() - this.headSinceMs;
  }

  private parcel(slot: WorkerSlot, facts: Parcel['facts'], source: Source): Parcel {
    const parcel: Parcel = {
      number: this.crew.nextParcel(),
      slot,
      facts,
      source,
      version: 0,
      take: (answer) => this.take(parcel, answer),
      fail: (error) => this.failed(parcel, error),
    };
    return parcel;
  }

  private take(parcel: Parcel, answer: Answer): void {
    const waiting = this.queue.find((one) => one.parcel === parcel);
    if (waiting === undefined) {
      // Given up meanwhile.
      this.giveBack(parcel.slot);
      return;
    }
    waiting.answer = answer;
    this.merge();
  }

  private failed(parcel: Parcel, error: Error): void {
    this.giveBack(parcel.slot);
    const waiting = this.queue.find((one) => one.parcel === parcel);
    if (waiting === undefined) return;
    waiting.error = error;
    this.merge();
  }

  private merge(): void {
    const head = this.queue[0];
    if (this.merging !== undefined || head === undefined) return;
    if (head.answer === undefined && head.error === undefined) return;
    this.merging = this.mergeReady()
      .catch((error: Error) => this.break(error))
      .finally(() => {
        this.merging = undefined;
        for (const wake of this.onHead.splice(0)) wake();
        this.merge();
      });
  }

  private async mergeReady(): Promise<void> {
    for (;;) {
      const waiting = this.queue[0];
      if (waiting?.error !== undefined) throw waiting.error;
      if (waiting?.answer === undefined) return;
      const { parcel, answer, events } = waiting;
      if (parcel.version !== this.crew.version) {
        // Made under a configuration that is no more: once again under that of now.
        waiting.answer = undefined;
        this.crew.dispatch(parcel);
        return;
      }
      const full = this.fullOutput(answer);
      if (full !== undefined) {
        await full.room(this.signal);
        if (this.queue[0] !== waiting) return;
        continue;
      }
      this.mergeOne(parcel, answer);
      this.queue.shift();
      this.headSinceMs = this.clock.monotonicMs();
      events.onDone();
      this.giveBack(parcel.slot);
    }
  }

  /** An output without room that gets records of the batch. Only when there is none is any of them
   *  given some, so that none comes twice when the batch goes back to its source. */
  private fullOutput({ result }: Answer): ParcelTaker | undefined {
    const { outputs } = this.crew;
    for (const { output } of result.runs) {
      if (!outputs[output]!.hasRoom()) return outputs[output];
    }
    return undefined;
  }

  /** Puts what came back into the outputs' chunks. */
  private mergeOne(parcel: Parcel, { growth, result }: Answer): void {
    this.crew.growth.add(growth);
    const { outputs } = this.crew;
    const { source } = parcel;
    for (const { output, letter } of result.letters) {
      outputs[output]!.keepRejected(source.ledger, letter);
    }
    outputs.forEach((output, number) => {
      const runs = result.runs.filter((run) => run.output === number);
      if (runs.length === 0) return;
      const count = runs.reduce((sum, run) => sum + run.count, 0);
      const { resultBytes } = parcel.slot;
      output.takeBatch(count, () => {
        for (const run of runs) {
          output.appendRun(run.section, this.reader.run(result, run, resultBytes, source));
        }
      });
    });
  }

  /** Gives up what is under way: it stays with its source, and no more is taken. */
  private break(error: Error): void {
    this.broken ??= error;
    const given = this.queue.splice(0);
    for (const { parcel, answer, events } of given) {
      if (answer !== undefined) this.giveBack(parcel.slot);
      events.onFailed(error);
    }
    for (const wake of this.onHead.splice(0)) wake();
  }

  private async slot(): Promise<WorkerSlot | undefined> {
    for (let isNext = false; ; isNext = true) {
      if (this.signal.aborted || this.crew.failure !== undefined) {
        if (isNext) this.crew.wakeNext();
        return undefined;
      }
      const slot = this.crew.freeSlot(isNext) ?? this.ownSlot();
      if (slot !== undefined) return slot;
      await this.crew.slotFreed(this, this.signal);
    }
  }

  /** Every input can have one batch under way, whatever the others wait for. */
  private ownSlot(): WorkerSlot | undefined {
    if (!this.isReserveFree) return undefined;
    this.isReserveFree = false;
    this.reserve ??= this.crew.newSlot(true);
    return this.reserve;
  }

  private giveBack(slot: WorkerSlot): void {
    if (!slot.isReserve) {
      this.crew.giveBack(slot);
      return;
    }
    this.isReserveFree = true;
    this.wake?.();
  }
}
