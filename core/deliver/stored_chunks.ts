import { ByteWriter } from '../batch/byte_writer.ts';
import type { DiskBuffer } from '../buffer/disk_buffer.ts';
import type { Chunk } from '../chunk/chunk.ts';
import type { ChunkMemory } from '../chunk/chunk_memory.ts';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import type { Log } from '../sdk/contracts.ts';
import { type Clock, pause } from '../time/clock.ts';
import { loadChunk, type QueuedChunk } from './chunk_queue.ts';

export interface StoredChunksOptions {
  readonly buffer: DiskBuffer;
  readonly memory: ChunkMemory;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends all waiting; what is not stored then stays with its sources. */
  readonly signal: AbortSignal;
  /** Resolves when all is durable that a chunk which is stored now vouches for. */
  ready(): Promise<unknown>;
  onStored(sealed: QueuedChunk, sequence: number): void;
  /** A chunk made room for another: the newest itself, or an older one, by its number. */
  onRefused(sealed: QueuedChunk): void;
  onDisplaced(sequence: number): void;
  /** It can never be stored: it is to be delivered from memory, its sources wait for that. */
  onTooLarge(sealed: QueuedChunk): void;
  /** Records that cannot be read again. */
  onLost(reason: 'buffer_full' | 'buffer_damaged', records: number): void;
  /** One chunk less is on its way to the disk. */
  onDone(): void;
}

const retryMs = 1000;

/** An output's way into its disk buffer and out of it. Chunks are stored one after another, in the
 *  order in which they were sealed; what fails is tried until it works. */
export class StoredChunks {
  private readonly options: StoredChunksOptions;
  private storing: Promise<void> = Promise.resolve();
  private readonly waiting = new Set<QueuedChunk>();
  /** Of the chunk that is being stored: one for each would be garbage that waits for long. */
  private readonly header = new ByteWriter(4096);

  constructor(options: StoredChunksOptions) {
    this.options = options;
  }

  get underwayCount(): number {
    return this.waiting.size;
  }

  /** Chunks on their way to the disk. */
  get underway(): Iterable<QueuedChunk> {
    return this.waiting;
  }

  store(sealed: QueuedChunk): void {
    this.waiting.add(sealed);
    this.storing = this.storing
      .then(async () => {
        // Its sources give it again; what it stood in is for others.
        if (!(await this.storeNow(sealed))) this.options.memory.give(sealed.chunk?.takeArea());
      })
      .catch((error) => {
        this.options.log.error({ error: messageOf(error) }, 'The disk buffer failed.');
      })
      .finally(() => {
        this.waiting.delete(sealed);
        this.options.onDone();
      });
  }

  /** Resolves when nothing is on its way to the disk. */
  settled(): Promise<void> {
    return this.storing;
  }

  /** False when the signal ended the trying. */
  private async storeNow(sealed: QueuedChunk): Promise<boolean> {
    const { signal, log, clock } = this.options;
    await this.options.ready();
    while (!signal.aborted) {
      try {
        if (await this.append(sealed)) return true;
      } catch (error) {
        if (signal.aborted) return false;
        if (error instanceof SluiceError && error.code === 'SLUICE_RECORD_TOO_LARGE') {
          this.options.onTooLarge(sealed);
          return true;
        }
        log.error({ error: messageOf(error) }, 'The disk buffer failed; trying again.');
        await pause(clock, retryMs, signal);
      }
    }
    return false;
  }

  /** False when there was no room: then there may be now. */
  private async append(sealed: QueuedChunk): Promise<boolean> {
    const { buffer, signal } = this.options;
    const chunk = sealed.chunk!;
    const outcome = await buffer.append(chunk.header(this.header), chunk.body());
    if (outcome.kind === 'full') {
      await buffer.waitForSpace(signal).catch(() => undefined);
      return false;
    }
    if (outcome.kind === 'dropped_newest') {
      this.options.onRefused(sealed);
      return true;
    }
    for (const { sequence } of outcome.dropped) this.options.onDisplaced(sequence);
    this.options.onStored(sealed, outcome.sequence);
    return true;
  }

  /** Reads a chunk back; `gone` when it is no longer there or damaged, undefined when the signal
   *  ended the trying. */
  async load(queued: QueuedChunk): Promise<Chunk | 'gone' | undefined> {
    const { memory, buffer, clock, log, signal } = this.options;
    for (;;) {
      const area = memory.take(queued.bytes);
      try {
        const chunk = await loadChunk(buffer, queued.sequence!, area);
        if (chunk !== undefined) return chunk;
        memory.give(area);
        this.options.onLost('buffer_full', queued.records);
        return 'gone';
      } catch (error) {
        memory.give(area);
        if (signal.aborted) return undefined;
        const { records } = queued;
        if (isDamage(error)) {
          this.options.onLost('buffer_damaged', records);
          const reason = messageOf(error);
          log.error({ records, error: reason }, 'A stored chunk is damaged and was set aside.');
          return 'gone';
        }
        await pause(clock, retryMs, signal);
      }
    }
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof RangeError || error instanceof SyntaxError) return true;
  return error instanceof SluiceError && error.code === 'SLUICE_STORAGE_DAMAGED';
}
