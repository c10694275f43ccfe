import type { OpenFile } from './file_system.ts';
import { errorCodeOf } from './file_system.ts';
import {
  checksumOf,
  decodeRecordHead,
  decodeSegmentHeader,
  descriptionBytes,
  isDescriptionIntact,
  isRecordHeadIntact,
  type RecordHead,
  recordBytesOf,
  recordHeadBytes,
  recordMarker,
  type SegmentHeader,
  segmentHeaderBytes,
} from './segment.ts';

export interface ScannedRecord extends RecordHead {
  /** Where the record starts in its file. */
  readonly position: number;
  /** Its description, where it has one; else the whole header. */
  readonly header: Buffer;
}

export interface DamagedRange {
  readonly start: number;
  readonly end: number;
  readonly reason: 'segment_header' | 'record' | 'body';
  /** Known when only the body is damaged. */
  readonly sequence?: number;
}

export interface SegmentScan {
  readonly header: SegmentHeader | undefined;
  /** The identity of its records; undefined when neither header nor record is intact. */
  readonly identity: bigint | undefined;
  readonly records: ScannedRecord[];
  readonly damaged: DamagedRange[];
  /** Where an incomplete write at the end starts; the file's size when there is none. */
  readonly tornAt: number;
  readonly bytes: number;
}

export interface ScanOptions {
  /** What records must carry; undefined: what the header says, else the first intact record. */
  readonly identity?: bigint | undefined;
  /** Reads and checks all; otherwise bodies are not read, nor headers behind their descriptions,
   *  as long as nothing looks damaged. */
  readonly verifyBodies: boolean;
  /** Stops here although the file is longer. */
  readonly bytes?: number;
}

/**
 * Finds every intact record of a segment, whatever else the file holds. Damage never throws; after
 * it the scan goes on at the next marker that starts an intact record. An end counts as torn only
 * if no finished write can look so: under 48 bytes, an intact head whose body is cut, or all zero.
 */
export async function scanSegment(file: OpenFile, options: ScanOptions): Promise<SegmentScan> {
  const bytes = Math.min(await file.size(), options.bytes ?? Number.MAX_SAFE_INTEGER);
  if (!options.verifyBodies) {
    const header = await readSegmentHeader(file);
    const identity = options.identity ?? header?.identity;
    const described = header && (await describedRecords(file, bytes, identity));
    if (described) {
      return { header, identity, records: described, damaged: [], tornAt: bytes, bytes };
    }
  }
  const window = new FileWindow(file, bytes, options.verifyBodies ? 1 << 20 : 1 << 16);
  const header = decodeSegmentHeader(await window.at(0, segmentHeaderBytes));
  let identity = options.identity ?? header?.identity;
  const records: ScannedRecord[] = [];
  const damaged: DamagedRange[] = [];
  let damagedFrom = header ? -1 : 0;
  let position = Math.min(segmentHeaderBytes, bytes);
  let lastFound: RecordAttempt = { kind: 'invalid' };
  while (position < bytes) {
    const found = await recordAt(window, position, identity);
    if (found.kind !== 'record') {
      if (damagedFrom < 0) {
        damagedFrom = position;
        lastFound = found;
      }
      position = await nextMarker(window, position);
      continue;
    }
    const { record } = found;
    identity ??= record.identity;
    if (damagedFrom >= 0) damaged.push(rangeBefore(damagedFrom, position));
    damagedFrom = -1;
    const end = position + recordBytesOf(record.headerBytes, record.bodyBytes);
    if (options.verifyBodies && !(await isBodyIntact(window, record))) {
      damaged.push({ start: position, end, reason: 'body', sequence: record.sequence });
    } else {
      records.push(record);
    }
    position = end;
  }
  let tornAt = bytes;
  if (damagedFrom >= 0 && damagedFrom < bytes) {
    const minimum = damagedFrom === 0 ? segmentHeaderBytes : recordHeadBytes;
    const torn =
      bytes - damagedFrom < minimum ||
      (lastFound.kind === 'cut' && damagedFrom > 0) ||
      (await isZero(window, damagedFrom));
    if (torn) tornAt = damagedFrom;
    else damaged.push(rangeBefore(damagedFrom, bytes));
  }
  return { header, identity, records, damaged, tornAt, bytes };
}

