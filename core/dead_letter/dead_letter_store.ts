import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { removeIfPresent, temporaryPath } from '../buffer/atomic_file.ts';
import { type DirectoryLock, lockDirectory, type ProcessProbe } from '../buffer/directory_lock.ts';
import { type FileSystem, nodeFileSystem, type OpenFile } from '../buffer/file_system.ts';
import { Quarantine } from '../buffer/quarantine.ts';
import { withFile } from '../buffer/recovery.ts';
import { bytesOf } from '../buffer/segment.ts';
import { SpaceWaiters } from '../buffer/space_waiters.ts';
import { type StorageLog, storageClosed, storageFailed } from '../buffer/storage_error.ts';
import { messageOf } from '../errors/sluice_error.ts';
import { DeadLetterCodec, syncMarkerBytes } from './avro_container.ts';
import type { DamagedBytes, ScannedLetter } from './container_scan.ts';
import type { DeadLetterInput, DeadLetterReference } from './dead_letter.ts';
import {
  containerFileName,
  containerNumbers,
  containerSize,
  type DeadLetterSummary,
  scanContainerFile,
  summarizeDeadLetters,
} from './dead_letter_reader.ts';
import {
  appendRemovals,
  type RemovedLetters,
  readRemovals,
  removalLogName,
  rewriteRemovals,
} from './removal_log.ts';

/** What can change while a store is open. */
export interface DeadLetterLimits {
  /** Most bytes that container files take together. */
  readonly limitBytes: number;
  /** What happens to letters that do not fit: they wait at the caller, or are lost and counted. */
  readonly whenFull: 'block' | 'drop';
}

export interface DeadLetterStoreOptions extends DeadLetterLimits {
  /** One output's directory; created when missing. */
  readonly directory: string;
  /** The output's name, which becomes part of each letter and its id. */
  readonly output: string;
  /** Size at which a file is closed. Room is freed by whole files: at most an eighth of the limit. */
  readonly fileBytes?: number;
  readonly log: StorageLog;
  /** Told of each damaged range of the last file, at the opening. It stays there for salvage. */
  readonly onDamage?: (range: DamagedBytes) => void;
  readonly fileSystem?: FileSystem;
  readonly now?: () => number;
  readonly processProbe?: ProcessProbe;
}

/**
 * What became of one letter. `full`: not stored, try it again after `waitForSpace`. `dropped`: not
 * stored and not to be tried again, since the store drops when full or the letter can never fit.
 */
export type DeadLetterOutcome = 'stored' | 'full' | 'dropped';

export interface DeadLetterStore {
  /**
   * Stores letters durably: one sync for all. Returns an outcome for each, in order.
   * Errors: SLUICE_STORAGE_FAILED (retryable; none of them is stored), SLUICE_SHUTDOWN.
   */
  append(letters: readonly DeadLetterInput[]): Promise<DeadLetterOutcome[]>;
  /** Changes the limits for letters from now on. */
  setLimits(limits: DeadLetterLimits): void;
  /** Resolves when room was made since the last `full`; rejects when aborted, or at close. */
  waitForSpace(signal: AbortSignal): Promise<void>;
  /** Forgets letters for good, durably: they were replayed or discarded. Unknown ones are ignored. */
  remove(references: readonly DeadLetterReference[]): Promise<void>;
  /** Counts what is there by reading it. */
  list(): Promise<DeadLetterSummary>;
  readonly usedBytes: number;
  readonly limitBytes: number;
  close(): Promise<void>;
}

const fileBytesDefault = 16 * 1024 * 1024;
const fileBytesMin = 16 * 1024;
/** Letters of one block share the fate of its length bytes, so blocks are small. */
const blockBytesMax = 16 * 1024;
const removalsBeforeRewrite = 10_000;

/**
 * Opens an output's dead letters. A torn tail is cut, so that the last file can be appended to and
 * read by any Avro tool; a file with damage is left as it is, for salvage, and a new one begun.
 * Errors: SLUICE_STORAGE_LOCKED, SLUICE_STORAGE_FAILED.
 */
