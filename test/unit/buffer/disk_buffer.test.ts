import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDiskBuffer } from '../../../core/buffer/disk_buffer.ts';
import { recordBytesOf, segmentHeaderBytes } from '../../../core/buffer/segment.ts';
import { inspectDiskBuffer } from '../../../core/buffer/verify.ts';
import { SluiceError } from '../../../core/errors/sluice_error.ts';
import { waitUntil } from '../../../core/testing/wait_until.ts';
import {
  appendText,
  bufferDirectory,
  ManualTimers,
  openInMemory,
  recordingLog,
  segmentPaths,
  texts,
} from './buffer_fixture.ts';
import { MemoryFileSystem, systemError } from './memory_file_system.ts';

const hasCode = (code: string) => (error: unknown) =>
  error instanceof SluiceError && error.code === code;

test('what was appended is read back, and found again after a kill', async () => {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem);
  await appendText(buffer, 'one');
  await buffer.append(Buffer.from('h'), [Buffer.from('t'), Buffer.from('wo')]);
  assert.deepEqual(await texts(buffer), ['one', 'two']);
  const again = await openInMemory(fileSystem.copyOfSynced());
  assert.deepEqual(await texts(again), ['one', 'two']);
  assert.deepEqual(
    again.recovered.map(({ header, bodyBytes }) => [header.toString(), bodyBytes]),
    [
      ['header of one', 3],
      ['h', 3],
    ],
  );
  again.forgetRecovered();
  assert.equal(again.recovered.length, 0);
});

test('works on a real disk, with private files, and refuses a second owner', async (context) => {
  const directory = join(await mkdtemp(join(tmpdir(), 'sluice-buffer-')), 'a', 'b');
  context.after(() => rm(join(directory, '..', '..'), { recursive: true }));
  const options = {
    directory,
    limitBytes: 1024 * 1024,
    whenFull: 'block',
    durability: 'fsync',
    log: recordingLog(),
  } as const;
  const buffer = await openDiskBuffer(options);
  await Promise.all(['a', 'b', 'c', 'd'].map((text) => appendText(buffer, text)));
  await assert.rejects(openDiskBuffer(options), hasCode('SLUICE_STORAGE_LOCKED'));
  buffer.acknowledge(1);
  await buffer.close();
  await buffer.close();
  assert.equal((await stat(join(directory, '00000001.seg'))).mode & 0o777, 0o600);
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  const report = await inspectDiskBuffer(directory);
  assert.equal(report.records, 4);
  assert.equal(report.pendingRecords, 3);
  assert.equal(report.damagedRanges, 0);
  const again = await openDiskBuffer(options);
  assert.deepEqual(await texts(again), ['b', 'c', 'd']);
  await again.close();
});

test('concurrent appends share syncs and keep their order', async () => {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem);
  const names = Array.from({ length: 200 }, (_, index) => `chunk ${index}`);
  const outcomes = await Promise.all(names.map((name) => appendText(buffer, name)));
  assert.deepEqual(
    outcomes.map((outcome) => outcome.sequence),
    names.map((_, index) => index + 1),
  );
  assert.ok(fileSystem.syncs.length <= 4, `${fileSystem.syncs.length} syncs`);
  assert.deepEqual(await texts(await openInMemory(fileSystem.copyOfSynced())), names);
});

test('acknowledgements survive a restart, and a settled segment is deleted', async () => {
  const fileSystem = new MemoryFileSystem();
  const timers = new ManualTimers();
  const buffer = await openInMemory(fileSystem, {
    segmentBytes: 4096,
    schedule: timers.schedule,
  });
  for (let index = 0; index < 10; index++) await appendText(buffer, String(index).repeat(1500));
  const before = segmentPaths(fileSystem).length;
  for (let sequence = 1; sequence <= 5; sequence++) {
    assert.equal(buffer.acknowledge(sequence), true);
    assert.equal(buffer.acknowledge(sequence), false);
  }
  timers.fire();
  await buffer.append(Buffer.alloc(0), Buffer.from('later'));
  assert.ok(segmentPaths(fileSystem).length < before);
  const again = await openInMemory(fileSystem.copyOfSynced());
  assert.deepEqual(again.pendingSequences(), [6, 7, 8, 9, 10, 11]);
});

