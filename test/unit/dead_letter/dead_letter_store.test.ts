import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import avro from 'avsc';
import fc from 'fast-check';
import { type DeadLetterInput, deadLetterId } from '../../../core/dead_letter/dead_letter.ts';
import {
  type DeadLetterEntry,
  readDeadLetters,
} from '../../../core/dead_letter/dead_letter_reader.ts';
import { deadLetterSchemaText } from '../../../core/dead_letter/dead_letter_schema.ts';
import {
  type DeadLetterStoreOptions,
  openDeadLetterStore,
} from '../../../core/dead_letter/dead_letter_store.ts';
import { DeadLetterCodec } from '../../../core/dead_letter/avro_container.ts';
import { type LogLine, recordingLog } from '../buffer/buffer_fixture.ts';
import { MemoryFileSystem, systemError } from '../buffer/memory_file_system.ts';

const directory = '/dead';
const firstFile = `${directory}/00000001.avro`;
let pid = 1000;

function open(fileSystem: MemoryFileSystem, options: Partial<DeadLetterStoreOptions> = {}) {
  pid++;
  const own = pid;
  return openDeadLetterStore({
    directory,
    output: 'es',
    limitBytes: 1024 * 1024,
    whenFull: 'block',
    log: recordingLog(),
    now: () => 1_700_000_000_123,
    fileSystem,
    processProbe: { pid: own, isAlive: (other) => other === own, startedAt: () => 'now' },
    ...options,
  });
}

function letter(offset: number, text = `{"n":${offset}}`): DeadLetterInput {
  return {
    record: Buffer.from(text),
    origin: { source: '/var/log/a.log', generation: 'ab'.repeat(16), offset, part: 0 },
    tag: 'app.log',
    time: { seconds: 1_600_000_000, nanos: 123_456_789 },
    reason: 'mapper_parsing_exception',
    reasonCode: 'rejected',
    status: 400,
    attempts: 1,
  };
}

function letters(count: number, first = 0): DeadLetterInput[] {
  return Array.from({ length: count }, (_, index) => letter(first + index));
}

async function readAll(fileSystem: MemoryFileSystem, salvage = true): Promise<DeadLetterEntry[]> {
  const entries: DeadLetterEntry[] = [];
  for await (const entry of readDeadLetters(directory, { salvage, fileSystem }))
    entries.push(entry);
  return entries;
}

async function offsets(fileSystem: MemoryFileSystem, salvage = true): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readAll(fileSystem, salvage)) {
    if (entry.kind === 'letter') found.push(entry.letter.origin.offset);
  }
  return found;
}

async function references(fileSystem: MemoryFileSystem, wanted: readonly number[]) {
  const all = await readAll(fileSystem);
  return all.flatMap((entry) =>
    entry.kind === 'letter' && wanted.includes(entry.letter.origin.offset)
      ? [entry.letter.reference]
      : [],
  );
}

test('the schema beside the code and the one under schema/ are the same text', async () => {
  let root = import.meta.dirname;
  let text: string | undefined;
  while (text === undefined && root !== '/') {
    root = join(root, '..');
    text = await readFile(join(root, 'schema/dead_letter.avsc'), 'utf8').catch(() => undefined);
  }
  assert.equal(deadLetterSchemaText, text);
});

test('a letter comes back as it went in, bytes that are not UTF-8 included', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  const invalid = { ...letter(2), record: Buffer.from([0x7b, 0xff, 0x7d]), status: undefined };
  assert.deepEqual(await store.append([letter(1), invalid]), ['stored', 'stored']);
  const read = await readAll(fileSystem.copyOfSynced(), false);
  assert.equal(read.length, 2);
  for (const [index, sent] of [letter(1), invalid].entries()) {
    const entry = read[index]!;
    assert.ok(entry.kind === 'letter');
    const { reference, failedAt, output, id, ...rest } = entry.letter;
    assert.deepEqual(rest, sent);
    assert.deepEqual(failedAt, { seconds: 1_700_000_000, nanos: 123_000_000 });
    assert.equal(output, 'es');
    assert.equal(id, deadLetterId('es', sent.origin));
    assert.equal(reference.id, id);
  }
});

test('a plain Avro reader reads the files, also those appended to after a crash', async (context) => {
  const real = await mkdtemp(join(tmpdir(), 'sluice-dead-'));
  context.after(() => rm(real, { recursive: true }));
  const options = {
    directory: join(real, 'es'),
    output: 'es',
    limitBytes: 1024 * 1024,
    whenFull: 'block',
    log: recordingLog(),
  } as const;
  const path = join(options.directory, '00000001.avro');
  let store = await openDeadLetterStore(options);
  await store.append(letters(100));
  await store.append([letter(1000)]);
  await store.close();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await truncate(path, (await stat(path)).size - 20);
  store = await openDeadLetterStore(options);
  await store.append(letters(5, 100));
  await store.close();
  const found: number[] = [];
  for await (const value of avro.createFileDecoder(path)) {
    const read = value as { origin: { offset: number }; record: string; checksum: number };
    found.push(read.origin.offset);
    assert.equal(read.checksum, crc32(read.record));
  }
  assert.deepEqual(
    found,
    Array.from({ length: 105 }, (_, index) => index),
  );
});

