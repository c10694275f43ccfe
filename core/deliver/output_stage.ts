import type { Batch } from '../batch/batch.ts';
import { layout } from '../batch/layout.ts';
import type { SourceLedger } from '../batch/source.ts';
import type { DiskBuffer } from '../buffer/disk_buffer.ts';
import { Chunk, type OriginRun } from '../chunk/chunk.ts';
import type { ChunkMemory } from '../chunk/chunk_memory.ts';
import { messageOf } from '../errors/sluice_error.ts';
import type { EncodePlace } from '../kernel/encode_options.ts';
import type { ComponentMetrics, Counter, Log, Output, RecordSink } from '../sdk/contracts.ts';
import { ComponentCounters } from '../telemetry/component_counters.ts';
import type { Clock } from '../time/clock.ts';
import { stopController } from '../time/stop_controller.ts';
import type { RetryPolicy } from './backoff.ts';
import { ChunkFiller } from './chunk_filler.ts';
import { ChunkQueue, type QueuedChunk } from './chunk_queue.ts';
import type { DeadLetter, DeadLetterDesk } from './dead_letter_desk.ts';
import { Delivering } from './delivering.ts';
import type { MemoryBudget } from './memory_budget.ts';
import { encodeBySource } from './encode_by_source.ts';
import { rejectedEvent } from './rejected_event.ts';
import { StoredChunks } from './stored_chunks.ts';

export type WhenFull = 'block' | 'drop_oldest' | 'drop_newest';

export interface OutputStageOptions {
  readonly id: string;
  readonly output: Output;
  readonly batchBytes: number;
  readonly batchRecords: number;
  readonly flushMs: number;
  readonly concurrency: number;
  readonly retry: RetryPolicy;
  readonly whenFull: WhenFull;
  /** Most sections (label sets, tables, files) in one chunk. */
  readonly sectionsMax: number;
  readonly buffer: DiskBuffer | undefined;
  /** The stages that share the disk buffer: this one, and earlier ones that a reload replaced. */
  readonly sharers: Set<OutputStage>;
  readonly deadLetters: DeadLetterDesk;
  readonly budget: MemoryBudget;
  readonly memory: ChunkMemory;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Hides secrets in the reasons that a destination gives. */
  readonly conceal?: ((text: string) => string) | undefined;
  readonly metrics: ComponentMetrics;
  /** Counts what comes out of the disk buffer at the start. */
  readonly recoveredEdge: Counter;
  setHealth(problem: string | undefined): void;
}

/** How long a source waits for the delivery of stored chunks before their memory is freed. */
const spillAfterMs = 100;
/** Settled chunks kept for the next ones: as many as memory has areas for, and those at the edges.
 *  With fewer, a queue that fills and drains leaves arrays behind that nobody collects for minutes. */
const sparesMin = layout.chunkAreas + 2;

/** One output with all that the engine does for it: encodes into an open chunk, seals by
 *  records, bytes and age, stores or queues, delivers, and settles with the sources. */
export class OutputStage implements RecordSink {
  readonly id: string;
  readonly counters: ComponentCounters;
  readonly output: Output;
  private readonly options: OutputStageOptions;
  private readonly queue = new ChunkQueue((queued) => this.underway.add(queued));
  private readonly delivering: Delivering;
  private readonly filler: ChunkFiller;
  private memoryBytes = 0;
  private readonly underway = new Set<QueuedChunk>();
  /** Chunks whose delivery ended with the output. */
  private readonly interrupted: QueuedChunk[] = [];
  /** Dead letters of events that could not be encoded, on their way to the disk. */
  private readonly rejecting = new Set<Promise<unknown>>();
  private readonly stored: StoredChunks | undefined;
  /** Chunks settled since the start. */
  private settledCount = 0;
  /** Stored chunks leave memory at once, and are read again for their delivery. */
  private isSpilling = false;
  private cancelSpill: (() => void) | undefined;
  private workers: Promise<void>[] = [];
  private roomWaiters: (() => void)[] = [];
  private idleWaiters: (() => void)[] = [];
  private readonly stopping = stopController();
  private readonly bytesOut: Counter;
  private readonly chunksOut: Counter;

