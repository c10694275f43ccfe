import { dirname, join } from 'node:path';
import { assert } from '../errors/sluice_error.ts';
import type { FileSystem, OpenFile } from './file_system.ts';
import {
  bytesOf,
  encodeRecordHead,
  encodeSegmentHeader,
  recordBytesOf,
  segmentFileName,
  segmentHeaderBytes,
} from './segment.ts';

/** A segment as the buffer keeps it in memory. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Bytes of the file, as far as they are known to be good. */
  bytes: number;
  /** Chunks in it that are not yet settled. */
  live: number;
  /** Nothing is appended any more. */
  sealed: boolean;
}

export interface WriteItem {
  readonly sequence: number;
  readonly createdMs: number;
  readonly header: Buffer;
  readonly body: readonly Uint8Array[];
}

export interface SegmentWriterOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly identity: bigint;
  readonly now: () => number;
  /** Headers begin with a description of themselves. */
  readonly headersDescribe?: boolean;
}

/** Appends records to one segment at a time. Its caller makes one call after the other. */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #segment: Segment | undefined;
  #file: OpenFile | undefined;
  #firstSequence = 0;
  #syncedBytes = 0;
  #nameSynced = false;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  get active(): Segment | undefined {
    return this.#segment;
  }

  /** Up to where the active segment is durable. */
  get syncedBytes(): number {
    return this.#syncedBytes;
  }

  get hasUnsynced(): boolean {
    return this.#segment !== undefined && this.#file !== undefined && !this.#isSynced();
  }

  /** Makes a new segment the active one. The file is created by the first write. */
  begin(number: number, firstSequence: number): Segment {
    assert(this.#segment === undefined, 'A segment began before the active one was sealed.');
    const path = join(this.#options.directory, segmentFileName(number));
    this.#segment = { number, path, bytes: segmentHeaderBytes, live: 0, sealed: false };
    this.#firstSequence = firstSequence;
    this.#syncedBytes = 0;
    this.#nameSynced = false;
    return this.#segment;
  }

  /** Writes records behind each other; returns where each one starts. Not durable before `sync`. */
  async write(items: readonly WriteItem[]): Promise<number[]> {
    const segment = this.#active();
    const { identity } = this.#options;
    const buffers: Uint8Array[] = [];
    const positions: number[] = [];
    let end = segment.bytes;
    for (const { sequence, createdMs, header, body } of items) {
      const fields = { identity, sequence, createdMs };
      const head = encodeRecordHead(fields, header, body, this.#options.headersDescribe);
      buffers.push(head, header, ...body);
      positions.push(end);
      end += recordBytesOf(header.length, bytesOf(body));
    }
    if (this.#file) {
      await this.#file.write(buffers, segment.bytes);
    } else {
      const { fileSystem, now } = this.#options;
      const firstSequence = this.#firstSequence;
      this.#file = await fileSystem.open(segment.path, 'create');
      buffers.unshift(encodeSegmentHeader({ identity, createdMs: now(), firstSequence }));
      await this.#file.write(buffers, 0);
    }
    segment.bytes = end;
    return positions;
  }

  /** Makes all that was written durable, the file's name included. */
  async sync(): Promise<void> {
    const segment = this.#active();
    if (!this.#file || this.#isSynced()) return;
    const bytes = segment.bytes;
    await this.#file.sync();
    if (!this.#nameSynced) await this.#options.fileSystem.syncDirectory(dirname(segment.path));
    this.#nameSynced = true;
    this.#syncedBytes = bytes;
  }

  /** Takes back a failed write. When the disk refuses even that, the segment is sealed. */
  async undoWrite(goodBytes: number): Promise<void> {
    const segment = this.#active();
    try {
      if (!this.#file || goodBytes <= segmentHeaderBytes) {
        await this.abandon(goodBytes);
        return;
      }
      await this.#file.truncate(goodBytes);
      segment.bytes = goodBytes;
    } catch {
      // Said by the caller, with the error of the write itself.
      await this.abandon(goodBytes);
    }
  }

  /**
   * Seals the active segment after a failure: what stands behind `goodBytes` is cut off as far as
   * the disk allows. After a failed sync the kernel may have dropped pages it calls clean, so
   * nothing is ever appended to that file again. Without a record it is left empty: its header may
   * be cut as well, and a part of one would pass for damage.
   */
  async abandon(recordsEnd: number): Promise<void> {
    const segment = this.#active();
    const goodBytes = recordsEnd > segmentHeaderBytes ? recordsEnd : 0;
    const file = this.#file;
    this.#segment = undefined;
    this.#file = undefined;
    segment.sealed = true;
    segment.bytes = goodBytes;
    if (!file) return;
    try {
      await file.truncate(goodBytes);
    } catch {
      segment.bytes = Math.max(goodBytes, await file.size().catch(() => goodBytes));
    }
    await closeQuietly(file);
  }

  /** Closes the active segment for good. The caller has synced it, if it wants that. */
  async seal(): Promise<void> {
    const segment = this.#active();
    const file = this.#file;
    segment.sealed = true;
    this.#segment = undefined;
    this.#file = undefined;
    if (file) await closeQuietly(file);
  }

  #active(): Segment {
    assert(this.#segment !== undefined, 'A segment was used before it began.');
    return this.#segment;
  }

  #isSynced(): boolean {
    return this.#nameSynced && this.#syncedBytes === this.#segment?.bytes;
  }
}

/** Closing tells nothing that the sync before it has not. */
async function closeQuietly(file: OpenFile): Promise<void> {
  await file.close().catch(() => undefined);
}
