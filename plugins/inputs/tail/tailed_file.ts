import { closeSync, constants, fstatSync, openSync, read, readSync, statSync } from 'node:fs';
import { GzipWindow } from '../../shared/gzip/gzip_window.ts';
import { preadSync } from '../../shared/gzip/pread.ts';
import type { FileFacts } from '../../shared/file_finder/file_facts.ts';
import { factsOf } from '../../shared/file_finder/file_facts.ts';
import type { FileGeneration } from './file_generation.ts';

/** A read that takes longer comes from a slow or remote disk: later ones leave this thread. */
const slowReadMs = 8;
const asynchronousReads = 64;

/** One file (an inode) that is being read, under whatever name it has now. */
export class TailedFile {
  readonly key: string;
  readonly birth: string;
  readonly isGzip: boolean;
  path: string;
  /** Undefined only between admission and the first read, and after the end. */
  generation: FileGeneration | undefined;

  /** `here`: under a name that the patterns match. `away`: renamed or deleted; it is read on
   *  through the open descriptor until nothing comes any more. */
  presence: 'here' | 'away' = 'here';
  /** Away, and found under a name that the patterns do not match: it can be opened again. */
  isFoundAway = false;
  awaySinceMs = 0;
  /** Looks at the directories, one after another, in which it was not found. */
  missedLooks = 0;
  /** When it last brought bytes (monotonic). */
  activeMs = 0;
  /** Size when last looked at. */
  size: number;
  modifiedMs: number;
  /** It has, or may have, bytes to read. */
  isReady = true;
  /** It was seen smaller than what was read of it: it was truncated, whatever it holds now. */
  isCut = false;
  /** The reader has it in hand: it must stay open. */
  isBusy = false;
  /** An archive that ends early and may be in the making: it is tried again. */
  isPartial = false;
  /** It was empty when it was found: whether it is a copy shows with its first bytes. */
  isUnchecked = false;
  /** A gzip file that was read to its end, or that is damaged: nothing more will come. */
  isFinished = false;

  private descriptor = -1;
  private window: GzipWindow | undefined;
  private slowReadsLeft = 0;

  constructor(path: string, facts: FileFacts, isGzip: boolean) {
    this.path = path;
    this.key = facts.key;
    this.birth = facts.birth;
    this.size = facts.size;
    this.modifiedMs = facts.modifiedMs;
    this.isGzip = isGzip;
  }

  get isOpen(): boolean {
    return this.descriptor >= 0;
  }

  /** Opens the file by its path. Returns what the opened file is: the caller checks that it is
   *  the one meant. Throws the system's error. */
  open(): FileFacts {
    if (this.descriptor < 0) this.descriptor = openQuietly(this.path);
    return this.look();
  }

  /** What the file system says of the open file now. */
  look(): FileFacts {
    return factsOf(fstatSync(this.descriptor, { bigint: true }));
  }

  /** What stands under its name, if that is still this file. */
  lookByPath(): FileFacts | undefined {
    const stats = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    const facts = stats === undefined ? undefined : factsOf(stats);
    return facts?.key === this.key ? facts : undefined;
  }

  /** True when there are bytes at `position`. Cheaper than `look`. */
  hasByteAt(position: number): boolean {
    return readSync(this.descriptor, probe, 0, 1, position) === 1;
  }

  /** Reads up to `length` bytes at `position`; fewer only at the end of the file. Positions of
   *  a gzip file are those of its content. */
  read(bytes: Buffer, at: number, length: number, position: number): number | Promise<number> {
    if (this.isGzip) return this.content().read(bytes, at, length, position);
    if (this.slowReadsLeft > 0) {
      this.slowReadsLeft--;
      return readLater(this.descriptor, bytes, at, length, position);
    }
    return this.readSoon(bytes, at, length, position);
  }

  /** As `read`, of a file that is not slow. */
  readSoon(bytes: Buffer, at: number, length: number, position: number): number {
    const beganMs = performance.now();
    const count = readSync(this.descriptor, bytes, at, length, position);
    if (performance.now() - beganMs > slowReadMs) this.slowReadsLeft = asynchronousReads;
    return count;
  }

  /** Open, not known to be slow, and what it holds is what was read of it. */
  get isPlain(): boolean {
    if (this.isGzip || this.isCut || this.isUnchecked) return false;
    return this.descriptor >= 0 && this.slowReadsLeft === 0;
  }

  /** An archive that was inflated to its end: an unfinished line is finished. */
  get isArchiveRead(): boolean {
    return this.window?.isFinished ?? false;
  }

  /** Reads bytes of the file itself, now. */
  readNow(bytes: Buffer, length: number, position: number): number {
    return preadSync(this.descriptor, bytes, 0, length, position);
  }

  /** The inflated content of a gzip file. */
  content(): GzipWindow {
    this.window ??= new GzipWindow(this.descriptor);
    return this.window;
  }

  async close(): Promise<void> {
    const { window, descriptor } = this;
    this.window = undefined;
    this.descriptor = -1;
    await window?.close();
    if (descriptor >= 0) closeSync(descriptor);
  }
}

const probe = Buffer.alloc(1);

/** Opens a file so that reading it leaves no time of access behind: noting that costs as much as a
 *  small read, and writes to the disk. Linux allows it to the file's owner and to root. */
function openQuietly(path: string): number {
  const { O_RDONLY, O_NOATIME } = constants as { O_RDONLY: number; O_NOATIME?: number };
  if (O_NOATIME === undefined) return openSync(path, 'r');
  try {
    return openSync(path, O_RDONLY | O_NOATIME);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return openSync(path, 'r');
  }
}

function readLater(
  descriptor: number,
  bytes: Buffer,
  at: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, bytes, at, length, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