  constructor(options: OutputStageOptions) {
    this.id = options.id;
    this.options = options;
    options.budget.join();
    this.output = options.output;
    this.counters = new ComponentCounters(options.metrics);
    this.bytesOut = options.metrics.counter('sluice_output_bytes_total');
    this.chunksOut = options.metrics.counter('sluice_output_chunks_total');
    this.filler = new ChunkFiller({
      outputId: options.id,
      batchBytes: () => this.batchBytes(),
      batchRecords: options.batchRecords,
      flushMs: options.flushMs,
      sectionsMax: options.sectionsMax,
      wholeBatches: options.buffer !== undefined,
      sparesMax: Math.max(options.concurrency + 1, sparesMin),
      memory: options.memory,
      clock: options.clock,
      sectionsRefused: options.metrics.counter('sluice_output_sections_refused_total'),
      onBytes: (bytes) => this.takeMemory(bytes),
      onSealed: (sealed) => {
        if (this.stored === undefined) this.enqueue(sealed);
        else this.stored.store(sealed);
      },
    });
    this.stored = options.buffer && this.storedIn(options.buffer);
    this.exportGauges();
    options.sharers.add(this);
    this.delivering = new Delivering({
      output: options.output,
      retry: options.retry,
      deadLetters: options.deadLetters,
      clock: options.clock,
      random: options.random,
      log: options.log,
      conceal: options.conceal,
      counters: this.counters,
      retries: options.metrics.counter('sluice_output_retries_total'),
      bytesOut: this.bytesOut,
      signal: this.stopping.signal,
      setHealth: options.setHealth,
    });
  }

  /** Shows this instance's state under the output's name; again when a successor was given up. */
  exportGauges(): void {
    const { options } = this;
    options.metrics.gauge('sluice_output_queue_bytes', () => this.memoryBytes);
    options.metrics.gauge('sluice_output_queue_chunks', () => this.pendingChunks());
    options.metrics.gauge(
      'sluice_output_oldest_unacknowledged_seconds',
      () => this.oldestUnacknowledgedMs() / 1000,
    );
    const buffer = options.buffer;
    if (buffer !== undefined) {
      options.metrics.gauge('sluice_buffer_bytes', () => buffer.usedBytes);
      options.metrics.gauge('sluice_buffer_chunks', () => buffer.pendingCount);
    }
  }

  // ── taking records ────────────────────────────────────────────────────────────────────────

  /** Encodes the batch's events with `select[i] === 1`: `count` of them. */
  accept(batch: Batch, select: Uint8Array, count: number): void {
    // hot path
    this.counters.in.value += count;
    this.takeBatch(count, () => encodeBySource(this.output.encoder, batch, select, this));
  }

  /** Takes `count` records of one batch, which `append` gives to `appendRun`. */
  takeBatch(count: number, append: () => void): void {
    this.filler.takeBatch(count, append);
  }

  place(sectionKey: string, batch: Batch): EncodePlace | undefined {
    return this.filler.place(sectionKey, batch);
  }

  appendRun(sectionKey: string, run: OriginRun): void {
    this.filler.appendRun(sectionKey, run);
  }

  /** An event that cannot be encoded goes to the dead letters; its source waits for that. */
  reject(batch: Batch, index: number, reason: string): void {
    this.keepRejected(batch.source.ledger, rejectedEvent(batch, index, this.id, reason));
  }

  /** Keeps the letter of an event that could not be encoded; `ledger` is its source's. */
  keepRejected(ledger: SourceLedger, letter: DeadLetter): void {
    const holder = {};
    ledger.pend(this.id, holder, letter.origin.offset);
    const keeping = this.options.deadLetters
      .keep([letter], this.counters, this.stopping.signal)
      .then(
        (kept) => kept && ledger.settle(this.id, holder),
        (error) =>
          this.options.log.error({ error: messageOf(error) }, 'A dead letter was not kept.'),
      )
      .finally(() => {
        this.rejecting.delete(keeping);
        this.reportIdle();
      });
    this.rejecting.add(keeping);
  }

