import assert from 'node:assert/strict';
import { scanSegment } from '../../core/buffer/segment_scan.ts';
import {
  checksumOf,
  decodeRecordHead,
  descriptionBytes,
  encodeRecordHead,
  encodeSegmentHeader,
  recordHeadBytes,
  recordMarker,
  segmentHeaderBytes,
} from '../../core/buffer/segment.ts';
import { SluiceError } from '../../core/errors/sluice_error.ts';
import {
  bufferDirectory,
  openInMemory,
  type QuarantinedRange,
} from '../unit/buffer/buffer_fixture.ts';
import { MemoryFileSystem } from '../unit/buffer/memory_file_system.ts';
import type { FuzzTarget } from './targets.ts';

const identity = 0x1122334455667788n;
const path = `${bufferDirectory}/00000001.seg`;

/** What was stored: headers and bodies. */
const stored = new Set<string>();

/** A record as the buffer writes it, with a description in its header or without. */
function recordOf(sequence: number, bodyLength: number, isDescribed: boolean): Buffer {
  const name = Buffer.from(`  chunk ${sequence}`);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(name.length);
  const header = isDescribed ? Buffer.concat([length, name, Buffer.alloc(40, 7)]) : name;
  const body = Buffer.from(`body ${sequence} SLRC `.padEnd(bodyLength, `${sequence}\0`));
  stored.add(Buffer.concat([header, body]).toString('latin1'));
  const fields = { identity, sequence, createdMs: 1_000_000 };
  return Buffer.concat([encodeRecordHead(fields, header, [body], isDescribed), header, body]);
}

function segmentOf(first: number, lengths: readonly number[], isDescribed: boolean): string {
  const header = encodeSegmentHeader({ identity, createdMs: 1_000_000, firstSequence: first });
  const records = lengths.map((length, i) => recordOf(first + i, length, isDescribed));
  return Buffer.concat([header, ...records]).toString('latin1');
}

/**
 * Hostile segments, a character for a byte. Once as they are: the store opens, and gives back only
 * what was stored. Once more with the checksums of all that looks like a record made right, so
 * that lengths, numbers and descriptions are hostile too. A second start finds nothing new.
 */
export function segments(): FuzzTarget {
  return {
    corpus: [
      segmentOf(1, [80, 0, 300, 12, 64, 700], false),
      segmentOf(1, [80, 5, 300, 12, 64, 700, 90, 33], true),
      segmentOf(40, [1500, 20], true),
    ],
    pieces: [
      recordOf(3, 30, false).toString('latin1'),
      recordOf(9, 30, true).toString('latin1'),
      recordOf(9, 30, true).toString('latin1', 0, recordHeadBytes),
      ...['\0'.repeat(64), '\0'.repeat(3), '\xff\xff\xff\xff', '\xff\xff\xff\x7f'],
      ...['SLRC', 'SLUICEBF\x01\0\0\0', '\0\0\0\x04', '\x01\0\0\0', '\x00\x00\x00\x80'],
    ],
    edge: 'SLRC',
    take: async (text) => {
      const bytes = Buffer.from(text, 'latin1');
      await open(bytes, true);
      const sealed = withChecksums(bytes);
      if (!sealed.equals(bytes)) await open(sealed, false);
    },
  };
}

async function open(bytes: Buffer, isUntouched: boolean): Promise<void> {
  for (const headersDescribe of [true, false]) {
    const disk = new MemoryFileSystem();
    const file = await disk.open(path, 'create');
    await file.write([bytes], 0);
    await scansCover(disk);
    const told: QuarantinedRange[] = [];
    const onQuarantine = (range: QuarantinedRange) => told.push(range);
    const buffer = await openInMemory(disk, { headersDescribe, onQuarantine });
    for (const { start, end } of told) assert.ok(start < end && end <= bytes.length);
    const seen = new Set<number>();
    const found: string[] = [];
    for (const sequence of buffer.pendingSequences()) {
      assert.ok(!seen.has(sequence), 'a chunk comes twice');
      seen.add(sequence);
      const chunk = await buffer.read(sequence).catch((error: unknown) => {
        assert.ok(error instanceof SluiceError, String(error));
      });
      if (chunk) found.push(Buffer.concat([chunk.header, chunk.body]).toString('latin1'));
    }
    if (isUntouched) for (const one of found) assert.ok(stored.has(one), 'it was never stored');
    await startsAgain(disk, found.length, headersDescribe);
  }
}

/** Records and damaged ranges lie in the file, one behind the other, and leave nothing out. */
async function scansCover(disk: MemoryFileSystem): Promise<void> {
  const file = await disk.open(path, 'read');
  for (const verifyBodies of [true, false]) {
    const scan = await scanSegment(file, { verifyBodies });
    const ranges = [
      ...scan.records.map(({ position, headerBytes, bodyBytes }) => {
        return { start: position, end: position + recordHeadBytes + headerBytes + bodyBytes };
      }),
      ...scan.damaged,
    ].sort((a, b) => a.start - b.start);
    let at = ranges[0]?.start === 0 ? 0 : Math.min(segmentHeaderBytes, scan.tornAt);
    for (const { start, end } of ranges) {
      assert.ok(start === at && end > start, `a hole at ${at}`);
      at = end;
    }
    assert.equal(at, scan.tornAt, 'a hole at the end');
  }
}

async function startsAgain(
  disk: MemoryFileSystem,
  chunks: number,
  headersDescribe: boolean,
): Promise<void> {
  const again = await openInMemory(disk.copy(), { headersDescribe });
  let found = 0;
  for (const sequence of again.pendingSequences()) {
    if ((await again.read(sequence).catch(() => undefined)) !== undefined) found++;
  }
  assert.equal(found, chunks, 'a second start finds others');
  const outcome = await again.append(Buffer.from('\0\0\0\0new'), Buffer.from('new'));
  assert.equal(outcome.kind, 'stored');
  await again.close();
}

/** Makes the checksums right of all that looks like a segment's header or a record. */
function withChecksums(bytes: Buffer): Buffer {
  const sealed = Buffer.from(bytes);
  if (sealed.length >= segmentHeaderBytes) {
    const parts = [sealed.subarray(0, 12), sealed.subarray(16, segmentHeaderBytes)];
    sealed.writeUInt32LE(checksumOf(parts), 12);
  }
  for (let at = sealed.indexOf(recordMarker); at >= 0; at = sealed.indexOf(recordMarker, at + 4)) {
    const head = sealed.subarray(at, at + recordHeadBytes);
    const fields = decodeRecordHead(head);
    if (fields === undefined) continue;
    const bodyAt = at + recordHeadBytes + fields.headerBytes;
    if (bodyAt + fields.bodyBytes > sealed.length) continue;
    const header = sealed.subarray(at + recordHeadBytes, bodyAt);
    head.writeUInt32LE(checksumOf([sealed.subarray(bodyAt, bodyAt + fields.bodyBytes)]), 40);
    if (fields.descriptionChecksum !== 0 && header.length >= 4) {
      const description = header.subarray(0, descriptionBytes(header));
      head.writeUInt32LE(checksumOf([head.subarray(8, 44), description]), 44);
    }
    head.writeUInt32LE(checksumOf([head.subarray(8), header]), 4);
  }
  return sealed;
}
