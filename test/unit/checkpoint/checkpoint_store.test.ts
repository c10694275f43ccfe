import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type CheckpointEntry,
  type CheckpointStoreOptions,
  openCheckpointStore,
} from '../../../core/checkpoint/checkpoint_store.ts';
import { type LogLine, recordingLog } from '../buffer/buffer_fixture.ts';
import { MemoryFileSystem, systemError } from '../buffer/memory_file_system.ts';

const path = '/state/checkpoints';

function open(fileSystem: MemoryFileSystem, options: Partial<CheckpointStoreOptions> = {}) {
  return openCheckpointStore({ path, fileSystem, log: recordingLog(), ...options });
}

function entry(position: number, updatedAtMs = position): CheckpointEntry {
  return {
    generation: '0123456789abcdef0123456789abcdef',
    position: { es: position, file: position + 1 },
    identity: { device: 1, inode: 2, head: 'ff', path: '/var/log/ä "quoted"\n' },
    updatedAtMs,
  };
}

test('what was flushed is found again on a real disk, in a private file', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-checkpoint-'));
  context.after(() => rm(directory, { recursive: true }));
  const options = { path: join(directory, 'a', 'checkpoints'), log: recordingLog() };
  const store = await openCheckpointStore(options);
  store.set('one', entry(1));
  store.set('two', entry(2));
  await store.flush();
  store.set('two', entry(3));
  store.delete('one');
  await store.close();
  await store.close();
  assert.equal((await stat(options.path)).mode & 0o777, 0o600);
  const again = await openCheckpointStore(options);
  assert.deepEqual([...again.entries], [['two', entry(3)]]);
  await again.close();
});

test('a flush without changes writes nothing, and overlapping flushes share a sync', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  await store.flush();
  assert.equal(fileSystem.files.size, 0);
  store.set('a', entry(1));
  await store.flush();
  const before = fileSystem.syncs.length;
  const flushes: Promise<void>[] = [];
  for (let index = 0; index < 50; index++) {
    store.set(`key ${index}`, entry(index));
    flushes.push(store.flush());
  }
  await Promise.all(flushes);
  assert.equal(fileSystem.syncs.length - before, 2);
  assert.equal((await open(fileSystem.copyOfSynced())).entries.size, 51);
});

test('a cut anywhere in the last flush gives back at least the flush before', async () => {
  const original = new MemoryFileSystem();
  const store = await open(original);
  store.set('a', entry(1));
  store.set('b', entry(1));
  await store.flush();
  const before = original.bytes(path).length;
  store.set('a', entry(2));
  await store.flush();
  for (let bytes = before; bytes < original.bytes(path).length; bytes++) {
    const fileSystem = original.copy();
    fileSystem.files.get(path)!.bytes = fileSystem.bytes(path).subarray(0, bytes);
    const again = await open(fileSystem);
    assert.deepEqual(again.entries.get('b'), entry(1));
    if (bytes < original.bytes(path).length - 1) {
      assert.equal(again.damagedLines, 0);
      assert.deepEqual(again.entries.get('a'), entry(1));
    }
    again.set('c', entry(9));
    await again.flush();
    const third = await open(fileSystem.copyOfSynced());
    assert.equal(third.entries.size, 3);
    assert.equal(third.damagedLines, 0);
  }
});

/** Two generations: the older one has `a` and `b` at 1, the newer one both at 2. */
async function twoGenerations(): Promise<MemoryFileSystem> {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  for (const key of ['a', 'b']) store.set(key, entry(1));
  await store.flush();
  // A flush that fails makes the next one write a new generation.
  fileSystem.fault = (operation) => {
    if (operation === 'sync') throw systemError('EIO');
  };
  for (const key of ['a', 'b']) store.set(key, entry(2));
  await assert.rejects(store.flush(), { code: 'SLUICE_STORAGE_FAILED' });
  fileSystem.fault = undefined;
  await store.close();
  assert.ok(fileSystem.files.has(`${path}.previous`));
  return fileSystem;
}

test('any flipped byte is noticed, and costs at most an older position', async () => {
  const original = await twoGenerations();
  for (let at = 0; at < original.bytes(path).length; at++) {
    const fileSystem = original.copy();
    fileSystem.bytes(path)[at]! ^= 0x2b;
    const lines: LogLine[] = [];
    const store = await open(fileSystem, { log: recordingLog(lines) });
    assert.ok(store.damagedLines > 0, `byte ${at}`);
    assert.equal(lines.filter((line) => line.level === 'error').length, 1);
    for (const key of ['a', 'b']) {
      const position = store.entries.get(key)!.position.es!;
      assert.ok(position === 1 || position === 2, `byte ${at}`);
    }
    assert.ok(fileSystem.files.has(`${path}.damaged`));
    store.set('c', entry(5));
    await store.close();
    assert.equal((await open(fileSystem)).damagedLines, 0, `byte ${at} was told twice`);
  }
});