  /** False when the output is at its limit and its policy is to make the source wait. */
  hasRoom(): boolean {
    if (this.options.whenFull !== 'block' && this.options.buffer === undefined) return true;
    return this.memoryBytes < this.options.budget.shareBytes;
  }

  /** Resolves when there is room, or when the signal aborts. */
  room(signal: AbortSignal): Promise<void> {
    if (this.hasRoom() || signal.aborted) return Promise.resolve();
    // What waits for room may be what fills the open chunk.
    if (this.queue.length === 0 && this.underway.size === 0) this.seal();
    // Also when a reload made the budget shared: what was kept until then would never be freed.
    if (this.stored !== undefined) this.spillUnlessSettled();
    return new Promise((resolve) => {
      const finish = () => {
        if (!this.hasRoom() && !signal.aborted) {
          this.roomWaiters.push(finish);
          return;
        }
        signal.removeEventListener('abort', finish);
        resolve();
      };
      signal.addEventListener('abort', finish, { once: true });
      this.roomWaiters.push(finish);
    });
  }

  /** A chunk takes at most half the share, so that one can be sent while the next fills; of those
   *  that are stored first, one more is written. Smaller ones would be more than there are areas for
   *  (`layout.chunkAreas`): the rest would lie in memory that comes and goes. */
  private batchBytes(): number {
    const { batchBytes, budget, buffer } = this.options;
    return Math.min(batchBytes, Math.floor(budget.shareBytes / (buffer === undefined ? 2 : 3)));
  }

  private takeMemory(bytes: number): void {
    this.memoryBytes += bytes;
    this.options.budget.take(bytes);
  }

  private giveMemory(bytes: number): void {
    this.memoryBytes -= bytes;
    this.options.budget.give(bytes);
    if (this.roomWaiters.length > 0 && this.memoryBytes < this.options.budget.shareBytes) {
      for (const waiter of this.roomWaiters.splice(0)) waiter();
    }
  }

  // ── sealing, storing ──────────────────────────────────────────────────────────────────────

  /** Closes the open chunk and sends it on its way. */
  seal(): void {
    this.filler.seal();
  }

  private enqueue(sealed: QueuedChunk): void {
    if (this.options.whenFull === 'drop_newest' && this.overLimit()) {
      this.drop(sealed, 'buffer_full');
      return;
    }
    if (this.options.whenFull === 'drop_oldest') {
      while (this.overLimit()) {
        const oldest = this.queue.dropOldest();
        if (oldest === undefined) break;
        this.drop(oldest, 'buffer_full');
      }
    }
    this.queue.push(sealed);
  }

  private overLimit(): boolean {
    return this.memoryBytes > this.options.budget.shareBytes;
  }

  private drop(queued: QueuedChunk, reason: string): void {
    this.counters.dropped(reason, queued.records);
    this.options.log.error({ records: queued.records, reason }, 'Records were dropped.');
    this.settle(queued);
  }

  private storedIn(buffer: DiskBuffer): StoredChunks {
    const { memory, clock, log, sharers } = this.options;
    return new StoredChunks({
      buffer,
      memory,
      clock,
      log,
      signal: this.stopping.signal,
      ready: () => Promise.all(this.rejecting),
      onStored: (sealed, sequence) => this.takeStored(sealed, sequence),
      onRefused: (sealed) => this.drop(sealed, 'buffer_full'),
      onDisplaced: (sequence) => {
        for (const stage of sharers) stage.forgetDropped(sequence);
      },
      onTooLarge: (sealed) => this.queue.push(sealed),
      onLost: (reason, records) => this.counters.dropped(reason, records),
      onDone: () => this.reportIdle(),
    });
  }

  /** True while chunks that the disk has stay in memory for their delivery: reading them again costs
   *  more than waiting a little. Not where waiting would hold up other outputs. */
  private get keepsStored(): boolean {
    const { buffer, budget } = this.options;
    return buffer !== undefined && !budget.isShared && !this.isSpilling;
  }