/** Reads a segment's header alone; undefined when it is damaged. */
export async function readSegmentHeader(file: OpenFile): Promise<SegmentHeader | undefined> {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  await readAround(file, bytes, 0);
  return decodeSegmentHeader(bytes);
}

/** Reads one record in full; undefined when its bytes are not what was written. */
export async function readRecord(
  file: OpenFile,
  expected: Pick<RecordHead, 'identity' | 'sequence' | 'headerBytes' | 'bodyBytes'>,
  position: number,
  memory?: Buffer,
): Promise<{ header: Buffer; body: Buffer } | undefined> {
  const { headerBytes, bodyBytes } = expected;
  const bytes = Buffer.allocUnsafeSlow(recordHeadBytes + headerBytes);
  const hasRoom = memory !== undefined && memory.length >= bodyBytes;
  const body = hasRoom ? memory.subarray(0, bodyBytes) : Buffer.allocUnsafeSlow(bodyBytes);
  if ((await file.read(bytes, position)) < bytes.length) return undefined;
  if ((await file.read(body, position + bytes.length)) < bodyBytes) return undefined;
  const head = decodeRecordHead(bytes);
  if (
    head?.identity !== expected.identity ||
    head.sequence !== expected.sequence ||
    head.headerBytes !== headerBytes ||
    head.bodyBytes !== bodyBytes
  ) {
    return undefined;
  }
  const header = bytes.subarray(recordHeadBytes);
  if (!isRecordHeadIntact(bytes, header)) return undefined;
  return checksumOf([body]) === head.bodyChecksum ? { header, body } : undefined;
}

type RecordAttempt =
  | { readonly kind: 'record'; readonly record: ScannedRecord }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'cut' };

async function recordAt(
  window: FileWindow,
  position: number,
  identity: bigint | undefined,
): Promise<RecordAttempt> {
  const bytes = await window.at(position, recordHeadBytes);
  const head = decodeRecordHead(bytes);
  if (!head || (identity !== undefined && head.identity !== identity)) return { kind: 'invalid' };
  const headBytes = recordHeadBytes + head.headerBytes;
  if (position + headBytes > window.bytes) return { kind: 'invalid' };
  const whole = await window.at(position, headBytes);
  const header = whole.subarray(recordHeadBytes);
  if (!isRecordHeadIntact(whole, header)) return { kind: 'invalid' };
  if (position + headBytes + head.bodyBytes > window.bytes) return { kind: 'cut' };
  // The window's memory is used again: what outlives this call is copied.
  return {
    kind: 'record',
    record: { ...head, position, header: Buffer.from(keptOf(head, header)) },
  };
}

/** What outlives a scan of an intact header. */
function keptOf(head: RecordHead, header: Buffer): Buffer {
  if (head.descriptionChecksum === 0 || header.length < 4) return header;
  return header.subarray(0, descriptionBytes(header));
}

/** The records of a segment by their descriptions alone. Undefined when one has none, or when
 *  anything is not as it was written: then all has to be looked at. */
async function describedRecords(
  file: OpenFile,
  bytes: number,
  identity: bigint | undefined,
): Promise<ScannedRecord[] | undefined> {
  const records: ScannedRecord[] = [];
  const memory = Buffer.alloc(describedReadBytes);
  for (let position = segmentHeaderBytes; position < bytes; ) {
    const record = await describedRecordAt(file, position, memory);
    if (record === undefined || record.identity !== identity) return undefined;
    records.push(record);
    position += recordBytesOf(record.headerBytes, record.bodyBytes);
    if (position > bytes) return undefined;
  }
  return records;
}

/** Read at once at the beginning of a record: descriptions are mostly shorter. */
const describedReadBytes = 4096;