test('a delivered segment stays until what it vouches for is noted elsewhere', async () => {
  const fileSystem = new MemoryFileSystem();
  const timers = new ManualTimers();
  const notes: { resolve(): void; reject(error: Error): void }[] = [];
  const buffer = await openInMemory(fileSystem, {
    segmentBytes: 200,
    schedule: timers.schedule,
    beforeDelete: () => new Promise((resolve, reject) => notes.push({ resolve, reject })),
  });
  for (const text of ['one', 'two']) await appendText(buffer, text.padEnd(100));
  buffer.acknowledge(1);
  await waitUntil('it is asked', () => notes.length === 1);
  assert.equal(segmentPaths(fileSystem).length, 2);
  timers.fire();
  await waitUntil('the delivery is noted', () =>
    fileSystem.files.has(`${bufferDirectory}/acks.log`),
  );
  await appendText(buffer, 'nothing waits for the answer');

  const headers: string[] = [];
  const killed = await openInMemory(fileSystem.copyOfSynced(), {
    onDelivered: (header) => headers.push(header.toString().trim()),
  });
  assert.deepEqual(headers, ['header of one']);
  assert.deepEqual(killed.pendingSequences(), [2, 3]);

  notes[0]!.reject(new Error('the disk is full'));
  await waitUntil('it is asked again', () => {
    timers.fire();
    return notes.length === 2;
  });
  assert.equal(segmentPaths(fileSystem).length, 3);
  notes[1]!.resolve();
  await waitUntil('it is deleted', () => segmentPaths(fileSystem).length === 2);
  await buffer.close();
});

test('room that is needed comes before what delivered segments vouch for', async () => {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem, {
    segmentBytes: 200,
    limitBytes: 700,
    beforeDelete: () => new Promise(() => {}),
  });
  for (let n = 1; n <= 20; n++) {
    const { sequence } = await appendText(buffer, `${n}`.padEnd(100));
    buffer.acknowledge(sequence);
  }
  assert.ok(buffer.usedBytes <= 700);
});

test('sequence numbers are not used again after everything was settled', async () => {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem);
  for (const text of ['a', 'b', 'c']) await appendText(buffer, text);
  for (const sequence of buffer.pendingSequences()) buffer.acknowledge(sequence);
  await buffer.close();
  assert.deepEqual(segmentPaths(fileSystem), []);
  const again = await openInMemory(fileSystem);
  assert.equal((await appendText(again, 'd')).sequence, 4);
});

/** A limit that `count` chunks with bodies of 100 bytes fill to the byte. */
function limitFor(count: number): number {
  return segmentHeaderBytes + count * recordBytesOf(0, 100);
}

const body = Buffer.alloc(100, 'x');
const noHeader = Buffer.alloc(0);

test('block: the append that fills the limit fits, the next is told to wait', async () => {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem, { limitBytes: limitFor(3) });
  for (let count = 0; count < 3; count++) {
    assert.equal((await buffer.append(noHeader, body)).kind, 'stored');
  }
  assert.equal(buffer.usedBytes, buffer.limitBytes);
  assert.equal((await buffer.append(noHeader, body)).kind, 'full');
  let woken = false;
  const waiting = buffer.waitForSpace(new AbortController().signal).then(() => {
    woken = true;
  });
  buffer.acknowledge(1);
  buffer.acknowledge(2);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(woken, false);
  buffer.acknowledge(3);
  await waiting;
  assert.equal((await buffer.append(noHeader, body)).kind, 'stored');
  assert.equal(segmentPaths(fileSystem).length, 1);
});

