import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { makeDirectories } from './make_directories.ts';

/** An open file. Positions and lengths are bytes; every method rejects with the system's error. */
export interface OpenFile {
  /** Fills `target` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all buffers one after the other from `position`. A rejection may leave a part written. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** Makes the content and length durable (fdatasync). After a rejection nothing unsynced is sure. */
  sync(): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** `read`: must exist. `write`: must exist, read and write. `create`: must not exist, read and write. */
export type OpenMode = 'read' | 'write' | 'create';

/**
 * All that durable storage asks of a disk, so that a model of one can stand in for it.
 * A created, renamed or removed name is durable only after `syncDirectory` of its directory.
 */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** Names in a directory, in no order. */
  list(directory: string): Promise<string[]>;
  /** Creates a directory and its parents; succeeds when it exists. */
  makeDirectory(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Replaces `to` when it exists, atomically. */
  rename(from: string, to: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

const fileMode = 0o600;
const directoryMode = 0o700;

/** The machine's own file system. Files are created 0600, directories 0700. */
export function nodeFileSystem(): FileSystem {
  return {
    open: async (path, mode) => new NodeFile(await open(path, openFlags(mode), fileMode)),
    list: (directory) => readdir(directory),
    makeDirectory: (path) => makeDirectories(path, directoryMode),
    remove: (path) => rm(path),
    rename: (from, to) => rename(from, to),
    syncDirectory,
  };
}

/** True when the error says that a path does not exist. */
export function isMissing(error: unknown): boolean {
  return errorCodeOf(error) === 'ENOENT';
}

/** The system's code of an error (`ENOSPC`, `EIO`, …), if it has one. */
export function errorCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function openFlags(mode: OpenMode): number {
  if (mode === 'read') return constants.O_RDONLY;
  if (mode === 'write') return constants.O_RDWR;
  return constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
}

async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directory; NTFS journals names by itself.
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class NodeFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const left = target.length - filled;
      const { bytesRead } = await this.#handle.read(target, filled, left, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let left: Uint8Array[] = buffers.filter((buffer) => buffer.length > 0);
    while (left.length > 0) {
      const { bytesWritten } = await this.#handle.writev(left, position);
      position += bytesWritten;
      left = withoutFirst(left, bytesWritten);
    }
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function withoutFirst(buffers: Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0;
  while (index < buffers.length && bytes >= buffers[index]!.length) {
    bytes -= buffers[index]!.length;
    index++;
  }
  const left = buffers.slice(index);
  if (left.length > 0 && bytes > 0) left[0] = left[0]!.subarray(bytes);
  return left;
}
