/**
 * The bytes of `removed.log`: which letters were replayed or discarded. Entries of 32 bytes,
 * little-endian: file number (8), position of the letter in it (8), the first 12 bytes of its id,
 * CRC-32 of those 28. A damaged entry brings its letter back, and nothing else.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readWholeFile, replaceFile } from '../buffer/atomic_file.ts';
import { type FileSystem, isMissing } from '../buffer/file_system.ts';
import type { DeadLetterReference } from './dead_letter.ts';

export const removalLogName = 'removed.log';
const entryBytes = 32;
const idBytes = 12;
const readBytesMax = 256 * 1024 * 1024;

/** Which letters are gone, by file number and position. */
export class RemovedLetters {
  readonly #files = new Map<number, Map<number, string>>();

  has(file: number, position: number, id: string): boolean {
    return this.#files.get(file)?.get(position) === idPrefixOf(id);
  }

  add(reference: DeadLetterReference): void {
    let positions = this.#files.get(reference.file);
    if (!positions) {
      positions = new Map();
      this.#files.set(reference.file, positions);
    }
    positions.set(reference.position, idPrefixOf(reference.id));
  }

  forget(file: number): void {
    this.#files.delete(file);
  }

  get count(): number {
    let count = 0;
    for (const positions of this.#files.values()) count += positions.size;
    return count;
  }

  fileNumbers(): number[] {
    return [...this.#files.keys()];
  }

  /** The end of what is removed in a file; nothing new may be written before it. */
  endIn(file: number): number {
    let end = 0;
    for (const position of this.#files.get(file)?.keys() ?? []) end = Math.max(end, position + 1);
    return end;
  }

  *references(): Iterable<DeadLetterReference> {
    for (const [file, positions] of this.#files) {
      for (const [position, id] of positions) yield { file, position, id };
    }
  }
}

/** Reads the log; damaged entries are left out. */
export async function readRemovals(
  fileSystem: FileSystem,
  directory: string,
): Promise<RemovedLetters> {
  const removed = new RemovedLetters();
  const content = await readWholeFile(fileSystem, join(directory, removalLogName), readBytesMax);
  for (let at = 0; content && at + entryBytes <= content.length; at += entryBytes) {
    const entry = content.subarray(at, at + entryBytes);
    if (entry.readUInt32LE(28) !== crc32(entry.subarray(0, 28))) continue;
    removed.add({
      file: Number(entry.readBigUInt64LE(0)),
      position: Number(entry.readBigUInt64LE(8)),
      id: entry.toString('hex', 16, 28),
    });
  }
  return removed;
}

/** Appends entries durably. */
export async function appendRemovals(
  fileSystem: FileSystem,
  directory: string,
  references: readonly DeadLetterReference[],
): Promise<void> {
  const path = join(directory, removalLogName);
  const entries = references.map(encodeEntry);
  let file: Awaited<ReturnType<FileSystem['open']>>;
  try {
    file = await fileSystem.open(path, 'write');
  } catch (error) {
    if (!isMissing(error)) throw error;
    await replaceFile(fileSystem, path, entries);
    return;
  }
  try {
    const end = await file.size();
    await file.write(entries, end - (end % entryBytes));
    await file.sync();
  } finally {
    await file.close();
  }
  // The file's name may be in doubt still, when the call that made it failed at this.
  await fileSystem.syncDirectory(directory);
}

/** Writes the log anew, without the entries of files that are gone. */
export async function rewriteRemovals(
  fileSystem: FileSystem,
  directory: string,
  removed: RemovedLetters,
): Promise<void> {
  const entries = [...removed.references()].map(encodeEntry);
  await replaceFile(fileSystem, join(directory, removalLogName), entries);
}

function encodeEntry(reference: DeadLetterReference): Buffer {
  const entry = Buffer.alloc(entryBytes);
  entry.writeBigUInt64LE(BigInt(reference.file), 0);
  entry.writeBigUInt64LE(BigInt(reference.position), 8);
  entry.write(idPrefixOf(reference.id), 16, 'hex');
  entry.writeUInt32LE(crc32(entry.subarray(0, 28)), 28);
  return entry;
}

function idPrefixOf(id: string): string {
  return id.slice(0, 2 * idBytes);
}
