import { join } from 'node:path';
import { isMissing, type FileSystem, type OpenFile } from './file_system.ts';

/** A range of a stored file that was not as written. */
export interface QuarantinedRange {
  /** The name of the file it was found in. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly reason: string;
  /** The chunk that is lost by it, where known. */
  readonly sequence?: number | undefined;
}

/** Default of the bytes that one store's quarantine keeps. */
export const quarantineBytesMax = 64 * 1024 * 1024;
const quarantineFilesMax = 1000;

/**
 * Copies of damaged ranges in `quarantine/`, one file each, named `FILE.START-END.bin`. The name is
 * also the memory that a range was reported, so a restart does not say it again. Beyond its limit
 * it keeps what it has and copies no more: the range is still counted by the caller.
 */
export class Quarantine {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #bytesMax: number;
  #names: Set<string> | undefined;
  #bytes = 0;

  constructor(fileSystem: FileSystem, directory: string, bytesMax = quarantineBytesMax) {
    this.#fileSystem = fileSystem;
    this.#directory = join(directory, 'quarantine');
    this.#bytesMax = bytesMax;
  }

  /** Names of the files kept so far, which start with the names of those they came from. */
  async names(): Promise<ReadonlySet<string>> {
    return this.#load();
  }

  /** Keeps a copy of a range. Returns false when this range was kept by an earlier call or run. */
  async keepRange(range: QuarantinedRange, source: OpenFile | undefined): Promise<boolean> {
    const names = await this.#load();
    const name = `${range.file}.${range.start}-${range.end}.bin`;
    if (names.has(name)) return false;
    names.add(name);
    if (names.size > quarantineFilesMax) return true;
    await this.#fileSystem.makeDirectory(this.#directory);
    const target = await this.#fileSystem.open(join(this.#directory, name), 'create');
    try {
      // Even without its bytes the file stands, as the note that the range is known.
      const bytes = Math.min(range.end - range.start, this.#bytesMax - this.#bytes);
      if (source && bytes > 0) {
        await copyRange(source, target, range.start, bytes);
        this.#bytes += bytes;
      }
      await target.sync();
    } finally {
      await target.close();
    }
    return true;
  }

  /** Moves a whole file out of the way. */
  async moveFile(path: string, name: string): Promise<void> {
    const names = await this.#load();
    await this.#fileSystem.makeDirectory(this.#directory);
    let target = name;
    for (let copy = 1; names.has(target); copy++) target = `${name}.${copy}`;
    await this.#fileSystem.rename(path, join(this.#directory, target));
    names.add(target);
  }

  async #load(): Promise<Set<string>> {
    if (this.#names) return this.#names;
    let names: string[] = [];
    try {
      names = await this.#fileSystem.list(this.#directory);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    for (const name of names) {
      const file = await this.#fileSystem.open(join(this.#directory, name), 'read');
      try {
        this.#bytes += await file.size();
      } finally {
        await file.close();
      }
    }
    this.#names = new Set(names);
    return this.#names;
  }
}

async function copyRange(
  source: OpenFile,
  target: OpenFile,
  start: number,
  bytes: number,
): Promise<void> {
  const part = Buffer.alloc(Math.min(bytes, 1 << 20));
  for (let done = 0; done < bytes; ) {
    const read = await source.read(part.subarray(0, bytes - done), start + done);
    if (read === 0) return;
    await target.write([part.subarray(0, read)], done);
    done += read;
  }
}