test('any flipped byte is noticed, and the letters of other blocks stay', async () => {
  const original = new MemoryFileSystem();
  const store = await open(original);
  for (let offset = 0; offset < 6; offset++)
    await store.append([letter(offset), letter(offset + 50)]);
  await store.close();
  const { headerBytes } = new DeadLetterCodec();
  for (let at = 0; at < original.bytes(firstFile).length; at++) {
    // The header is long and compared as a whole: every tenth of its bytes, and the marker, will do.
    if (at < headerBytes - 16 && at % 10 !== 0) continue;
    const fileSystem = original.copy();
    fileSystem.bytes(firstFile)[at]! ^= 0x55;
    const entries = await readAll(fileSystem);
    const found = entries.filter((entry) => entry.kind === 'letter');
    assert.ok(found.length >= 10, `byte ${at}: ${found.length} letters`);
    assert.ok(found.length < entries.length, `byte ${at} went unnoticed`);
    for (const { letter: read } of found) {
      assert.equal(read.record.toString(), `{"n":${read.origin.offset}}`);
    }
    if (at % 4 !== 0) continue;
    await assert.rejects(readAll(fileSystem, false), { code: 'SLUICE_STORAGE_DAMAGED' });
    const lines: LogLine[] = [];
    const again = await open(fileSystem, { log: recordingLog(lines) });
    assert.equal(lines.length, 1);
    await again.append([letter(99)]);
    assert.equal((await offsets(fileSystem)).at(-1), 99);
    await again.close();
  }
});

test('a file cut anywhere opens, and can be appended to', async () => {
  const original = new MemoryFileSystem();
  const store = await open(original);
  for (let offset = 0; offset < 4; offset++) await store.append([letter(offset)]);
  await store.close();
  for (let bytes = 0; bytes < original.bytes(firstFile).length; bytes += 5) {
    const fileSystem = original.copy();
    fileSystem.files.get(firstFile)!.bytes = fileSystem.bytes(firstFile).subarray(0, bytes);
    const again = await open(fileSystem);
    await again.append([letter(9)]);
    await again.close();
    const found = await offsets(fileSystem, false);
    assert.equal(found.at(-1), 9);
    assert.deepEqual(found.slice(0, -1), [0, 1, 2, 3].slice(0, found.length - 1));
  }
});

test('random bytes never fail an opening nor pass for letters', async () => {
  const original = new MemoryFileSystem();
  const store = await open(original);
  for (let offset = 0; offset < 8; offset++) await store.append([letter(offset)]);
  await store.close();
  const damage = fc.record({ at: fc.nat(5000), noise: fc.uint8Array({ maxLength: 400 }) });
  await fc.assert(
    fc.asyncProperty(damage, async ({ at, noise }) => {
      const fileSystem = original.copy();
      const content = fileSystem.bytes(firstFile);
      const start = at % content.length;
      content.set(noise.subarray(0, content.length - start), start);
      await (await open(fileSystem)).append([letter(9)]);
      for (const offset of await offsets(fileSystem)) assert.ok(offset <= 9);
      assert.ok((await offsets(fileSystem)).length >= 5);
    }),
    { numRuns: 200 },
  );
});

test('block: letters beyond the limit are refused, in order, until room is made', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem, { limitBytes: 16 * 1024, fileBytes: 16 * 1024 });
  const outcomes = await store.append(letters(200));
  const stored = outcomes.filter((outcome) => outcome === 'stored').length;
  assert.ok(stored > 10 && stored < 200);
  assert.deepEqual(outcomes, [
    ...Array(stored).fill('stored'),
    ...Array(200 - stored).fill('full'),
  ]);
  assert.ok(store.usedBytes <= store.limitBytes);
  assert.ok(store.usedBytes > store.limitBytes - 400);
  const waiting = store.waitForSpace(new AbortController().signal);
  await store.remove(
    await references(
      fileSystem,
      Array.from({ length: stored }, (_, index) => index),
    ),
  );
  await waiting;
  assert.equal(store.usedBytes, 0);
  assert.deepEqual(await store.append([letter(500)]), ['stored']);
});