  /** Frees the memory of stored chunks when nothing is delivered for a while: the disk takes over
   *  until the destination has caught up. */
  private spillUnlessSettled(): void {
    if (this.cancelSpill !== undefined) return;
    const settled = this.settledCount;
    this.cancelSpill = this.options.clock.after(spillAfterMs, () => {
      this.cancelSpill = undefined;
      if (this.hasRoom()) return;
      if (settled !== this.settledCount) {
        this.spillUnlessSettled();
        return;
      }
      this.isSpilling = true;
      for (const queued of this.queue) if (queued.sequence !== undefined) this.freeChunk(queued);
    });
  }

  private freeChunk(queued: QueuedChunk): void {
    if (queued.chunk === undefined) return;
    this.giveMemory(queued.bytes);
    this.filler.reuse(queued.chunk);
    queued.chunk = undefined;
  }

  /** The disk has it: the sources are free, and memory too unless delivery is close. */
  private takeStored(sealed: QueuedChunk, sequence: number): void {
    sealed.sequence = sequence;
    for (const ledger of sealed.ledgers.keys()) ledger.settle(this.id, sealed);
    sealed.ledgers = new Map();
    const { budget, concurrency } = this.options;
    const isNext = this.queue.length < concurrency && this.memoryBytes <= budget.shareBytes;
    if (!isNext && !this.keepsStored) this.freeChunk(sealed);
    this.queue.push(sealed);
  }

  /** A stored chunk made room for a new one. One that is being delivered is left to that. */
  forgetDropped(sequence: number): void {
    for (const queued of this.underway) {
      if (queued.sequence !== sequence) continue;
      // Its bytes may be on their way from the disk: then `load` misses them.
      if (queued.chunk !== undefined) queued.sequence = undefined;
      return;
    }
    const queued = this.queue.remove((waiting) => waiting.sequence === sequence);
    if (queued === undefined) return;
    this.counters.dropped('buffer_full', queued.records);
    const { records } = queued;
    this.options.log.error({ records }, 'The disk buffer dropped its oldest records.');
    this.freeChunk(queued);
  }

  // ── delivering ────────────────────────────────────────────────────────────────────────────

  /** Takes over what an earlier run left in the disk buffer, then starts to deliver. */
  start(): void {
    const buffer = this.options.buffer;
    if (buffer !== undefined) {
      for (const stored of buffer.recovered) {
        const records = Chunk.summary(stored.header).count;
        this.counters.in.value += records;
        this.options.recoveredEdge.value += records;
        this.queue.push({
          chunk: undefined,
          records,
          bytes: stored.bodyBytes,
          openedAtMs: this.options.clock.monotonicMs(),
          ledgers: new Map(),
          sequence: stored.sequence,
        });
      }
      buffer.forgetRecovered();
    }
    for (let worker = 0; worker < this.options.concurrency; worker++) {
      this.workers.push(this.work());
    }
  }

  private async work(): Promise<void> {
    for (;;) {
      const queued = await this.queue.take();
      if (queued === undefined) return;
      const settled = await this.deliverQueued(queued).catch((error) => {
        this.options.log.error({ error: messageOf(error) }, 'Delivery failed unexpectedly.');
        return false;
      });
      this.underway.delete(queued);
      if (settled) this.settle(queued);
      else this.interrupted.push(queued);
      this.reportIdle();
    }
  }

  private async deliverQueued(queued: QueuedChunk): Promise<boolean> {
    const inMemory = queued.chunk !== undefined;
    const chunk = queued.chunk ?? (await this.stored!.load(queued));
    if (chunk === 'gone') return true;
    if (chunk === undefined) return false;
    if (!inMemory) this.takeMemory(queued.bytes);
    queued.chunk = chunk;
    const settled = await this.delivering.deliver(chunk);
    if (settled) this.chunksOut.value++;
    return settled;
  }

  private settle(queued: QueuedChunk): void {
    if (queued.sequence !== undefined) this.options.buffer?.acknowledge(queued.sequence);
    for (const ledger of queued.ledgers.keys()) ledger.settle(this.id, queued);
    this.freeChunk(queued);
    this.settledCount++;
    if (this.queue.length === 0) this.isSpilling = false;
  }

