import { crc32 } from 'node:zlib';

/** Layout of a file ([MS-EVEN6] has none; the format is that of Windows Vista and later): a header
 *  block of 4 KiB, then chunks of 64 KiB. A chunk: 128 bytes of header, tables of common strings
 *  and templates up to 512, then records, each `2a 2a 00 00`, size, id, time, binary XML, size. */
export const fileHeaderBytes = 4096;
export const chunkBytes = 65536;
export const chunkHeaderBytes = 512;
export const recordHeaderBytes = 24;

const recordMagic = 0x00002a2a;
const dirtyFlag = 1;

export interface FileHeader {
  /** The file was not closed: the header and the last chunk may be behind. */
  readonly isDirty: boolean;
  readonly headerBlockBytes: number;
}

/** Reads a file's header; undefined where the bytes are none. A wrong checksum is let pass: the
 *  chunks say all that matters. */
export function readFileHeader(bytes: Buffer): FileHeader | undefined {
  if (bytes.length < 128 || bytes.toString('latin1', 0, 8) !== 'ElfFile\0') return undefined;
  const block = bytes.readUInt16LE(40);
  return {
    isDirty: (bytes.readUInt32LE(120) & dirtyFlag) !== 0,
    headerBlockBytes: block >= 128 ? block : fileHeaderBytes,
  };
}

export interface ChunkHeader {
  /** Id of the first record; the chunks of a log are in its order. */
  readonly firstId: number;
  readonly lastId: number;
  /** Where the records end. */
  readonly freeSpace: number;
  /** The header's own checksum is right. */
  readonly isIntact: boolean;
}

/** Whether a chunk's mark stands at the beginning. */
export function isChunk(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 8) === 'ElfChnk\0';
}

/** Reads the first 512 bytes of a chunk; undefined where there is no chunk. */
export function readChunkHeader(bytes: Buffer, length: number): ChunkHeader | undefined {
  if (length < chunkHeaderBytes || !isChunk(bytes)) return undefined;
  const head = crc32(bytes.subarray(0, 120));
  const checksum = crc32(bytes.subarray(128, chunkHeaderBytes), head);
  const freeSpace = bytes.readUInt32LE(48);
  return {
    firstId: recordIdAt(bytes, 24),
    lastId: recordIdAt(bytes, 32),
    freeSpace,
    isIntact:
      checksum === bytes.readUInt32LE(124) &&
      freeSpace >= chunkHeaderBytes &&
      freeSpace <= chunkBytes,
  };
}

/** Whether the checksum over a whole chunk's records is right. */
export function areRecordsIntact(bytes: Buffer, header: ChunkHeader): boolean {
  return crc32(bytes.subarray(chunkHeaderBytes, header.freeSpace)) === bytes.readUInt32LE(52);
}

/** Size of the record at `at`, or 0 where none stands that ends within `end`: the magic number and
 *  both sizes must be right. */
export function recordSizeAt(bytes: Buffer, at: number, end: number): number {
  // hot path
  if (at + recordHeaderBytes + 4 > end || bytes.readUInt32LE(at) !== recordMagic) return 0;
  const size = bytes.readUInt32LE(at + 4);
  if (size < recordHeaderBytes + 4 || size > end - at) return 0;
  return bytes.readUInt32LE(at + size - 4) === size ? size : 0;
}

/** The next place from `at` on where a whole record stands, or -1. Records are aligned to 8. */
export function findRecord(bytes: Buffer, at: number, end: number): number {
  for (let place = (at + 7) & ~7; place + recordHeaderBytes < end; place += 8) {
    if (bytes[place] === 0x2a && recordSizeAt(bytes, place, end) > 0) return place;
  }
  return -1;
}

/** A record id as a number. Ids beyond 2^53 are not met in logs; they count as 0. */
export function recordIdAt(bytes: Buffer, at: number): number {
  const id = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
  return Number.isSafeInteger(id) ? id : 0;
}
