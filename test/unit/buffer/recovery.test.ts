import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { QuarantinedRange } from '../../../core/buffer/quarantine.ts';
import { checksumOf, encodeRecordHead, encodeSegmentHeader } from '../../../core/buffer/segment.ts';
import { inspectDiskBuffer } from '../../../core/buffer/verify.ts';
import {
  appendText,
  bufferDirectory,
  intactTexts,
  type LogLine,
  openInMemory,
  recordingLog,
  segmentPaths,
  texts,
} from './buffer_fixture.ts';
import { MemoryFileSystem, systemError } from './memory_file_system.ts';

const chunkTexts = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(600));

/** One segment of about 7 KiB with five chunks. */
async function smallBuffer(): Promise<MemoryFileSystem> {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem);
  for (const text of chunkTexts) {
    await buffer.append(Buffer.from(text.slice(0, 200)), Buffer.from(text));
  }
  await buffer.close();
  return fileSystem;
}

function onlySegment(fileSystem: MemoryFileSystem): string {
  const paths = segmentPaths(fileSystem);
  assert.equal(paths.length, 1);
  return paths[0]!;
}

test('any single flipped byte loses at most one chunk, and is noticed', async () => {
  const original = await smallBuffer();
  const path = onlySegment(original);
  for (let at = 0; at < original.bytes(path).length; at++) {
    const fileSystem = original.copy();
    fileSystem.bytes(path)[at]! ^= 0x41;
    const buffer = await openInMemory(fileSystem);
    const found = await intactTexts(buffer);
    assert.ok(found.length >= 4, `byte ${at}: ${found.length} chunks`);
    for (const text of found) assert.ok(chunkTexts.includes(text), `byte ${at}`);
    assert.equal(buffer.quarantined.ranges, 1, `byte ${at}`);
    if (at % 16 !== 0) continue;
    const again = await openInMemory(fileSystem.copy());
    assert.deepEqual(await intactTexts(again), found);
    assert.equal(again.quarantined.ranges, 0, `byte ${at} was told twice`);
  }
});

test('a segment cut anywhere gives back every chunk before the cut', async () => {
  const original = await smallBuffer();
  const path = onlySegment(original);
  const { length } = original.bytes(path);
  const recordBytes = (length - 64) / chunkTexts.length;
  for (let bytes = 0; bytes <= length; bytes += 7) {
    const fileSystem = original.copy();
    fileSystem.files.get(path)!.bytes = fileSystem.bytes(path).subarray(0, bytes);
    const whole = Math.max(0, Math.floor((bytes - 64) / recordBytes));
    const buffer = await openInMemory(fileSystem);
    assert.deepEqual(await texts(buffer), chunkTexts.slice(0, whole), `cut at ${bytes}`);
    assert.equal((await appendText(buffer, 'next')).sequence > whole, true);
  }
});

test('a tail of zeros, as some file systems leave it, is cut without an alarm', async () => {
  const fileSystem = await smallBuffer();
  const path = onlySegment(fileSystem);
  const content = fileSystem.files.get(path)!;
  content.bytes = Buffer.concat([content.bytes, Buffer.alloc(5000)]);
  const buffer = await openInMemory(fileSystem);
  assert.deepEqual(await texts(buffer), chunkTexts);
  assert.equal(buffer.quarantined.ranges, 0);
});

test('random bytes anywhere never fail a start and never pass for a chunk', async () => {
  const original = await smallBuffer();
  const path = onlySegment(original);
  const damage = fc.record({ at: fc.nat(4000), noise: fc.uint8Array({ maxLength: 900 }) });
  await fc.assert(
    fc.asyncProperty(damage, async ({ at, noise }) => {
      const fileSystem = original.copy();
      fileSystem.bytes(path).set(noise, at);
      const buffer = await openInMemory(fileSystem);
      const found = await intactTexts(buffer);
      for (const text of found) assert.ok(chunkTexts.includes(text));
      assert.ok(found.length >= 5 - Math.ceil(noise.length / 848) - 1);
    }),
    { numRuns: 100 },
  );
});

test('a chunk that quotes a segment is not taken for one after damage', async () => {
  const fileSystem = new MemoryFileSystem();
  const header = Buffer.from('forged');
  const body = [Buffer.from('forged body')];
  const fields = { identity: 1n, sequence: 77, createdMs: 5 };
  const forged = Buffer.concat([
    encodeSegmentHeader({ identity: 1n, createdMs: 5, firstSequence: 77 }),
    encodeRecordHead(fields, header, body),
    header,
    ...body,
  ]);
  const buffer = await openInMemory(fileSystem);
  await buffer.append(Buffer.alloc(0), forged);
  await appendText(buffer, 'true');
  await buffer.close();
  fileSystem.bytes(onlySegment(fileSystem))[70]! ^= 1;
  const again = await openInMemory(fileSystem);
  assert.deepEqual(await texts(again), ['true']);
});

test('a damaged range is kept in quarantine, told once, and costs its neighbours nothing', async () => {
  const fileSystem = await smallBuffer();
  const path = onlySegment(fileSystem);
  fileSystem.bytes(path)[64 + 4]! ^= 1;
  const told: QuarantinedRange[] = [];
  const lines: LogLine[] = [];
  const options = {
    log: recordingLog(lines),
    onQuarantine: (range: QuarantinedRange) => told.push(range),
  };
  const buffer = await openInMemory(fileSystem, options);
  assert.equal(buffer.quarantined.bytes, 848);
  assert.deepEqual(told, [{ file: '00000001.seg', start: 64, end: 912, reason: 'record' }]);
  const kept = fileSystem.bytes(`${bufferDirectory}/quarantine/00000001.seg.64-912.bin`);
  assert.ok(kept.includes('aaaa'));
  assert.equal(lines.filter((line) => line.level === 'error').length, 1);
  await buffer.close();
  await openInMemory(fileSystem, options);
  assert.equal(told.length, 1);
});

