import { dirname } from 'node:path';
import { ChunkReader } from './chunk_reader.ts';
import { type DirectoryLock, lockDirectory, type ProcessProbe } from './directory_lock.ts';
import { type FileSystem, nodeFileSystem } from './file_system.ts';
import { Quarantine, type QuarantinedRange } from './quarantine.ts';
import { recoverBuffer } from './recovery.ts';
import { SegmentedDiskBuffer } from './segmented_disk_buffer.ts';
import { type StorageLog, storageFailed } from './storage_error.ts';
import type { Schedule } from './timers.ts';
import type { VerifyReport } from './verify.ts';

/** What happens to an append that does not fit: it waits, or the oldest segment or itself is lost. */
export type WhenFull = 'block' | 'drop_oldest' | 'drop_newest';

/**
 * When an append counts as stored. `fsync`: when the disk has it; nothing stored is lost by a crash
 * of the machine. `interval`: when the kernel has it, and the disk within `intervalMs`; a crash of
 * the machine loses at most what was stored since. `os`: when the kernel has it, and the disk when
 * the kernel likes. A crash of the process alone loses nothing in any mode.
 */
export type Durability = 'fsync' | 'interval' | 'os';

/** What can change while a buffer is open. */
export interface DiskBufferLimits {
  /** Most bytes that segment files take together. */
  readonly limitBytes: number;
  readonly whenFull: WhenFull;
  readonly durability: Durability;
}

export interface DiskBufferOptions extends DiskBufferLimits {
  /** One output's directory; created when missing. */
  readonly directory: string;
  /** Size at which a segment is closed. At most an eighth of the limit, which frees whole segments. */
  readonly segmentBytes?: number;
  readonly intervalMs?: number;
  /** Headers begin with a description of themselves: its length as 4 bytes (little-endian), then so
   *  many bytes. A start then reads and keeps these alone. */
  readonly headersDescribe?: boolean;
  readonly log: StorageLog;
  /** Told once for each range of stored bytes that was found damaged, now or at recovery. */
  readonly onQuarantine?: (range: QuarantinedRange) => void;
  /** Told at the start of each chunk that was delivered and whose bytes are still there. */
  readonly onDelivered?: (header: Buffer) => void;
  /** Called before delivered chunks are deleted: resolves when what their headers say is noted
   *  elsewhere. Where it cannot be, they stay until their room is needed. */
  readonly beforeDelete?: () => Promise<void>;
  /** Told what the disk refuses at the moment, and with undefined that it refuses nothing more. */
  readonly onProblem?: (problem: string | undefined) => void;
  readonly fileSystem?: FileSystem;
  readonly now?: () => number;
  readonly schedule?: Schedule;
  readonly processProbe?: ProcessProbe;
}

/** A chunk in the buffer; its body is read when it is asked for. */
export interface StoredChunk {
  readonly sequence: number;
  /** Of a chunk of an earlier run: its description, where it has one. */
  readonly header: Buffer;
  readonly bodyBytes: number;
}

export interface QuarantineCount {
  readonly bytes: number;
  readonly ranges: number;
}

export type AppendOutcome =
  /** Stored as the durability mode says. `dropped` made room for it (`drop_oldest` only). */
  | { readonly kind: 'stored'; readonly sequence: number; readonly dropped: readonly StoredChunk[] }
  /** No room, `block`: call `waitForSpace`, then append again. */
  | { readonly kind: 'full' }
  /** No room, `drop_newest`: this chunk was not stored; the caller counts it. */
  | { readonly kind: 'dropped_newest' };

export interface DiskBuffer {
  /** Unsettled chunks of earlier runs, in order. Empty after `forgetRecovered`. */
  readonly recovered: readonly StoredChunk[];
  /** Gives the memory of `recovered` back, once the caller has noted what it needs. */
  forgetRecovered(): void;
  /**
   * Stores a chunk. The buffers must not change until the promise settles.
   * Errors: SLUICE_STORAGE_FAILED (retryable; nothing of it is stored), SLUICE_RECORD_TOO_LARGE,
   * SLUICE_SHUTDOWN.
   */
  append(header: Buffer, body: Buffer | readonly Buffer[]): Promise<AppendOutcome>;
  /** Changes the limits for the appends from now on. A limit below what is stored loses nothing by
   *  itself: it lets nothing in until there is room, or drops, as `whenFull` says. */
  setLimits(limits: DiskBufferLimits): void;
  /** Resolves when room was made since the last `full`. Rejects when aborted, or at close. */
  waitForSpace(signal: AbortSignal): Promise<void>;
  /**
   * Reads a chunk and checks it. Undefined: it was settled or dropped meanwhile. The body stands at
   * the start of `memory`, if that is given and large enough.
   * Errors: SLUICE_STORAGE_DAMAGED (it is lost, quarantined and no longer pending),
   * SLUICE_STORAGE_FAILED (retryable).
   */
  read(sequence: number, memory?: Buffer): Promise<{ header: Buffer; body: Buffer } | undefined>;
  /**
   * Marks a chunk as settled. Returns false when it no longer was in the buffer: it had been
   * dropped or settled before, so the caller must not count it again. Persisted within a moment.
   */
  acknowledge(sequence: number): boolean;
  /** Bytes of the segment files. */
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** Age of the oldest unsettled chunk; 0 when there is none. */
  readonly oldestAgeMs: number;
  readonly pendingCount: number;
  /** Sequence numbers of the unsettled chunks, ascending. */
  pendingSequences(): number[];
  /** What was found damaged since the buffer was opened, at recovery and later. */
  readonly quarantined: QuarantineCount;
  /** Reads and checks every byte. */
  verify(): Promise<VerifyReport>;
  /** Finishes what is queued, makes all durable and gives the directory free. Idempotent. */
  close(): Promise<void>;
}

/** Delay of `durability: interval`. */
export const intervalMsDefault = 250;

/**
 * Opens an output's buffer and recovers what earlier runs left in it. Content never makes it fail.
 * Errors: SLUICE_STORAGE_LOCKED, SLUICE_STORAGE_FAILED.
 */
export async function openDiskBuffer(options: DiskBufferOptions): Promise<DiskBuffer> {
  const { directory, log } = options;
  const fileSystem = options.fileSystem ?? nodeFileSystem();
  let lock: DirectoryLock | undefined;
  try {
    await fileSystem.makeDirectory(directory);
    await fileSystem.syncDirectory(dirname(directory));
    lock = await lockDirectory(fileSystem, directory, options.processProbe);
    const quarantine = new Quarantine(fileSystem, directory);
    const counted = { bytes: 0, ranges: 0 };
    const onQuarantine = (range: QuarantinedRange) => {
      counted.bytes += range.end - range.start;
      counted.ranges++;
      options.onQuarantine?.(range);
    };
    const shared = { fileSystem, quarantine, log, onQuarantine };
    const recovered = await recoverBuffer({
      ...shared,
      directory,
      isDurable: options.durability !== 'os',
      onDelivered: options.onDelivered,
    });
    return new SegmentedDiskBuffer({
      options,
      fileSystem,
      lock,
      recovered,
      counted,
      reader: new ChunkReader({ ...shared, identity: recovered.identity }),
    });
  } catch (error) {
    await lock?.release().catch(() => undefined);
    throw storageFailed(`open the disk buffer in ${directory}`, error);
  }
}