export async function openDeadLetterStore(
  options: DeadLetterStoreOptions,
): Promise<DeadLetterStore> {
  const { directory } = options;
  const fileSystem = options.fileSystem ?? nodeFileSystem();
  let lock: DirectoryLock | undefined;
  try {
    await fileSystem.makeDirectory(directory);
    await fileSystem.syncDirectory(dirname(directory));
    lock = await lockDirectory(fileSystem, directory, options.processProbe);
    await removeIfPresent(fileSystem, temporaryPath(join(directory, removalLogName)));
    const store = new AvroDeadLetterStore(options, fileSystem, lock);
    await store.recover();
    return store;
  } catch (error) {
    await lock?.release().catch(() => undefined);
    throw storageFailed(`open the dead letters in ${directory}`, error);
  }
}

/** The file that letters are appended to. */
interface ActiveFile {
  readonly number: number;
  readonly sync: Buffer;
  bytes: number;
  file: OpenFile | undefined;
}

class AvroDeadLetterStore implements DeadLetterStore {
  readonly #options: DeadLetterStoreOptions;
  #limits: DeadLetterLimits;
  readonly #fileSystem: FileSystem;
  readonly #lock: DirectoryLock;
  readonly #codec = new DeadLetterCodec();
  readonly #waiters = new SpaceWaiters();
  readonly #fileBytes: number;
  readonly #sizes = new Map<number, number>();
  #removed!: RemovedLetters;
  #active: ActiveFile | undefined;
  #nextNumber = 1;
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: DeadLetterStoreOptions, fileSystem: FileSystem, lock: DirectoryLock) {
    this.#options = options;
    this.#fileSystem = fileSystem;
    this.#lock = lock;
    this.#limits = options;
    this.#fileBytes = Math.min(
      options.fileBytes ?? fileBytesDefault,
      Math.max(fileBytesMin, Math.floor(options.limitBytes / 8)),
    );
  }

  get limitBytes(): number {
    return this.#limits.limitBytes;
  }

  setLimits(limits: DeadLetterLimits): void {
    this.#limits = limits;
    this.#waiters.notify();
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const size of this.#sizes.values()) bytes += size;
    return bytes;
  }

  append(letters: readonly DeadLetterInput[]): Promise<DeadLetterOutcome[]> {
    return this.#inTurn(() => this.#append(letters));
  }

  waitForSpace(signal: AbortSignal): Promise<void> {
    if (this.#closing) return Promise.reject(storageClosed());
    return this.#waiters.wait(signal);
  }

  remove(references: readonly DeadLetterReference[]): Promise<void> {
    return this.#inTurn(() => this.#remove(references));
  }

  list(): Promise<DeadLetterSummary> {
    return summarizeDeadLetters(this.#options.directory, this.#fileSystem);
  }

  close(): Promise<void> {
    if (this.#closing) return this.#closing;
    this.#waiters.close(storageClosed());
    this.#closing = this.#turn.then(async () => {
      await this.#active?.file?.close().catch(() => undefined);
      await this.#lock.release();
    });
    return this.#closing;
  }

  /** Reads what is there and repairs the end of the last file. Called once, before all else. */
  async recover(): Promise<void> {
    const { directory, log } = this.#options;
    this.#removed = await readRemovals(this.#fileSystem, directory);
    const numbers = await containerNumbers(this.#fileSystem, directory);
    for (const number of numbers) {
      this.#sizes.set(number, (await containerSize(this.#fileSystem, directory, number)) ?? 0);
    }
    for (const number of this.#removed.fileNumbers()) {
      if (!this.#sizes.has(number)) this.#removed.forget(number);
      this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    }
    const last = numbers.at(-1);
    if (last === undefined) return;
    this.#nextNumber = Math.max(this.#nextNumber, last + 1);
    const scan = await scanContainerFile(this.#fileSystem, directory, last, this.#codec);
    if (!scan) return;
    if (scan.damaged.length > 0) {
      const fields = { file: containerFileName(last), ranges: scan.damaged.length };
      log.error(fields, 'Damaged dead letters: the intact ones can still be read.');
      for (const range of scan.damaged) this.#options.onDamage?.(range);
    }
    try {
      await this.#keepTorn(last, scan.torn);
      if (scan.damaged.length > 0) return;
      if (scan.tornAt === 0) {
        await this.#deleteFile(last);
        return;
      }
      await this.#cutTail(last, scan.tornAt, scan.bytes);
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'Cannot cut an unfinished dead letter off.');
      return;
    }
    // What was torn stands in a file of its own, which goes on; and a removed letter beyond the
    // cut must not name one that takes its place.
    if (this.#active || this.#removed.endIn(last) > scan.tornAt) return;
    this.#active = { number: last, sync: scan.sync, bytes: scan.tornAt, file: undefined };
  }

  /**
   * Writes the intact letters of an unfinished block again, before it is cut off: a disk that lost
   * its end leaves the same as a write that a crash cut short. Then they stand twice at worst.
   */
  async #keepTorn(number: number, torn: readonly ScannedLetter[]): Promise<void> {
    const blocks = new BlockList(this.#codec);
    for (const { position, encoded } of torn) {
      const { id } = this.#codec.decodeLetter(encoded);
      if (!this.#removed.has(number, position, id)) blocks.add(encoded);
    }
    if (blocks.bytes > 0) await this.#write(blocks);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closing) return Promise.reject(storageClosed());
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #append(letters: readonly DeadLetterInput[]): Promise<DeadLetterOutcome[]> {
    const nowMs = (this.#options.now ?? Date.now)();
    const failedAt = { seconds: Math.floor(nowMs / 1000), nanos: (nowMs % 1000) * 1_000_000 };
    const blocks = new BlockList(this.#codec);
    const outcomes: DeadLetterOutcome[] = [];
    let isFull = false;
    for (const letter of letters) {
      const encoded = this.#codec.encodeLetter(letter, this.#options.output, failedAt);
      if (!isFull && this.#fits(blocks.bytesWith(encoded))) {
        blocks.add(encoded);
        outcomes.push('stored');
      } else if (this.#neverFits(encoded)) {
        outcomes.push('dropped');
      } else {
        // Those behind it wait with it, so that letters keep their order.
        isFull = true;
        outcomes.push(this.#limits.whenFull === 'block' ? 'full' : 'dropped');
      }
    }
    if (isFull) this.#waiters.markFull();
    if (blocks.bytes > 0) await this.#write(blocks);
    return outcomes;
  }

  #needsNewFile(bytes: number): boolean {
    if (!this.#active) return true;
    const holdsLetters = this.#active.bytes > this.#codec.headerBytes;
    return holdsLetters && this.#active.bytes + bytes > this.#fileBytes;
  }

  #fits(bytes: number): boolean {
    const header = this.#needsNewFile(bytes) ? this.#codec.headerBytes : 0;
    return this.usedBytes + header + bytes <= this.limitBytes;
  }

  #neverFits(letter: Buffer): boolean {
    const alone = new BlockList(this.#codec);
    return this.#codec.headerBytes + alone.bytesWith(letter) > this.limitBytes;
  }

  async #write(blocks: BlockList): Promise<void> {
    const { directory } = this.#options;
    if (this.#needsNewFile(blocks.bytes)) await this.#endFile();
    const sync = this.#active?.sync ?? randomBytes(syncMarkerBytes);
    const active = (this.#active ??= {
      number: this.#nextNumber++,
      sync,
      bytes: 0,
      file: undefined,
    });
    const path = join(directory, containerFileName(active.number));
    const goodBytes = active.bytes;
    const isNew = goodBytes === 0;
    const content = isNew ? [this.#codec.encodeHeader(sync)] : [];
    content.push(...blocks.encode(sync));
    let isWritten = false;
    try {
      active.file ??= await this.#fileSystem.open(path, isNew ? 'create' : 'write');
      await active.file.write(content, goodBytes);
      isWritten = true;
      await active.file.sync();
      if (isNew) await this.#fileSystem.syncDirectory(directory);
    } catch (error) {
      await this.#undo(active, goodBytes, isWritten);
      throw storageFailed(`append to ${path}`, error);
    }
    active.bytes = goodBytes + bytesOf(content);
    this.#sizes.set(active.number, active.bytes);
  }

  /** After a failed sync nothing is appended to that file again; after a failed write it goes on. */
  async #undo(active: ActiveFile, goodBytes: number, isSyncDoubtful: boolean): Promise<void> {
    let isCut = false;
    try {
      await active.file?.truncate(goodBytes);
      isCut = true;
    } catch {
      // What could not be cut is a torn tail, or letters that stand twice under one id.
    }
    if (isCut && goodBytes > 0 && !isSyncDoubtful) return;
    const size = isCut ? goodBytes : await active.file?.size().catch(() => goodBytes);
    await this.#endFile();
    if (goodBytes > 0 || (size ?? 0) > 0) this.#sizes.set(active.number, size ?? goodBytes);
    if (goodBytes === 0) await this.#deleteFile(active.number).catch(() => undefined);
  }

  async #endFile(): Promise<void> {
    const file = this.#active?.file;
    this.#active = undefined;
    await file?.close().catch(() => undefined);
  }

  async #remove(references: readonly DeadLetterReference[]): Promise<void> {
    const { directory, log } = this.#options;
    const known = references.filter((reference) => this.#sizes.has(reference.file));
    if (known.length === 0) return;
    try {
      await appendRemovals(this.#fileSystem, directory, known);
    } catch (error) {
      throw storageFailed(`note removed dead letters in ${directory}`, error);
    }
    for (const reference of known) this.#removed.add(reference);
    try {
      for (const number of new Set(known.map((reference) => reference.file))) {
        await this.#deleteIfEmpty(number);
      }
    } catch (error) {
      // The letters are removed all the same; their room is freed by a later removal or start.
      log.warn({ directory, error: messageOf(error) }, 'Cannot free the room of dead letters yet.');
    }
  }

  async #deleteIfEmpty(number: number): Promise<void> {
    const { directory } = this.#options;
    const scan = await scanContainerFile(this.#fileSystem, directory, number, this.#codec);
    if (!scan) return;
    for (const { position, encoded } of scan.letters) {
      const { id } = this.#codec.decodeLetter(encoded);
      if (!this.#removed.has(number, position, id)) return;
    }
    const file = containerFileName(number);
    const path = join(directory, file);
    const quarantine = new Quarantine(this.#fileSystem, directory);
    await withFile(this.#fileSystem, path, 'read', async (source) => {
      for (const range of scan.damaged) {
        await quarantine.keepRange({ ...range, file, reason: 'dead letter' }, source);
      }
    });
    if (this.#active?.number === number) await this.#endFile();
    await this.#deleteFile(number);
    const isWorthRewriting = this.#removed.count > removalsBeforeRewrite;
    this.#removed.forget(number);
    if (isWorthRewriting || this.#removed.count === 0) {
      await rewriteRemovals(this.#fileSystem, directory, this.#removed);
    }
  }

  async #deleteFile(number: number): Promise<void> {
    await removeIfPresent(
      this.#fileSystem,
      join(this.#options.directory, containerFileName(number)),
    );
    this.#sizes.delete(number);
    this.#waiters.notify();
  }

  async #cutTail(number: number, tornAt: number, bytes: number): Promise<void> {
    if (tornAt === bytes) return;
    const path = join(this.#options.directory, containerFileName(number));
    await withFile(this.#fileSystem, path, 'write', async (file) => {
      await file.truncate(tornAt);
      await file.sync();
    });
    this.#sizes.set(number, tornAt);
    this.#options.log.info({ path, bytes: bytes - tornAt }, 'Cut an unfinished dead letter off.');
  }
}

/** Encoded letters on their way into blocks. */
class BlockList {
  bytes = 0;
  readonly #codec: DeadLetterCodec;
  readonly #blocks: { letters: Buffer[]; bytes: number }[] = [];

  constructor(codec: DeadLetterCodec) {
    this.#codec = codec;
  }

  /** What all blocks would take with one letter more, at most: their heads may be shorter. */
  bytesWith(letter: Buffer): number {
    return this.bytes + letter.length + (this.#joins(letter) ? 0 : blockOverheadBytes);
  }

  add(letter: Buffer): void {
    this.bytes = this.bytesWith(letter);
    if (!this.#joins(letter)) this.#blocks.push({ letters: [], bytes: 0 });
    const block = this.#blocks.at(-1)!;
    block.letters.push(letter);
    block.bytes += letter.length;
  }

  encode(sync: Buffer): Buffer[] {
    return this.#blocks.flatMap((block) => this.#codec.encodeBlock(block.letters, sync));
  }

  #joins(letter: Buffer): boolean {
    const last = this.#blocks.at(-1);
    return last !== undefined && last.bytes + letter.length <= blockBytesMax;
  }
}

/** The marker, and two numbers of at most five bytes each. */
const blockOverheadBytes = syncMarkerBytes + 10;
