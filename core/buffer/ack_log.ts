/**
 * The bytes of `acks.log`, version 1: which chunks of a buffer are settled. Little-endian, CRC-32.
 *
 *     header   0  8  magic "SLUICEAK"
 *              8  4  version, 1
 *             12  4  checksum of bytes 0–11 and 16–31
 *             16  8  identity, as in the segments
 *             24  8  floor: every sequence number below it is settled
 *     entry    0  8  first sequence number
 *              8  4  count
 *             12  4  checksum of the identity and of bytes 0–11
 *
 * Entries have one size, so a damaged one costs only itself: its chunks are delivered again. The
 * file is only appended to; when it grows past its limit it is replaced atomically by a short one.
 */
import { join } from 'node:path';
import { readWholeFile, replaceFile } from './atomic_file.ts';
import type { FileSystem, OpenFile } from './file_system.ts';
import { checksumOf } from './segment.ts';

/** Sequence numbers from `first` to `last`, both included. */
export interface SequenceRange {
  first: number;
  last: number;
}

export interface AckState {
  readonly identity: bigint | undefined;
  readonly floor: number;
  readonly ranges: readonly SequenceRange[];
  /** Where the next entry goes; 0 when the file must be written anew. */
  readonly bytes: number;
  readonly damagedEntries: number;
}

export const ackLogName = 'acks.log';
const headerBytes = 32;
const entryBytes = 16;
const magic = Buffer.from('SLUICEAK', 'latin1');
const version = 1;
/** Beyond it the file is written anew. */
const rewriteBytes = 256 * 1024;
const readBytesMax = 64 * 1024 * 1024;

/** Reads which chunks are settled. Damage never throws. `identity` is what the segments say. */
export async function readAckLog(
  fileSystem: FileSystem,
  directory: string,
  identity: bigint | undefined,
): Promise<AckState> {
  const content = await readWholeFile(fileSystem, join(directory, ackLogName), readBytesMax);
  if (!content) return { identity: undefined, floor: 0, ranges: [], bytes: 0, damagedEntries: 0 };
  const header = decodeHeader(content);
  const foreign = header && identity !== undefined && header.identity !== identity;
  const usable = header && !foreign;
  const effective = identity ?? header?.identity;
  const ranges: SequenceRange[] = [];
  let damagedEntries = usable ? 0 : 1;
  if (effective !== undefined) {
    for (let at = headerBytes; at + entryBytes <= content.length; at += entryBytes) {
      const range = decodeEntry(content.subarray(at, at + entryBytes), effective);
      if (range) ranges.push(range);
      else damagedEntries++;
    }
  }
  const entries = Math.max(0, Math.floor((content.length - headerBytes) / entryBytes));
  const appendable = usable && damagedEntries === 0;
  return {
    identity: header?.identity,
    floor: usable ? header.floor : 0,
    ranges: mergeRanges(ranges),
    bytes: appendable ? headerBytes + entries * entryBytes : 0,
    damagedEntries,
  };
}

/** Collects settled sequence numbers and writes them in batches. One writer at a time. */
export class AckLog {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #identity: bigint;
  #waiting: SequenceRange[] = [];
  #file: OpenFile | undefined;
  #bytes: number;
  #limitBytes = rewriteBytes;

  constructor(fileSystem: FileSystem, directory: string, identity: bigint, bytes: number) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#identity = identity;
    this.#bytes = bytes;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(sequence: number): void {
    const last = this.#waiting.at(-1);
    if (last && last.last + 1 === sequence) last.last = sequence;
    else this.#waiting.push({ first: sequence, last: sequence });
  }

  /**
   * Writes what waits. `settled` gives the whole state as of this call, for when the file is
   * written anew. After a rejection nothing is forgotten: the next flush writes it.
   */
  async flush(
    settled: () => { floor: number; ranges: SequenceRange[] },
    sync: boolean,
  ): Promise<void> {
    if (this.#waiting.length === 0) return;
    const written = mergeRanges(this.#waiting);
    const added = written.length * entryBytes;
    if (this.#bytes === 0 || this.#bytes + added > this.#limitBytes) {
      this.#waiting = [];
      await this.#orKeep(written, () => this.#rewrite(settled()));
      return;
    }
    this.#waiting = [];
    await this.#orKeep(written, async () => {
      this.#file ??= await this.#fileSystem.open(join(this.#directory, ackLogName), 'write');
      const entries = written.map((range) => encodeEntry(range, this.#identity));
      await this.#file.write(entries, this.#bytes);
      if (sync) await this.#file.sync();
      this.#bytes += added;
    });
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #orKeep(written: SequenceRange[], write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#waiting = mergeRanges([...written, ...this.#waiting]);
      // What the file holds after a failed write or sync is unknown: the next flush replaces it.
      this.#bytes = 0;
      throw error;
    }
  }

  async #rewrite(state: { floor: number; ranges: SequenceRange[] }): Promise<void> {
    await this.close();
    const entries = state.ranges.map((range) => encodeEntry(range, this.#identity));
    await replaceFile(this.#fileSystem, join(this.#directory, ackLogName), [
      encodeHeader(this.#identity, state.floor),
      ...entries,
    ]);
    this.#bytes = headerBytes + entries.length * entryBytes;
    this.#limitBytes = Math.max(rewriteBytes, 2 * this.#bytes);
  }
}

/** Sorts ranges and joins those that touch. */
export function mergeRanges(ranges: readonly SequenceRange[]): SequenceRange[] {
  const merged: SequenceRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = merged.at(-1);
    if (last && range.first <= last.last + 1) last.last = Math.max(last.last, range.last);
    else merged.push({ ...range });
  }
  return merged;
}

/** True when merged `ranges` hold `sequence`. */
export function rangesHold(ranges: readonly SequenceRange[], sequence: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle]!;
    if (sequence < range.first) high = middle - 1;
    else if (sequence > range.last) low = middle + 1;
    else return true;
  }
  return false;
}

function encodeHeader(identity: bigint, floor: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(version, 8);
  bytes.writeBigUInt64LE(identity, 16);
  bytes.writeBigUInt64LE(BigInt(floor), 24);
  bytes.writeUInt32LE(checksumOf([bytes.subarray(0, 12), bytes.subarray(16)]), 12);
  return bytes;
}

function decodeHeader(content: Buffer): { identity: bigint; floor: number } | undefined {
  if (content.length < headerBytes || !content.subarray(0, 8).equals(magic)) return undefined;
  const checksum = checksumOf([content.subarray(0, 12), content.subarray(16, headerBytes)]);
  if (content.readUInt32LE(12) !== checksum || content.readUInt32LE(8) !== version)
    return undefined;
  return { identity: content.readBigUInt64LE(16), floor: Number(content.readBigUInt64LE(24)) };
}

function encodeEntry(range: SequenceRange, identity: bigint): Buffer {
  const bytes = Buffer.alloc(entryBytes);
  bytes.writeBigUInt64LE(BigInt(range.first), 0);
  bytes.writeUInt32LE(range.last - range.first + 1, 8);
  bytes.writeUInt32LE(entryChecksum(bytes, identity), 12);
  return bytes;
}

function decodeEntry(bytes: Buffer, identity: bigint): SequenceRange | undefined {
  if (bytes.readUInt32LE(12) !== entryChecksum(bytes, identity)) return undefined;
  const first = Number(bytes.readBigUInt64LE(0));
  const count = bytes.readUInt32LE(8);
  return count === 0 ? undefined : { first, last: first + count - 1 };
}

function entryChecksum(bytes: Buffer, identity: bigint): number {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(identity);
  return checksumOf([prefix, bytes.subarray(0, 12)]);
}