test('waiting for space ends with the signal, and with the close of the buffer', async () => {
  const buffer = await openInMemory(new MemoryFileSystem(), { limitBytes: limitFor(1) });
  await buffer.append(noHeader, body);
  assert.equal((await buffer.append(noHeader, body)).kind, 'full');
  const abort = new AbortController();
  const waiting = buffer.waitForSpace(abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  const untilClose = assert.rejects(
    buffer.waitForSpace(new AbortController().signal),
    hasCode('SLUICE_SHUTDOWN'),
  );
  await buffer.close();
  await untilClose;
  await assert.rejects(buffer.append(noHeader, body), hasCode('SLUICE_SHUTDOWN'));
});

test('drop_newest: what does not fit is refused and nothing stored is touched', async () => {
  const buffer = await openInMemory(new MemoryFileSystem(), {
    limitBytes: limitFor(2),
    whenFull: 'drop_newest',
  });
  const kinds: string[] = [];
  for (let count = 0; count < 3; count++) kinds.push((await buffer.append(noHeader, body)).kind);
  assert.deepEqual(kinds, ['stored', 'stored', 'dropped_newest']);
  assert.equal(buffer.pendingCount, 2);
});

test('drop_oldest: the oldest segment makes room, and each chunk in it is told once', async () => {
  const fileSystem = new MemoryFileSystem();
  const limitBytes = 8 * 4096;
  const buffer = await openInMemory(fileSystem, { limitBytes, whenFull: 'drop_oldest' });
  const dropped: string[] = [];
  let lateAcknowledgements = 0;
  for (let index = 0; index < 60; index++) {
    const header = Buffer.from(String(index));
    const outcome = await buffer.append(header, Buffer.alloc(1300, index));
    assert.equal(outcome.kind, 'stored');
    if (outcome.kind !== 'stored') return;
    for (const chunk of outcome.dropped) {
      dropped.push(chunk.header.toString());
      if (buffer.acknowledge(chunk.sequence)) lateAcknowledgements++;
      assert.equal(await buffer.read(chunk.sequence), undefined);
    }
    assert.ok(buffer.usedBytes <= limitBytes);
  }
  assert.equal(lateAcknowledgements, 0);
  assert.equal(dropped.length + buffer.pendingCount, 60);
  assert.deepEqual(
    dropped,
    dropped.map((_, index) => String(index)),
  );
  const again = await openInMemory(fileSystem.copyOfSynced());
  assert.deepEqual(again.pendingSequences(), buffer.pendingSequences());
});

test('a chunk that can never fit is refused for good', async () => {
  const buffer = await openInMemory(new MemoryFileSystem(), { limitBytes: limitFor(1) });
  const tooLarge = buffer.append(noHeader, Buffer.alloc(101));
  await assert.rejects(tooLarge, hasCode('SLUICE_RECORD_TOO_LARGE'));
  assert.equal((await buffer.append(noHeader, body)).kind, 'stored');
});

test('a full disk refuses appends, keeps what is stored, and recovers by itself', async () => {
  for (const bytesFree of [0, 30, 200, 400]) {
    const fileSystem = new MemoryFileSystem();
    const buffer = await openInMemory(fileSystem);
    await appendText(buffer, 'before');
    fileSystem.bytesFree = bytesFree;
    for (let attempt = 0; attempt < 3; attempt++) {
      const refused = buffer.append(Buffer.alloc(100), Buffer.alloc(1000));
      await assert.rejects(refused, hasCode('SLUICE_STORAGE_FAILED'));
    }
    assert.deepEqual(await texts(buffer), ['before']);
    fileSystem.bytesFree = Number.POSITIVE_INFINITY;
    await appendText(buffer, 'after');
    assert.deepEqual(await texts(await openInMemory(fileSystem.copyOfSynced())), [
      'before',
      'after',
    ]);
  }
});

test('a full disk does not keep a buffer from starting and draining', async () => {
  const fileSystem = new MemoryFileSystem();
  await appendText(await openInMemory(fileSystem), 'kept');
  fileSystem.bytesFree = 0;
  const buffer = await openInMemory(fileSystem);
  assert.deepEqual(await texts(buffer), ['kept']);
});

test('a failed write that cannot be taken back leaves no chunk behind after a crash', async () => {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem);
  await appendText(buffer, 'good');
  fileSystem.fault = (operation) => {
    if (operation === 'sync' || operation === 'truncate') throw systemError('EIO');
  };
  await assert.rejects(appendText(buffer, 'refused'), hasCode('SLUICE_STORAGE_FAILED'));
  fileSystem.fault = undefined;
  await appendText(buffer, 'next');
  await buffer.close();
  // The refused chunk stands in the first segment, whole, and is known to be void.
  assert.ok(fileSystem.bytes(segmentPaths(fileSystem)[0]!).includes('refused'));
  assert.deepEqual(await texts(await openInMemory(fileSystem.copyOfSynced())), ['good', 'next']);
});

test('after a failed sync nothing is appended to that file again', async () => {
  const fileSystem = new MemoryFileSystem();
  const buffer = await openInMemory(fileSystem);
  await appendText(buffer, 'good');
  let failures = 1;
  fileSystem.fault = (operation) => {
    if (operation === 'sync' && failures-- > 0) throw systemError('EIO');
  };
  await assert.rejects(appendText(buffer, 'refused'), hasCode('SLUICE_STORAGE_FAILED'));
  await appendText(buffer, 'again');
  assert.equal(segmentPaths(fileSystem).length, 2);
  assert.deepEqual(await texts(await openInMemory(fileSystem.copyOfSynced())), ['good', 'again']);
});