test('an empty or missing newest file falls back to the previous one', async () => {
  for (const damage of ['empty', 'missing', 'noise']) {
    const fileSystem = await twoGenerations();
    if (damage === 'missing') fileSystem.files.delete(path);
    else fileSystem.files.get(path)!.bytes = Buffer.from(damage === 'empty' ? '' : 'x\ny\nz');
    const store = await open(fileSystem);
    assert.deepEqual(store.entries.get('a')?.position, { es: 2, file: 3 }, damage);
  }
});

test('with both generations unreadable it starts empty and keeps a copy', async () => {
  const fileSystem = await twoGenerations();
  for (const name of [path, `${path}.previous`]) fileSystem.bytes(name).fill(0x20);
  const lines: LogLine[] = [];
  const store = await open(fileSystem, { log: recordingLog(lines) });
  assert.equal(store.entries.size, 0);
  assert.ok(store.damagedLines > 0);
  assert.equal(fileSystem.bytes(`${path}.damaged`)[0], 0x20);
  assert.equal(lines.length, 1);
  store.set('a', entry(1));
  await store.close();
  assert.equal((await open(fileSystem)).entries.size, 1);
});

test('a full disk refuses a flush and loses no change', async () => {
  for (const bytesFree of [0, 10, 150]) {
    const fileSystem = new MemoryFileSystem();
    const store = await open(fileSystem);
    store.set('a', entry(1));
    await store.flush();
    fileSystem.bytesFree = bytesFree;
    store.set('a', entry(2));
    store.set('b', entry(2));
    await assert.rejects(store.flush(), { code: 'SLUICE_STORAGE_FAILED' });
    await assert.rejects(store.flush(), { code: 'SLUICE_STORAGE_FAILED' });
    assert.deepEqual((await open(fileSystem.copyOfSynced())).entries.get('a'), entry(1));
    fileSystem.bytesFree = Number.POSITIVE_INFINITY;
    await store.flush();
    const again = await open(fileSystem.copyOfSynced());
    assert.deepEqual([again.entries.get('a'), again.entries.get('b')], [entry(2), entry(2)]);
  }
});

test('the file stays in proportion to what it holds', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  for (let round = 0; round < 400; round++) {
    for (let key = 0; key < 40; key++) store.set(`key ${key}`, entry(round));
    await store.flush();
  }
  assert.ok(fileSystem.bytes(path).length <= 1.1 * 1024 * 1024);
  assert.ok(fileSystem.files.has(`${path}.previous`));
  assert.equal((await open(fileSystem.copyOfSynced())).entries.get('key 7')!.position.es, 399);
});

test('the limit holds: dead sources give way first, oldest first', async () => {
  const store = await open(new MemoryFileSystem(), {
    entriesMax: 10,
    isAlive: (key) => key.startsWith('alive'),
  });
  for (let index = 0; index < 5; index++) store.set(`alive ${index}`, entry(index));
  for (let index = 0; index < 5; index++) store.set(`dead ${index}`, entry(100 + index));
  assert.equal(store.entries.size, 10);
  store.set('alive new', entry(200));
  assert.equal(store.entries.size, 10);
  assert.equal(store.entries.has('dead 0'), false);
  assert.equal(store.entries.has('alive 0'), true);
  for (let index = 0; index < 4; index++) store.set(`alive more ${index}`, entry(300));
  assert.equal(store.evictedAlive, 0);
  store.set('alive last', entry(400));
  assert.equal(store.evictedAlive, 1);
  assert.equal(store.entries.has('alive 0'), false);
  assert.equal(store.entries.size, 10);
});

test('a history of changes, flushes, failures and crashes never loses a flushed position', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('set' as const), key: fc.nat(5), size: fc.nat(100) }),
    fc.record({ do: fc.constant('delete' as const), key: fc.nat(5) }),
    fc.record({ do: fc.constant('flush' as const) }),
    fc.record({ do: fc.constant('crash' as const) }),
    fc.record({ do: fc.constant('fail' as const), at: fc.constantFrom('sync', 'write', 'rename') }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
      let fileSystem = new MemoryFileSystem();
      let store = await open(fileSystem);
      let flushed = new Map<string, CheckpointEntry>();
      let count = 0;
      for (const each of steps) {
        if (each.do === 'set') store.set(`k${each.key}`, entry(++count));
        else if (each.do === 'delete') store.delete(`k${each.key}`);
        else if (each.do === 'fail') {
          fileSystem.fault = (operation) => {
            if (operation === each.at) throw systemError('EIO');
          };
        } else if (each.do === 'flush') {
          const wanted = new Map(store.entries);
          try {
            await store.flush();
            flushed = wanted;
          } catch {
            fileSystem.fault = undefined;
            await store.flush();
            flushed = wanted;
          }
        } else {
          fileSystem = fileSystem.copyOfSynced();
          store = await open(fileSystem);
          assert.deepEqual(new Map(store.entries), flushed);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('a newest file that lost synced lines is noticed, and the previous one fills them in', async () => {
  const fileSystem = await twoGenerations();
  const content = fileSystem.bytes(path);
  const firstLineEnd = content.indexOf('\n') + 1;
  fileSystem.files.get(path)!.bytes = content.subarray(0, firstLineEnd);
  const store = await open(fileSystem);
  assert.equal(store.damagedLines, 2);
  assert.deepEqual(store.entries.get('a'), entry(2));
});