test('drop: letters beyond the limit are lost and told; one that never fits is told as well', async () => {
  for (const whenFull of ['drop', 'block'] as const) {
    const store = await open(new MemoryFileSystem(), { limitBytes: 8 * 1024, whenFull });
    const huge = letter(1, 'x'.repeat(9000));
    assert.deepEqual(await store.append([huge, letter(2)]), ['dropped', 'stored']);
    const more = await store.append(letters(100, 10));
    assert.equal(more.at(-1), whenFull === 'drop' ? 'dropped' : 'full');
  }
});

test('removed letters stay removed after a restart, and empty files are deleted', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem, { fileBytes: 16 * 1024 });
  for (let round = 0; round < 20; round++) await store.append(letters(10, round * 10));
  const files = () => [...fileSystem.files.keys()].filter((name) => name.endsWith('.avro')).length;
  const before = files();
  assert.ok(before > 2);
  const odd = Array.from({ length: 100 }, (_, index) => 2 * index + 1);
  const even = odd.map((offset) => offset - 1);
  await store.remove(await references(fileSystem, odd));
  assert.equal(files(), before);
  assert.deepEqual(await offsets(fileSystem.copyOfSynced()), even);
  await store.close();
  const again = await open(fileSystem);
  await again.remove(await references(fileSystem, even.slice(0, 90)));
  assert.ok(files() < before);
  await again.remove(await references(fileSystem, even));
  assert.equal(files(), 0);
  assert.equal(again.usedBytes, 0);
  assert.deepEqual(await again.append([letter(1)]), ['stored']);
  assert.deepEqual(await offsets(fileSystem), [1]);
});

test('a letter that fails again while it is replayed survives the removal of the first', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  await store.append([letter(1)]);
  const first = await references(fileSystem, [1]);
  await store.append([{ ...letter(1), reason: 'again' }]);
  await store.remove(first);
  const left = await readAll(fileSystem);
  assert.equal(left.length, 1);
  assert.ok(left[0]?.kind === 'letter' && left[0].letter.reason === 'again');
});

test('a full disk or a failed sync refuses letters and keeps the rest', async () => {
  for (const fault of ['disk full', 'sync', 'write'] as const) {
    const fileSystem = new MemoryFileSystem();
    const store = await open(fileSystem);
    await store.append([letter(1)]);
    if (fault === 'disk full') fileSystem.bytesFree = 100;
    else {
      fileSystem.fault = (operation) => {
        if (operation === fault) throw systemError('EIO');
      };
    }
    await assert.rejects(store.append([letter(2)]), { code: 'SLUICE_STORAGE_FAILED' });
    await assert.rejects(store.append([letter(2)]), { code: 'SLUICE_STORAGE_FAILED' });
    fileSystem.fault = undefined;
    fileSystem.bytesFree = Number.POSITIVE_INFINITY;
    await store.append([letter(3)]);
    assert.deepEqual(await offsets(fileSystem.copyOfSynced(), false), [1, 3], fault);
  }
});

test('concurrent appends are all stored, and the summary counts them', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      store.append([{ ...letter(index), reasonCode: index % 4 === 0 ? 'rare' : 'common' }]),
    ),
  );
  const summary = await store.list();
  assert.equal(summary.count, 20);
  assert.equal(summary.bytes, store.usedBytes);
  assert.equal(summary.oldestMs, 1_700_000_000_123);
  assert.deepEqual(
    summary.reasons.map(({ code, count }) => [code, count]),
    [
      ['common', 15],
      ['rare', 5],
    ],
  );
});

test('values that a plugin filled in wrongly do not keep a letter out', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  const odd = {
    ...letter(1),
    origin: { source: 'x'.repeat(9000), generation: '', offset: Number.NaN, part: -1.5 },
    time: { seconds: 1.5, nanos: 1e12 },
    reason: 'r'.repeat(100_000),
    status: 2 ** 40,
    attempts: Number.POSITIVE_INFINITY,
  };
  assert.deepEqual(await store.append([odd]), ['stored']);
  assert.equal((await readAll(fileSystem, false)).length, 1);
});

test('the intact letters of a cut block stay, and those behind a damaged one in a block', async () => {
  const fileSystem = new MemoryFileSystem();
  const store = await open(fileSystem);
  await store.append(letters(3));
  await store.append(letters(3, 10));
  await store.close();
  const content = fileSystem.bytes(firstFile);
  // The length of the second letter's record, so that it does not decode.
  content[content.indexOf('{"n":1}') - 1]! = 0xff;
  fileSystem.files.get(firstFile)!.bytes = content.subarray(0, content.length - 30);
  let damagedBytes = 0;
  const again = await open(fileSystem, {
    onDamage: ({ start, end }) => {
      damagedBytes += end - start;
    },
  });
  assert.ok(damagedBytes > 0);
  await again.append([letter(20)]);
  await again.close();
  assert.deepEqual(await offsets(fileSystem), [0, 2, 10, 11, 20]);
});
