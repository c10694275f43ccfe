/**
 * The bytes of a segment file, version 1. All numbers are little-endian; checksums are CRC-32
 * (IEEE, as in zlib). `docs/formats/segment.md` shows an example.
 *
 *     segment = header (64 bytes), record*
 *
 *     header   0  8  magic "SLUICEBF"
 *              8  4  version, 1
 *             12  4  checksum of bytes 0–11 and 16–63
 *             16  8  identity: 64 random bits, the same in every segment of one buffer
 *             24  8  created, milliseconds since the epoch
 *             32  8  sequence number of the first record
 *             40 24  zero
 *
 *     record   0  4  marker "SLRC"
 *              4  4  checksum of bytes 8–47 and of the chunk header
 *              8  8  identity, as in the segment's header
 *             16  8  sequence number
 *             24  8  created, milliseconds since the epoch
 *             32  4  length of the chunk header, H
 *             36  4  length of the body, B
 *             40  4  checksum of the body
 *             44  4  checksum of bytes 8–43 and of the description; zero when there is none
 *             48  H  chunk header, opaque here
 *           48+H  B  body, opaque here
 *
 * Invariants: sequence numbers never repeat within a buffer, except that a record whose sync failed
 * may stand again, with equal content, in a later segment. The identity stands in every record so
 * that a log line that quotes a segment cannot pass for a record when a reader looks for the next
 * intact one after damage.
 *
 * A chunk header may begin with a description of itself: its length L as 4 bytes, then L bytes. The
 * description is the first 4+L bytes. It has a checksum of its own, and so has the body, so that a
 * start reads heads and descriptions alone, however large the rest of the headers is.
 */
import { crc32 } from 'node:zlib';

export const segmentHeaderBytes = 64;
export const recordHeadBytes = 48;
export const segmentVersion = 1;

/** Largest chunk header and body that a record holds; a length beyond them is damage. */
export const chunkHeaderBytesMax = 64 * 1024 * 1024;
export const chunkBodyBytesMax = 1024 * 1024 * 1024;

/** Largest sequence number; it is reached in thousands of years, and what says more is damage. */
const sequenceMax = 2 ** 50;

export const recordMarker = Buffer.from('SLRC', 'latin1');
const segmentMagic = Buffer.from('SLUICEBF', 'latin1');
const recordMarkerNumber = recordMarker.readUInt32LE(0);
const segmentName = /^(\d{8,15})\.seg$/;

export interface SegmentHeader {
  readonly version: number;
  readonly identity: bigint;
  readonly createdMs: number;
  readonly firstSequence: number;
}

export interface RecordHead {
  readonly identity: bigint;
  readonly sequence: number;
  readonly createdMs: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  readonly bodyChecksum: number;
  /** 0: the header has no description. */
  readonly descriptionChecksum: number;
}

/** The file name of a segment, `00000001.seg`. */
export function segmentFileName(number: number): string {
  return `${String(number).padStart(8, '0')}.seg`;
}

/** The number in a segment's file name; undefined for any other name. */
export function segmentNumberOf(name: string): number | undefined {
  const match = segmentName.exec(name);
  return match ? Number(match[1]) : undefined;
}

export function encodeSegmentHeader(header: Omit<SegmentHeader, 'version'>): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  segmentMagic.copy(bytes, 0);
  bytes.writeUInt32LE(segmentVersion, 8);
  bytes.writeBigUInt64LE(header.identity, 16);
  bytes.writeBigUInt64LE(BigInt(header.createdMs), 24);
  bytes.writeBigUInt64LE(BigInt(header.firstSequence), 32);
  bytes.writeUInt32LE(segmentHeaderChecksum(bytes), 12);
  return bytes;
}

/** Reads a segment's header; undefined when it is short or damaged. Any version is returned. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderBytes) return undefined;
  if (!bytes.subarray(0, 8).equals(segmentMagic)) return undefined;
  if (bytes.readUInt32LE(12) !== segmentHeaderChecksum(bytes)) return undefined;
  const firstSequence = Number(bytes.readBigUInt64LE(32));
  if (firstSequence > sequenceMax) return undefined;
  return {
    version: bytes.readUInt32LE(8),
    identity: bytes.readBigUInt64LE(16),
    createdMs: Number(bytes.readBigUInt64LE(24)),
    firstSequence,
  };
}

/** Encodes a record's first 48 bytes. `header` is needed for its checksums only; `isDescribed`: it
 *  begins with a description of itself. */