test('interval: a failed sync writes the doubtful chunks again, under their numbers', async () => {
  const fileSystem = new MemoryFileSystem();
  const timers = new ManualTimers();
  const buffer = await openInMemory(fileSystem, {
    durability: 'interval',
    schedule: timers.schedule,
  });
  for (const text of ['one', 'two', 'three']) await appendText(buffer, text);
  assert.equal(fileSystem.syncs.length, 0);
  let failing = true;
  fileSystem.fault = (operation) => {
    if (operation === 'sync' && failing) throw systemError('EIO');
  };
  timers.fire();
  await assert.rejects(appendText(buffer, 'refused'), hasCode('SLUICE_STORAGE_FAILED'));
  assert.deepEqual(await texts(buffer), ['one', 'two', 'three']);
  failing = false;
  await appendText(buffer, 'four');
  await buffer.close();
  const again = await openInMemory(fileSystem.copyOfSynced());
  assert.deepEqual(await texts(again), ['one', 'two', 'three', 'four']);
  assert.equal(again.quarantined.ranges, 0);
});

test('interval: what was stored is durable once the interval has passed', async () => {
  const fileSystem = new MemoryFileSystem();
  const timers = new ManualTimers();
  const options = { durability: 'interval', schedule: timers.schedule } as const;
  const buffer = await openInMemory(fileSystem, options);
  await appendText(buffer, 'one');
  timers.fire();
  while (fileSystem.syncs.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await texts(await openInMemory(fileSystem.copyOfSynced())), ['one']);
});

test('a deletion that the disk refuses is tried again and stays counted meanwhile', async () => {
  const fileSystem = new MemoryFileSystem();
  const timers = new ManualTimers();
  const limitBytes = 8 * 4096;
  const options = { limitBytes, schedule: timers.schedule };
  const buffer = await openInMemory(fileSystem, options);
  for (let count = 0; count < 3; count++) await buffer.append(noHeader, Buffer.alloc(3000));
  const used = buffer.usedBytes;
  fileSystem.fault = (operation) => {
    if (operation === 'remove') throw systemError('EBUSY');
  };
  buffer.acknowledge(1);
  timers.fire();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(buffer.usedBytes, used);
  fileSystem.fault = undefined;
  timers.fire();
  await buffer.append(noHeader, Buffer.alloc(0));
  assert.ok(buffer.usedBytes < used);
});

test('a stale lock is taken over, also when its pid belongs to a later process', async () => {
  const fileSystem = new MemoryFileSystem();
  const probe = (started: string) => ({
    processProbe: { pid: 1, isAlive: () => true, startedAt: () => started },
  });
  await openInMemory(fileSystem, probe('first boot'));
  await assert.rejects(
    openInMemory(fileSystem, probe('first boot')),
    hasCode('SLUICE_STORAGE_LOCKED'),
  );
  const later = await openInMemory(fileSystem, probe('second boot'));
  await later.close();
  assert.equal(fileSystem.files.has(`${bufferDirectory}/lock`), false);
});

test('the age is that of the oldest unsettled chunk', async () => {
  let nowMs = 5000;
  const buffer = await openInMemory(new MemoryFileSystem(), { now: () => nowMs });
  assert.equal(buffer.oldestAgeMs, 0);
  await appendText(buffer, 'a');
  nowMs = 6000;
  await appendText(buffer, 'b');
  nowMs = 8000;
  assert.equal(buffer.oldestAgeMs, 3000);
  buffer.acknowledge(1);
  assert.equal(buffer.oldestAgeMs, 2000);
});

test('interval: a segment given up after a failed write is still made durable', async () => {
  const fileSystem = new MemoryFileSystem();
  const options = { durability: 'interval', schedule: new ManualTimers().schedule } as const;
  const buffer = await openInMemory(fileSystem, options);
  await appendText(buffer, 'one');
  fileSystem.fault = (operation) => {
    if (operation === 'write' || operation === 'truncate') throw systemError('EIO');
  };
  await assert.rejects(appendText(buffer, 'refused'), hasCode('SLUICE_STORAGE_FAILED'));
  fileSystem.fault = undefined;
  await appendText(buffer, 'two');
  await buffer.close();
  assert.deepEqual(await texts(await openInMemory(fileSystem.copyOfSynced())), ['one', 'two']);
});