  // ── ending ────────────────────────────────────────────────────────────────────────────────

  /** True when nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return (
      this.filler.open === undefined &&
      this.queue.length === 0 &&
      this.underway.size === 0 &&
      this.rejecting.size === 0 &&
      (this.stored?.underwayCount ?? 0) === 0
    );
  }

  /** Seals what is open and resolves when all is settled, or when the signal aborts. */
  drain(signal: AbortSignal): Promise<void> {
    this.seal();
    if (this.isIdle || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        signal.removeEventListener('abort', finish);
        resolve();
      };
      signal.addEventListener('abort', finish, { once: true });
      this.idleWaiters.push(finish);
    });
  }

  private reportIdle(): void {
    if (!this.isIdle) return;
    for (const waiter of this.idleWaiters.splice(0)) waiter();
  }

  /** Stops delivering; what is not settled stays with its source or in the disk buffer. The
   *  storage is its owner's to close. */
  async close(): Promise<void> {
    this.filler.stop();
    this.cancelSpill?.();
    if (!this.stopping.signal.aborted) this.options.budget.leave();
    this.options.sharers.delete(this);
    this.stopping.abort();
    this.queue.close();
    await Promise.all(this.workers);
    await this.stored?.settled();
    await Promise.all(this.rejecting);
    await this.output.close?.();
    this.output.encoder.close?.();
    const left = [this.filler.open, ...this.queue, ...this.underway, ...this.interrupted];
    for (const queued of left) this.options.memory.give(queued?.chunk?.takeArea());
  }

  /** Counts as dropped what is left in memory and nobody can give again. Returns how many records. */
  giveUpUnrepeatable(reason: string): number {
    const { unrepeatable, stored } = this.unsettled();
    // Of a chunk that is tried again some records may be delivered.
    const records = Math.max(0, Math.min(unrepeatable, this.counters.inFlight() - stored));
    if (records > 0) this.counters.dropped(reason, records);
    return records;
  }

  /** Counts what is left in memory as dropped, for an output that the configuration no longer has.
   *  To be called when it is closed. Returns how many records. */
  giveUp(reason: string): number {
    const { inMemory } = this.unsettled();
    if (inMemory > 0) this.counters.dropped(reason, inMemory);
    return inMemory;
  }

  pendingChunks(): number {
    const storing = this.stored?.underwayCount ?? 0;
    return this.queue.length + this.underway.size + storing + (this.filler.open ? 1 : 0);
  }

  /** Records that would be read or sent again if the process ended now, by where they are; of those
   *  in memory how many nobody can give again. */
  unsettled(): { stored: number; inMemory: number; unrepeatable: number } {
    let stored = 0;
    const open = this.filler.open?.chunk;
    let inMemory = open?.count ?? 0;
    let unrepeatable = open?.countUnrepeatable() ?? 0;
    for (const { sequence, records, chunk } of this.unsettledChunks()) {
      if (sequence !== undefined) stored += records;
      else {
        inMemory += records;
        unrepeatable += chunk?.countUnrepeatable() ?? 0;
      }
    }
    return { stored, inMemory, unrepeatable };
  }

  /** Without the open one. */
  private unsettledChunks(): Set<QueuedChunk> {
    const storing = this.stored?.underway ?? [];
    return new Set([...this.queue, ...this.underway, ...this.interrupted, ...storing]);
  }

  /** How long its destination has not answered a try. */
  silentMs(): number {
    return this.delivering.silentMs();
  }

  oldestUnacknowledgedMs(): number {
    let oldest = this.filler.open?.openedAtMs ?? Number.POSITIVE_INFINITY;
    for (const queued of this.underway) oldest = Math.min(oldest, queued.openedAtMs);
    oldest = Math.min(oldest, this.queue.oldest()?.openedAtMs ?? Number.POSITIVE_INFINITY);
    const now = this.options.clock.monotonicMs();
    const inMemory = oldest === Number.POSITIVE_INFINITY ? 0 : now - oldest;
    return Math.max(inMemory, this.options.buffer?.oldestAgeMs ?? 0);
  }
}
