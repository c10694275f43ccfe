import type { Batch } from '../batch/batch.ts';
import { stretchOf } from '../batch/stretch.ts';
import { Chunk, type OriginRun } from '../chunk/chunk.ts';
import type { ChunkMemory } from '../chunk/chunk_memory.ts';
import type { EncodePlace } from '../kernel/encode_options.ts';
import type { Counter } from '../sdk/contracts.ts';
import type { Clock } from '../time/clock.ts';
import type { QueuedChunk } from './chunk_queue.ts';

export interface ChunkFillerOptions {
  readonly outputId: string;
  /** Bytes at which a chunk is full; changes with the number of outputs. */
  batchBytes(): number;
  readonly batchRecords: number;
  /** Age in milliseconds at which a chunk is sealed whatever it holds; the first one sooner. */
  readonly flushMs: number;
  /** Most sections (label sets, tables, files) in one chunk. */
  readonly sectionsMax: number;
  /** Chunks begin with whole batches: those that go to the disk. */
  readonly wholeBatches: boolean;
  /** Most settled chunks whose arrays are kept for new ones. */
  readonly sparesMax: number;
  readonly memory: ChunkMemory;
  readonly clock: Clock;
  readonly sectionsRefused: Counter;
  /** Told of the bytes of each run. */
  onBytes(bytes: number): void;
  /** Takes each chunk that is sealed. */
  onSealed(sealed: QueuedChunk): void;
}

/** Age of an output's first chunk: who starts an agent sees at once that records arrive. Where chunks
 *  are wanted older than a second, small ones are unwelcome from the beginning. */
const firstFlushMs = 20;
const firstFlushBelowMs = 1000;

/** Room below which a chunk is sealed rather than encoded into. */
const placeBytesMin = 32 * 1024;

/** Fills one chunk after the other with encoded records, and seals each by records, bytes and
 *  age. */
export class ChunkFiller {
  private readonly options: ChunkFillerOptions;
  private opened: QueuedChunk | undefined;
  private cancelAge: (() => void) | undefined;
  /** Settled chunks whose arrays the next ones take. */
  private readonly spares: Chunk[] = [];
  private encodedBytes = 0;
  /** Bytes of a record, as in the batch before. */
  private recordBytes = 0;
  private hasSealed = false;

  constructor(options: ChunkFillerOptions) {
    this.options = options;
  }

  /** The chunk that is being filled. */
  get open(): QueuedChunk | undefined {
    return this.opened;
  }

  /** Takes `count` records of one batch, which `append` gives to `appendRun`. */
  takeBatch(count: number, append: () => void): void {
    // hot path
    if (!this.options.wholeBatches) {
      append();
      return;
    }
    this.sealUnlessFits(count);
    const before = this.encodedBytes;
    append();
    this.recordBytes = (this.encodedBytes - before) / count;
    if (this.opened !== undefined && this.isFull(this.opened.chunk!)) {
      this.sealAfterBatch(this.opened);
    }
  }

  /** A stored chunk vouches only for batches that were whole before it was sealed: so a batch that
   *  will hardly fit begins a new one. */
  private sealUnlessFits(count: number): void {
    const chunk = this.opened?.chunk;
    if (chunk === undefined) return;
    const bytes = chunk.bytes + count * this.recordBytes;
    const records = chunk.count + count;
    if (bytes > this.options.batchBytes() || records > this.options.batchRecords) this.seal();
  }

  /** Seals a full chunk when the batch that filled it has passed all outputs. */
  private sealAfterBatch(full: QueuedChunk): void {
    setImmediate(() => {
      if (this.opened === full) this.seal();
    });
  }

  /** Where the section's next records of this batch may be encoded, to be given to `appendRun` as
   *  they stand there. Undefined when they must be copied. */
  place(sectionKey: string, batch: Batch): EncodePlace | undefined {
    // hot path
    const limit = this.options.batchBytes();
    if (limit < placeBytesMin * 2) return undefined;
    let open = this.openFor(sectionKey, batch.waitedMs);
    if (limit - open.chunk!.bytes < placeBytesMin) {
      this.seal();
      open = this.openChunk(batch.waitedMs);
    }
    const chunk = open.chunk!;
    const at = chunk.positionInArea(sectionKey);
    if (at === undefined) return undefined;
    const area = chunk.area!;
    const end = Math.min(area.length, at + limit - chunk.bytes);
    if (end - at < placeBytesMin) return undefined;
    const records = this.options.batchRecords - chunk.count;
    return { at: area.byteOffset + at, end: area.byteOffset + end, records };
  }

  appendRun(sectionKey: string, run: OriginRun): void {
    // hot path
    const { batch, events } = run;
    const { stretches } = batch;
    if (stretches.length === 0) {
      this.appendOfSource(sectionKey, run);
      return;
    }
    for (let from = 0; from < run.count; ) {
      const stretch = stretchOf(stretches, events[from]!);
      let end = from + 1;
      while (end < run.count && events[end]! < stretch.end) end++;
      batch.source = stretch.source;
      this.appendOfSource(sectionKey, partOf(run, from, end));
      from = end;
    }
  }

