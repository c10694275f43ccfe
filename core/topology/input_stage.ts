import { Readable, Writable } from 'node:stream';
import { pipeline as connect } from 'node:stream/promises';
import { type Batch, heapBatch } from '../batch/batch.ts';
import { isClear } from '../batch/masks.ts';
import type { BatchPool } from '../batch/batch_pool.ts';
import { layout } from '../batch/layout.ts';
import type { Source } from '../batch/source.ts';
import { apart } from '../batch/interleaving.ts';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import type { BatchEmitter, ComponentMetrics, Counter, Input, Log } from '../sdk/contracts.ts';
import { ComponentCounters } from '../telemetry/component_counters.ts';
import { type Clock, pause } from '../time/clock.ts';
import type { WorkerCrew } from '../workers/worker_crew.ts';
import type { WorkerLane } from '../workers/worker_lane.ts';
import { stopController } from '../time/stop_controller.ts';
import { InterruptedBatch, type Pipeline } from './pipeline.ts';
import { SourceHoldings } from './source_holdings.ts';

export interface InputStageOptions {
  readonly id: string;
  readonly input: Input;
  readonly pool: BatchPool;
  /** The pipeline of the moment: a reload changes it between two batches. */
  readonly pipeline: () => Pipeline;
  readonly metrics: ComponentMetrics;
  readonly log: Log;
  /** The worker threads, where there are any. */
  readonly crew?: WorkerCrew | undefined;
  /** The input reads again what is not settled, so that it may read on while workers have its
   *  batches. */
  readonly readsAhead?: boolean;
  /** Ends waiting for room at the end of the grace period. */
  readonly hardStop: AbortSignal;
  readonly clock: Clock;
  /** Aborted by `stop`; what the input was given may wait for it, too. */
  readonly stopping: AbortController;
  setHealth(problem: string | undefined): void;
  /** A batch that is given back is not lost. */
  readonly comesAgain: boolean;
  /** Waits a moment until the records that the input gave are settled, then writes the
   *  checkpoints of the moment. */
  beforeClose(): Promise<void>;
}

/** Time that an input gets to bring what it holds through the pipeline when it is closed. */
const endMsMax = 5000;

interface Shipment {
  readonly batch: Batch;
  /** What filters hold of the source has to leave with it. */
  readonly isLast: boolean;
  readonly done: (error?: unknown) => void;
}

/** One input: a stream of its batches into the pipeline. Object mode with a high-water mark of
 *  one batch, so that Node's own backpressure stops the input. */
export class InputStage implements BatchEmitter {
  readonly id: string;
  readonly counters: ComponentCounters;
  private readonly options: InputStageOptions;
  private readonly stopping: AbortController;
  private readonly stream: Readable;
  private readonly bytes: Counter;
  private readonly batches: Counter;
  private readonly held = new Set<Batch>();
  private readonly holdings: SourceHoldings;
  private running: Promise<void> | undefined;
  private isFinished = false;
  /** Nothing can be sent any more. */
  private hasEnded = false;
  private readonly interruption = stopController();
  private readonly interrupt = () => this.interruption.abort();
  private readonly lane: WorkerLane | undefined;
  private failure: string | undefined;
  /** When the input emitted records last. */
  emittedMs = Number.NEGATIVE_INFINITY;
  private shippingSinceMs: number | undefined;

  constructor(options: InputStageOptions) {
    this.id = options.id;
    this.options = options;
    this.stopping = options.stopping;
    this.counters = new ComponentCounters(options.metrics);
    this.bytes = options.metrics.counter('sluice_input_bytes_total');
    this.batches = options.metrics.counter('sluice_input_batches_total');
    this.lane = options.crew?.lane(options.clock, this.interruption.signal);
    if (options.hardStop.aborted) this.interrupt();
    options.hardStop.addEventListener('abort', this.interrupt, { once: true });
    this.stream = new Readable({ objectMode: true, highWaterMark: 1, read() {} });
    this.holdings = new SourceHoldings(options.clock, (source) => {
      this.callFor(source, false).catch(() => undefined);
    });
  }

