import type { SourceLedger } from '../batch/source.ts';
import type { DiskBuffer } from '../buffer/disk_buffer.ts';
import { Chunk } from '../chunk/chunk.ts';

/** A sealed chunk on its way, with those who wait for it. */
export interface QueuedChunk {
  /** Undefined while only the disk has it. */
  chunk: Chunk | undefined;
  records: number;
  bytes: number;
  readonly openedAtMs: number;
  /** Told when the chunk is settled, with their generations; empty when the disk buffer took
   *  that over. */
  ledgers: Map<SourceLedger, string>;
  /** Its number in the disk buffer, if it is there. */
  sequence: number | undefined;
}

/** Sealed chunks in the order in which they were sealed. One taker is served at a time, in
 *  order. */
export class ChunkQueue {
  private readonly waiting: QueuedChunk[] = [];
  private readonly takers: ((queued: QueuedChunk | undefined) => void)[] = [];
  private closed = false;
  private readonly onTake: (queued: QueuedChunk) => void;

  /** `onTake` is told at once of each chunk that is taken, before its taker runs: so that it is
   *  always known to somebody. */
  constructor(onTake: (queued: QueuedChunk) => void) {
    this.onTake = onTake;
  }

  get length(): number {
    return this.waiting.length;
  }

  push(queued: QueuedChunk): void {
    const taker = this.takers.shift();
    if (taker === undefined) {
      this.waiting.push(queued);
      return;
    }
    this.onTake(queued);
    taker(queued);
  }

  /** The next chunk, or undefined once the queue is closed. */
  take(): Promise<QueuedChunk | undefined> {
    const next = this.closed ? undefined : this.waiting.shift();
    if (next !== undefined) this.onTake(next);
    if (next !== undefined || this.closed) return Promise.resolve(next);
    return new Promise((resolve) => this.takers.push(resolve));
  }

  /** Removes and returns the oldest waiting chunk: for `drop_oldest`. */
  dropOldest(): QueuedChunk | undefined {
    return this.waiting.shift();
  }

  oldest(): QueuedChunk | undefined {
    return this.waiting[0];
  }

  remove(predicate: (queued: QueuedChunk) => boolean): QueuedChunk | undefined {
    const at = this.waiting.findIndex(predicate);
    return at < 0 ? undefined : this.waiting.splice(at, 1)[0];
  }

  /** Wakes all takers empty-handed; what waits stays. */
  close(): void {
    this.closed = true;
    for (const taker of this.takers.splice(0)) taker(undefined);
  }

  [Symbol.iterator](): Iterator<QueuedChunk> {
    return this.waiting[Symbol.iterator]();
  }
}

/** Reads a stored chunk back, into `area` if that is given: the chunk has it then, even if the body
 *  is too large for it. Undefined when it is no longer there. */
export async function loadChunk(
  buffer: DiskBuffer,
  sequence: number,
  area?: Buffer,
): Promise<Chunk | undefined> {
  const stored = await buffer.read(sequence, area);
  return stored === undefined ? undefined : Chunk.restore(stored.header, stored.body, area);
}