  /** Takes records of one source. */
  private appendOfSource(sectionKey: string, run: OriginRun): void {
    // hot path
    let rest = run;
    while (rest.count > 0) {
      const open = this.openFor(sectionKey, rest.batch.waitedMs);
      const fitting = this.countThatFits(open.chunk!, rest);
      if (fitting === 0) {
        this.seal();
        continue;
      }
      const part = partOf(rest, 0, fitting);
      const before = open.chunk!.bytes;
      open.chunk!.appendRun(sectionKey, part);
      const bytes = open.chunk!.bytes - before;
      this.encodedBytes += bytes;
      this.options.onBytes(bytes);
      this.pend(open, part);
      const isLast = fitting === rest.count;
      if (this.isFull(open.chunk!) && !(isLast && this.options.wholeBatches)) this.seal();
      if (isLast) return;
      rest = partOf(rest, fitting, rest.count);
    }
  }

  private openFor(sectionKey: string, waitedMs: number): QueuedChunk {
    const open = this.opened;
    if (open !== undefined) {
      const chunk = open.chunk!;
      const sectionsFull =
        chunk.sections.length >= this.options.sectionsMax && !chunk.hasSection(sectionKey);
      if (!sectionsFull && !chunk.originsFull && !this.isFull(chunk)) return open;
      if (sectionsFull) this.options.sectionsRefused.value++;
      this.seal();
    }
    return this.openChunk(waitedMs);
  }

  private openChunk(waitedMs: number): QueuedChunk {
    const { outputId, memory, clock } = this.options;
    const bytes = this.options.batchBytes() + 4096;
    const area = memory.take(bytes);
    const chunk = new Chunk(outputId, undefined, this.spares.pop(), bytes, area);
    chunk.openedAtMs = clock.monotonicMs();
    this.opened = {
      chunk,
      records: 0,
      bytes: 0,
      openedAtMs: chunk.openedAtMs,
      ledgers: new Map(),
      sequence: undefined,
    };
    this.cancelAge = clock.after(Math.max(0, this.ageMax() - waitedMs), () => this.seal());
    return this.opened;
  }

  private ageMax(): number {
    const { flushMs } = this.options;
    const isFirst = !this.hasSealed && flushMs <= firstFlushBelowMs;
    return isFirst ? Math.min(flushMs, firstFlushMs) : flushMs;
  }

  private pend(open: QueuedChunk, run: OriginRun): void {
    const { ledger, generation } = run.batch.source;
    open.ledgers.set(ledger, generation);
    const { events, count } = run;
    const offsets = run.batch.offset;
    let first = Number.POSITIVE_INFINITY;
    for (let k = 0; k < count; k++) {
      const offset = offsets[events[k]!]!;
      if (offset < first) first = offset;
    }
    ledger.pend(this.options.outputId, open, first);
  }

  private countThatFits(chunk: Chunk, run: OriginRun): number {
    const records = Math.max(1, this.options.batchRecords - chunk.count);
    const bytes = this.options.batchBytes() - chunk.bytes;
    const most = Math.min(run.count, records);
    if (run.ends[most - 1]! - run.start <= bytes) return most;
    // A chunk of its own for a record that is too large for any.
    const firstFits = run.ends[0]! - run.start <= bytes;
    if (!firstFits && chunk.count > 0 && !this.options.wholeBatches) return 0;
    let fitting = 1;
    let tooMany = most;
    while (tooMany - fitting > 1) {
      const middle = (fitting + tooMany) >> 1;
      if (run.ends[middle - 1]! - run.start <= bytes) fitting = middle;
      else tooMany = middle;
    }
    return fitting;
  }

  private isFull(chunk: Chunk): boolean {
    return chunk.bytes >= this.options.batchBytes() || chunk.count >= this.options.batchRecords;
  }

  /** Closes the open chunk and hands it over. */
  seal(): void {
    const open = this.opened;
    if (open === undefined) return;
    this.cancelAge?.();
    this.opened = undefined;
    const chunk = open.chunk!;
    if (chunk.count === 0) {
      this.reuse(chunk);
      return;
    }
    this.hasSealed = true;
    open.records = chunk.count;
    open.bytes = chunk.bytes;
    // All that went through the filters before now is in this chunk or in an earlier one.
    for (const [ledger, generation] of open.ledgers) {
      chunk.covered[generation] = ledger.processedPosition;
    }
    this.options.onSealed(open);
  }

  /** Keeps a settled chunk's memory for the next ones. New memory for each would have the collector
   *  of garbage run all the time: it counts what is outside of its heap. */
  reuse(chunk: Chunk): void {
    this.options.memory.give(chunk.takeArea());
    if (this.spares.length < this.options.sparesMax) this.spares.push(chunk);
  }

  /** Ends the ageing of the open chunk, which stays as it is. */
  stop(): void {
    this.cancelAge?.();
  }
}

/** The records of a run from number `from` up to `end`. */
function partOf(run: OriginRun, from: number, end: number): OriginRun {
  if (from === 0) return end === run.count ? run : { ...run, count: end };
  return {
    ...run,
    start: run.ends[from - 1]!,
    events: run.events.subarray(from, end),
    ends: run.ends.subarray(from, end),
    count: end - from,
  };
}
