import { basename } from 'node:path';
import type { ChunkEntry } from './chunk_index.ts';
import type { FileSystem } from './file_system.ts';
import type { Quarantine, QuarantinedRange } from './quarantine.ts';
import { quarantineRange, withFile } from './recovery.ts';
import { recordBytesOf, recordHeadBytes } from './segment.ts';
import { readRecord } from './segment_scan.ts';
import type { StorageLog } from './storage_error.ts';

export interface ChunkReaderOptions {
  readonly fileSystem: FileSystem;
  readonly identity: bigint;
  readonly quarantine: Quarantine;
  readonly log: StorageLog;
  readonly onQuarantine: (range: QuarantinedRange) => void;
}

/** Reads single chunks. Each read opens the file anew: 50 µs a chunk, and no descriptor is kept. */
export class ChunkReader {
  readonly #options: ChunkReaderOptions;

  constructor(options: ChunkReaderOptions) {
    this.#options = options;
  }

  /** Undefined: its bytes are not what was written. Rejects with the system's error. The body is in
   *  `memory`, if that is given and large enough. */
  read(entry: ChunkEntry, memory?: Buffer): Promise<{ header: Buffer; body: Buffer } | undefined> {
    const { fileSystem, identity } = this.#options;
    const { segment, position } = entry;
    return withFile(fileSystem, segment.path, 'read', (file) =>
      readRecord(file, { ...entry, identity }, position, memory),
    );
  }

  /** The header of a chunk that is given up; empty when even that cannot be read. */
  async readHeader(entry: ChunkEntry): Promise<Buffer> {
    const header = Buffer.alloc(entry.headerBytes);
    try {
      const read = await withFile(this.#options.fileSystem, entry.segment.path, 'read', (file) =>
        file.read(header, entry.position + recordHeadBytes),
      );
      return read === header.length ? header : Buffer.alloc(0);
    } catch {
      return Buffer.alloc(0);
    }
  }

  /** Keeps a copy of a damaged chunk's bytes and tells about it. */
  async quarantine(entry: ChunkEntry): Promise<void> {
    const { segment, position: start, sequence } = entry;
    const end = start + recordBytesOf(entry.headerBytes, entry.bodyBytes);
    const range = { file: basename(segment.path), start, end, reason: 'body', sequence };
    // It is counted even if its file is gone and there is nothing to keep.
    const source = await this.#options.fileSystem.open(segment.path, 'read').catch(() => undefined);
    try {
      await quarantineRange(this.#options, range, source);
    } finally {
      await source?.close();
    }
  }
}