export function encodeRecordHead(
  fields: Pick<RecordHead, 'identity' | 'sequence' | 'createdMs'>,
  header: Buffer,
  body: readonly Uint8Array[],
  isDescribed = false,
): Buffer {
  const bytes = Buffer.alloc(recordHeadBytes);
  recordMarker.copy(bytes, 0);
  bytes.writeBigUInt64LE(fields.identity, 8);
  bytes.writeBigUInt64LE(BigInt(fields.sequence), 16);
  bytes.writeBigUInt64LE(BigInt(fields.createdMs), 24);
  bytes.writeUInt32LE(header.length, 32);
  bytes.writeUInt32LE(bytesOf(body), 36);
  bytes.writeUInt32LE(checksumOf(body), 40);
  if (isDescribed) {
    const description = header.subarray(0, descriptionBytes(header));
    bytes.writeUInt32LE(descriptionChecksum(bytes, description), 44);
  }
  bytes.writeUInt32LE(recordHeadChecksum(bytes, header), 4);
  return bytes;
}

/** Reads a record's first 48 bytes; undefined when they cannot be one. The checksum is not checked. */
export function decodeRecordHead(bytes: Buffer): RecordHead | undefined {
  if (bytes.length < recordHeadBytes || bytes.readUInt32LE(0) !== recordMarkerNumber) {
    return undefined;
  }
  const headerBytes = bytes.readUInt32LE(32);
  const bodyBytes = bytes.readUInt32LE(36);
  if (headerBytes > chunkHeaderBytesMax || bodyBytes > chunkBodyBytesMax) return undefined;
  const sequence = Number(bytes.readBigUInt64LE(16));
  if (sequence > sequenceMax) return undefined;
  return {
    identity: bytes.readBigUInt64LE(8),
    sequence,
    createdMs: Number(bytes.readBigUInt64LE(24)),
    headerBytes,
    bodyBytes,
    bodyChecksum: bytes.readUInt32LE(40),
    descriptionChecksum: bytes.readUInt32LE(44),
  };
}

/** True when a record's head and its chunk header are as they were written. */
export function isRecordHeadIntact(head: Buffer, header: Uint8Array): boolean {
  return head.readUInt32LE(4) === recordHeadChecksum(head, header);
}

/** Length of a header's description, by the header's first four bytes. */
export function descriptionBytes(header: Buffer): number {
  return 4 + header.readUInt32LE(0);
}

/** True when what a record's head and its header's description say is as it was written. */
export function isDescriptionIntact(head: Buffer, description: Buffer): boolean {
  return head.readUInt32LE(44) === descriptionChecksum(head, description);
}

/** Length of a whole record. */
export function recordBytesOf(headerBytes: number, bodyBytes: number): number {
  return recordHeadBytes + headerBytes + bodyBytes;
}

/** CRC-32 of several buffers, as if they were one; `checksum` is that of what stands before. */
export function checksumOf(buffers: readonly Uint8Array[], checksum = 0): number {
  for (const buffer of buffers) checksum = crc32(buffer, checksum);
  return checksum;
}

export function bytesOf(buffers: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const buffer of buffers) bytes += buffer.length;
  return bytes;
}

function segmentHeaderChecksum(bytes: Buffer): number {
  return checksumOf([bytes.subarray(0, 12), bytes.subarray(16, segmentHeaderBytes)]);
}

function recordHeadChecksum(head: Buffer, header: Uint8Array): number {
  return checksumOf([head.subarray(8, recordHeadBytes), header]);
}

function descriptionChecksum(head: Buffer, description: Buffer): number {
  return checksumOf([head.subarray(8, 44), description]);
}

const segmentBytesDefault = 64 * 1024 * 1024;
const segmentBytesMin = 4096;

/** Size at which a segment is closed: at most an eighth of the limit, which frees whole segments. */
export function segmentSize(wanted = segmentBytesDefault, limitBytes: number): number {
  return Math.min(wanted, Math.max(segmentBytesMin, Math.floor(limitBytes / 8)));
}