test('a chunk damaged after the start is found when it is read, and not offered again', async () => {
  const fileSystem = await smallBuffer();
  const path = onlySegment(fileSystem);
  const buffer = await openInMemory(fileSystem);
  fileSystem.bytes(path)[64 + 48 + 200 + 5]! ^= 1;
  await assert.rejects(buffer.read(1), { code: 'SLUICE_STORAGE_DAMAGED' });
  assert.equal(await buffer.read(1), undefined);
  assert.equal(buffer.pendingCount, 4);
  assert.equal(buffer.quarantined.ranges, 1);
  await buffer.close();
  const again = await openInMemory(fileSystem);
  assert.equal(again.pendingCount, 4);
  assert.equal(again.quarantined.ranges, 0);
});

test('a read that the disk refuses for now can be tried again', async () => {
  const fileSystem = await smallBuffer();
  const buffer = await openInMemory(fileSystem);
  fileSystem.fault = (operation) => {
    if (operation === 'read') throw systemError('EIO');
  };
  await assert.rejects(buffer.read(1), { code: 'SLUICE_STORAGE_FAILED' });
  fileSystem.fault = undefined;
  assert.equal((await buffer.read(1))!.body.toString(), chunkTexts[0]);
});

test('an unreadable page at the start costs only the chunks in it', async () => {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem);
  for (let index = 0; index < 10; index++) await appendText(buffer, String(index).repeat(1000));
  await buffer.close();
  const path = onlySegment(fileSystem);
  // Zeros stand for what the scan makes of a page that answers EIO.
  fileSystem.bytes(path).fill(0, 4096, 8192);
  const again = await openInMemory(fileSystem);
  const found = await intactTexts(again);
  assert.ok(found.length >= 7);
  assert.ok(again.quarantined.ranges > 0);
});

test('a segment of another buffer or a later version is moved aside, not deleted', async () => {
  const fileSystem = await smallBuffer();
  const path = onlySegment(fileSystem);
  const other = await smallBuffer();
  fileSystem.files.set(`${bufferDirectory}/00000002.seg`, other.files.get(onlySegment(other))!);
  const later = Buffer.from(fileSystem.bytes(path));
  later.writeUInt32LE(9, 8);
  later.writeUInt32LE(checksumOf([later.subarray(0, 12), later.subarray(16, 64)]), 12);
  const laterFile = await fileSystem.open(`${bufferDirectory}/00000003.seg`, 'create');
  await laterFile.write([later], 0);
  const buffer = await openInMemory(fileSystem);
  assert.deepEqual(await texts(buffer), chunkTexts);
  assert.ok(fileSystem.files.has(`${bufferDirectory}/quarantine/00000002.seg`));
  assert.deepEqual(fileSystem.bytes(`${bufferDirectory}/quarantine/00000003.seg`), later);
  assert.equal(buffer.quarantined.ranges, 2);
});

test('damaged acknowledgements bring chunks back and lose none', async () => {
  const original = await smallBuffer();
  const buffer = await openInMemory(original);
  buffer.acknowledge(2);
  buffer.acknowledge(4);
  await buffer.close();
  const path = `${bufferDirectory}/acks.log`;
  for (let at = 0; at < original.bytes(path).length; at++) {
    const fileSystem = original.copy();
    fileSystem.bytes(path)[at]! ^= 0xff;
    const again = await openInMemory(fileSystem);
    const pending = again.pendingSequences();
    for (const sequence of [1, 3, 5]) assert.ok(pending.includes(sequence), `byte ${at}`);
    again.acknowledge(1);
    await again.close();
    assert.ok(!(await openInMemory(fileSystem)).pendingSequences().includes(1), `byte ${at}`);
  }
});

test('inspection reports damage and changes nothing', async () => {
  const fileSystem = await smallBuffer();
  fileSystem.bytes(onlySegment(fileSystem))[100]! ^= 1;
  const before = [...fileSystem.files.keys()].sort();
  const report = await inspectDiskBuffer(bufferDirectory, fileSystem);
  assert.equal(report.records, 4);
  assert.equal(report.pendingRecords, 4);
  assert.equal(report.damagedRanges, 1);
  assert.equal(report.damagedBytes, 848);
  assert.deepEqual([...fileSystem.files.keys()].sort(), before);
  const buffer = await openInMemory(fileSystem);
  assert.equal((await buffer.verify()).damagedRanges, 1);
});

// Found by the fuzzer, which makes checksums right: the next number was the same, and ended the agent.
test('a sequence number that no buffer reaches is damage, and the next chunk is stored', async () => {
  const identity = 7n;
  const header = { identity, createdMs: 1, firstSequence: 1 };
  const body = Buffer.from('body');
  const record = (sequence: number) =>
    Buffer.concat([
      encodeRecordHead({ identity, sequence, createdMs: 1 }, body, [body]),
      body,
      body,
    ]);
  for (const segment of [
    [encodeSegmentHeader(header), record(1), record(Number.MAX_SAFE_INTEGER), record(3)],
    [encodeSegmentHeader({ ...header, firstSequence: 2 ** 60 }), record(1), record(3)],
  ]) {
    const fileSystem = new MemoryFileSystem();
    const file = await fileSystem.open(`${bufferDirectory}/00000001.seg`, 'create');
    await file.write(segment, 0);
    const buffer = await openInMemory(fileSystem);
    assert.deepEqual(buffer.pendingSequences(), [1, 3]);
    assert.equal(buffer.quarantined.ranges, 1);
    assert.ok((await appendText(buffer, 'next')).sequence > 3);
    await buffer.close();
  }
});