async function describedRecordAt(
  file: OpenFile,
  position: number,
  memory: Buffer,
): Promise<ScannedRecord | undefined> {
  try {
    const read = memory.subarray(0, await file.read(memory, position));
    const head = decodeRecordHead(read);
    if (head === undefined || head.descriptionChecksum === 0) return undefined;
    if (head.headerBytes < 4 || read.length < recordHeadBytes + 4) return undefined;
    const wanted = descriptionBytes(read.subarray(recordHeadBytes));
    if (wanted > head.headerBytes) return undefined;
    let description = read.subarray(recordHeadBytes, recordHeadBytes + wanted);
    if (description.length < wanted) {
      description = Buffer.alloc(wanted);
      if ((await file.read(description, position + recordHeadBytes)) < wanted) return undefined;
    }
    if (!isDescriptionIntact(read, description)) return undefined;
    return { ...head, position, header: Buffer.from(description) };
  } catch (error) {
    if (errorCodeOf(error) !== 'EIO') throw error;
    return undefined;
  }
}

async function isBodyIntact(window: FileWindow, record: ScannedRecord): Promise<boolean> {
  const start = record.position + recordHeadBytes + record.headerBytes;
  let checksum = 0;
  for (let done = 0; done < record.bodyBytes; ) {
    const part = await window.at(start + done, Math.min(window.size, record.bodyBytes - done));
    if (part.length === 0) return false;
    checksum = checksumOf([part], checksum);
    done += part.length;
  }
  return checksum === record.bodyChecksum;
}

/** The next place after `position` that holds a marker, or the end. */
async function nextMarker(window: FileWindow, position: number): Promise<number> {
  let start = position + 1;
  while (start < window.bytes) {
    const part = await window.at(start, Math.min(window.size, window.bytes - start));
    const found = part.indexOf(recordMarker);
    if (found >= 0) return start + found;
    if (start + part.length >= window.bytes) break;
    start += Math.max(1, part.length - (recordMarker.length - 1));
  }
  return window.bytes;
}

async function isZero(window: FileWindow, start: number): Promise<boolean> {
  for (let position = start; position < window.bytes; ) {
    const part = await window.at(position, Math.min(window.size, window.bytes - position));
    for (const byte of part) if (byte !== 0) return false;
    position += part.length;
  }
  return true;
}

function rangeBefore(start: number, end: number): DamagedRange {
  return { start, end, reason: start === 0 ? 'segment_header' : 'record' };
}

/** A stretch of a file in memory, moved along as a scan asks for it. */
class FileWindow {
  readonly bytes: number;
  readonly size: number;
  readonly #file: OpenFile;
  #memory: Buffer;
  #start = 0;
  #filled = 0;

  constructor(file: OpenFile, bytes: number, size: number) {
    this.#file = file;
    this.bytes = bytes;
    this.size = size;
    this.#memory = Buffer.alloc(Math.min(size, bytes));
  }

  /** Up to `length` bytes at `position`, fewer at the end; valid until the next call. */
  async at(position: number, length: number): Promise<Buffer> {
    length = Math.max(0, Math.min(length, this.bytes - position));
    if (position < this.#start || position + length > this.#start + this.#filled) {
      if (length > this.#memory.length) this.#memory = Buffer.alloc(length);
      const wanted = Math.min(this.#memory.length, this.bytes - position);
      await readAround(this.#file, this.#memory.subarray(0, wanted), position);
      this.#start = position;
      this.#filled = wanted;
    }
    const offset = position - this.#start;
    return this.#memory.subarray(offset, offset + length);
  }
}

/** Reads what can be read; an unreadable page becomes zeros, so that the scan sees it as damage. */
async function readAround(file: OpenFile, target: Buffer, position: number): Promise<void> {
  target.fill(0);
  try {
    await file.read(target, position);
    return;
  } catch (error) {
    if (errorCodeOf(error) !== 'EIO') throw error;
  }
  const pageBytes = 4096;
  for (let offset = 0; offset < target.length; offset += pageBytes) {
    const page = target.subarray(offset, offset + pageBytes);
    try {
      await file.read(page, position + offset);
    } catch (error) {
      if (errorCodeOf(error) !== 'EIO') throw error;
      page.fill(0);
    }
  }
}