  /** Starts the input; `finished` resolves when it has no more and all it gave is through the
   *  filters. */
  start(): void {
    const sink = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write: (shipment: Shipment, _encoding, next) => {
        const { lane } = this;
        const shipping = lane === undefined ? this.ship(shipment) : this.sendOut(shipment, lane);
        shipping.then(() => next(), next);
      },
    });
    const connected = connect(this.stream, sink);
    this.running = this.options.input
      .run(this, this.stopping.signal)
      .catch((error) => {
        if (this.stopping.signal.aborted) return;
        this.failure = messageOf(error);
        this.options.setHealth(`the input stopped: ${this.failure}`);
        this.options.log.error({ error: this.failure }, 'The input stopped.');
      })
      .then(async () => {
        await this.passHeld();
        this.holdings.close();
        this.hasEnded = true;
        this.stream.push(null);
        return connected;
      })
      .then(() => this.lane?.end())
      .catch((error) => {
        this.options.log.error({ error: messageOf(error) }, 'The input stream broke.');
      })
      .finally(() => {
        this.isFinished = true;
      });
  }

  /** Resolves when the input has ended, by itself or after `stop`. */
  finished(): Promise<void> {
    return this.running ?? Promise.resolve();
  }

  get hasFinished(): boolean {
    return this.isFinished;
  }

  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  /** False for an input that cannot say when it has read all there is. */
  get canCatchUp(): boolean {
    return this.options.input.caughtUp !== undefined;
  }

  /** Resolves when the input has read all there is, or with the signal. */
  async caughtUp(limit: AbortSignal): Promise<void> {
    await this.options.input.caughtUp?.(limit);
  }

  /** How long a batch is on its way through the filters and into the outputs; 0 when none is. */
  underWayMs(): number {
    if (this.lane !== undefined) return this.lane.underWayMs();
    if (this.shippingSinceMs === undefined) return 0;
    return this.options.clock.monotonicMs() - this.shippingSinceMs;
  }

  /** Asks the input to end: it emits what it holds and reads no more. */
  stop(): void {
    this.stopping.abort(new SluiceError('SLUICE_SHUTDOWN', 'The agent is stopping.'));
  }

  /** As `passHeld`, for a reload: not longer than an input's end may take. What does not get
   *  through in that time stays with its source until the next start. */
  async passHeldSoon(): Promise<void> {
    if (this.holdings.held().length === 0) return;
    const limit = new AbortController();
    const passed = this.passHeld().then(() => limit.abort());
    await Promise.race([passed, pause(this.options.clock, endMsMax, limit.signal)]);
  }

  /** Passes on what filters hold of this input's sources, as far as they let it go. */
  private async passHeld(): Promise<void> {
    for (const source of this.holdings.held()) {
      // What does not get through now stays with its source.
      await this.callFor(source, true).catch(() => undefined);
    }
  }

  /** Sends an empty batch of a source, for what filters hold of it. */
  private callFor(source: Source, isLast: boolean): Promise<void> {
    if (this.hasEnded) return Promise.resolve();
    const batch = heapBatch(1024, heldEventsMin);
    batch.reset(source, '');
    return this.send(batch, isLast);
  }

  async close(): Promise<void> {
    this.stop();
    // A batch that waits for a full output must not hold up a reload for as long as that is down:
    // it goes back to its source.
    const cancel = this.options.clock.after(endMsMax, () => this.interruption.abort());
    await this.running;
    cancel();
    // What the input says of its sources (`identity`) it can say only while it is open.
    await this.options.beforeClose().catch(() => undefined);
    await this.options.input.close?.();
    this.options.hardStop.removeEventListener('abort', this.interrupt);
  }

  // ── BatchEmitter ──────────────────────────────────────────────────────────────────────────

  async batch(source: Source, tag: string, dataBytes = 0): Promise<Batch> {
    const batch = dataBytes > layout.dataBytes ? heapBatch(dataBytes, 64) : await this.slot();
    batch.reset(source, tag);
    return batch;
  }

  private async slot(): Promise<Batch> {
    // Every input can always hold one batch, so that inputs that wait for a full output never
    // starve one that does not.
    const batch =
      this.options.pool.acquire() ??
      (this.held.size === 0
        ? heapBatch(layout.dataBytes, layout.eventsMax)
        : await this.options.pool.acquireWhenFree(this.interruption.signal));
    this.held.add(batch);
    return batch;
  }

  emit(batch: Batch): Promise<void> {
    if (batch.count > 0) this.emittedMs = this.options.clock.monotonicMs();
    return this.send(batch, false);
  }

  private send(batch: Batch, isLast: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.stream.push({ batch, isLast, done } satisfies Shipment);
    });
  }

  /** Workers take batches of one source. */
  get mixesSources(): boolean {
    return this.lane === undefined && this.options.pipeline().mixesSources;
  }

  discard(batch: Batch): void {
    this.held.delete(batch);
    this.options.pool.release(batch);
  }

  private giveBack(count: number): void {
    if (this.options.comesAgain) {
      this.counters.returned.value += count;
      return;
    }
    this.counters.dropped('interrupted', count);
    const records = { records: count, reason: 'interrupted' };
    this.options.log.error(records, 'Records were dropped: no output took them in time.');
  }

  private async ship({ batch, isLast, done }: Shipment): Promise<void> {
    let left = batch.count;
    this.shippingSinceMs = this.options.clock.monotonicMs();
    try {
      this.counters.in.value += batch.count;
      this.bytes.value += batch.inputBytes;
      this.batches.value++;
      const pipeline = this.options.pipeline();
      if (batch.stretches.length > 0 && !pipeline.mixesSources) {
        // Since it was begun, a reload put a filter in its way that wants one source.
        for (const part of apart(batch)) left -= await this.pass(part, isLast, pipeline);
      } else await this.pass(batch, isLast, pipeline);
      this.discard(batch);
      done();
    } catch (error) {
      this.discard(batch);
      this.noteFailed(error, left);
      done(error);
    } finally {
      this.shippingSinceMs = undefined;
    }
  }

  /** Takes a batch through the pipeline; returns how many events went in. */
  private async pass(batch: Batch, isLast: boolean, pipeline: Pipeline): Promise<number> {
    const { source, positionEnd, count, stretches } = batch;
    const filtered = countDropped(batch);
    if (stretches.length === 0) this.holdings.begin(batch, isLast);
    await pipeline.run(batch, this.interruption.signal);
    this.countOut(count, filtered);
    if (stretches.length === 0) {
      source.ledger.advance(positionEnd);
      this.holdings.end(batch);
    }
    for (const stretch of stretches) stretch.source.ledger.advance(stretch.positionEnd);
    return count;
  }

  /** Gives a batch to the workers; resolves when it is free for the next. */
  private async sendOut({ batch, done }: Shipment, lane: WorkerLane): Promise<void> {
    const { source, positionEnd, count } = batch;
    const filtered = countDropped(batch);
    const readsAhead = this.options.readsAhead === true;
    this.counters.in.value += count;
    this.bytes.value += batch.inputBytes;
    this.batches.value++;
    try {
      await lane.send(batch, {
        onDone: () => {
          this.countOut(count, filtered);
          source.ledger.advance(positionEnd);
          if (!readsAhead) done();
        },
        onFailed: (error) => {
          this.noteFailed(error, count);
          if (!readsAhead) done(error);
        },
      });
      if (readsAhead) done();
    } catch (error) {
      this.noteFailed(error, count);
      done(error);
    } finally {
      this.discard(batch);
    }
  }

  /** `filtered`: what the input itself dropped, such as headers. */
  private countOut(count: number, filtered: number): void {
    this.counters.out.value += count - filtered;
    if (filtered > 0) this.counters.filtered('filtered', filtered);
  }

  private noteFailed(error: unknown, count: number): void {
    if (error instanceof InterruptedBatch) {
      this.giveBack(count);
      return;
    }
    this.options.setHealth(`a batch failed: ${messageOf(error)}`);
    this.options.log.error({ error: messageOf(error) }, 'A batch failed; it stays unread.');
  }
}

function countDropped({ dropped, count }: Batch): number {
  return isClear(dropped, count) ? 0 : dropped.subarray(0, count).filter((why) => why !== 0).length;
}

/** Room for what filters make of records that were held. */
const heldEventsMin = 64;
