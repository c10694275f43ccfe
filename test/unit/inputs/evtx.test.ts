import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { eventRecordOf, logonRecords } from '../../event_log/evtx_events.ts';
import { element, instance, value } from '../../event_log/evtx_values.ts';
import { chunkBytes, ChunkWriter, chunksOf, evtxFile } from '../../event_log/evtx_writer.ts';
import { evtxRun } from './evtx_harness.ts';
import { MemoryCheckpoints, type TailRun } from './tail_harness.ts';

type Options = Parameters<typeof evtxRun>[2];

/** A directory, and runs on it that share checkpoints. */
function place(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-evtx-'));
  const checkpoints = new MemoryCheckpoints();
  const runs: TailRun[] = [];
  t.after(async () => {
    for (const run of runs) await run.abandon();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    directory,
    write: (bytes: Buffer, name = 'log.evtx') => writeFileSync(join(directory, name), bytes),
    start: (options: Options = {}, surroundings: Parameters<typeof evtxRun>[3] = {}) => {
      const run = evtxRun(directory, checkpoints, options, surroundings);
      runs.push(run);
      return run;
    },
    readOnce: (options: Options = {}) => {
      const run = evtxRun(directory, checkpoints, { exit_on_eof: true, ...options });
      runs.push(run);
      return run.ended();
    },
  };
}

const ids = (run: TailRun) => run.sent.map(({ record }) => record['EventRecordID'] as number);
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const damage = (run: TailRun) => [
  run.counter('sluice_evtx_damaged_chunks_total'),
  run.counter('sluice_evtx_damaged_records_total'),
];

test('all records of a file are read in order, with growing positions', async (t) => {
  const { write, readOnce } = place(t);
  write(evtxFile(chunksOf(logonRecords(700))));
  const run = await readOnce({ path_key: 'file' });
  assert.deepEqual(ids(run), range(1, 700));
  for (let i = 1; i < run.sent.length; i++) {
    assert.ok(run.sent[i]!.offset >= run.sent[i - 1]!.offsetEnd);
  }
  assert.match(String(run.sent[0]!.record['file']), /log\.evtx$/);
  assert.equal(run.sent[3]!.nanos, 400);
  assert.deepEqual(damage(run), [0, 0]);
});

test('a log that was written in a circle is read in the order of its records', async (t) => {
  const { write, readOnce } = place(t);
  const chunks = chunksOf(logonRecords(700));
  write(evtxFile([...chunks.slice(3), ...chunks.slice(0, 3)]));
  assert.deepEqual(ids(await readOnce()), range(1, 700));
});

test('what was read is not read again after a restart, what came since is', async (t) => {
  const { write, readOnce } = place(t);
  const records = logonRecords(400);
  write(evtxFile(chunksOf(records.slice(0, 150))));
  assert.deepEqual(ids(await readOnce()), range(1, 150));
  assert.deepEqual(ids(await readOnce()), []);
  write(evtxFile(chunksOf(records)));
  assert.deepEqual(ids(await readOnce()), range(151, 400));
});

test('a newer copy in a file of its own goes on where the older one was read to', async (t) => {
  const { write, readOnce, directory } = place(t);
  const records = logonRecords(400);
  write(evtxFile(chunksOf(records.slice(0, 250))));
  assert.deepEqual(ids(await readOnce()), range(1, 250));
  write(evtxFile(chunksOf(records)), 'new.tmp');
  renameSync(join(directory, 'new.tmp'), join(directory, 'log.evtx'));
  assert.deepEqual(ids(await readOnce()), range(251, 400));
});

test('records that are added are picked up', async (t) => {
  const { write, start } = place(t);
  const records = logonRecords(500);
  const run = start();
  for (const count of [10, 11, 90, 300, 301, 500]) {
    write(evtxFile(chunksOf(records.slice(0, count)), true));
    await run.until(() => run.sent.length >= count);
  }
  await run.stop();
  assert.deepEqual(ids(run), range(1, 500));
  assert.deepEqual(damage(run), [0, 0]);
});

test('with read_from_head off only what comes later is read', async (t) => {
  const { write, start } = place(t);
  const records = logonRecords(260);
  write(evtxFile(chunksOf(records.slice(0, 200))));
  const run = start({ read_from_head: false });
  await run.until(() => run.sourceCount === 1);
  await run.save();
  write(evtxFile(chunksOf(logonRecords(3))), 'later.evtx');
  await run.until(() => run.sent.length === 3);
  write(evtxFile(chunksOf(records)));
  await run.until(() => run.sent.length === 63);
  await run.stop();
  assert.deepEqual(ids(run), [...range(1, 3), ...range(201, 260)]);
});

test('records that were overwritten before they were read are counted', async (t) => {
  const { write, readOnce } = place(t);
  const chunks = chunksOf(logonRecords(700));
  write(evtxFile(chunks.slice(0, 2)));
  const first = await readOnce();
  write(evtxFile([chunks[4]!, chunks[5]!, chunks[3]!]));
  const second = await readOnce();
  const missed = second.counter('sluice_evtx_missed_records_total');
  assert.equal(ids(second)[0]! - ids(first).at(-1)! - 1, missed);
  assert.ok(missed > 50);
  assert.deepEqual(ids(second), range(ids(second)[0]!, ids(second).at(-1)!));
});

test('a log that was cleared is read from its beginning', async (t) => {
  const { write, start } = place(t);
  const run = start();
  write(evtxFile(chunksOf(logonRecords(300, 5000))));
  await run.until(() => run.sent.length === 300);
  write(evtxFile(chunksOf(logonRecords(20))));
  await run.until(() => run.sent.length === 320);
  await run.stop();
  assert.deepEqual(ids(run), [...range(5000, 5299), ...range(1, 20)]);
  assert.equal(new Set(run.sent.map(({ generation }) => generation)).size, 2);
});

test('a renamed file is read on, and its records come once', async (t) => {
  const { write, start, directory } = place(t);
  const run = start();
  write(evtxFile(chunksOf(logonRecords(30))));
  await run.until(() => run.sent.length === 30);
  renameSync(join(directory, 'log.evtx'), join(directory, 'other.evtx'));
  write(evtxFile(chunksOf(logonRecords(3, 900))));
  write(evtxFile(chunksOf(logonRecords(40))), 'other.evtx');
  await run.until(() => run.sent.length === 43);
  await run.stop();
  assert.deepEqual(
    ids(run).sort((left, right) => left - right),
    [...range(1, 40), ...range(900, 902)],
  );
});

test('a chunk with a wrong checksum is skipped, counted and named', async (t) => {
  const { write, readOnce } = place(t);
  const chunks = chunksOf(logonRecords(400));
  const bad = Buffer.from(chunks[1]!);
  bad[9000]! ^= 1;
  write(evtxFile([chunks[0]!, bad, ...chunks.slice(2)]));
  const run = await readOnce();
  const skipped = range(Number(bad.readBigUInt64LE(24)), Number(bad.readBigUInt64LE(32)));
  assert.deepEqual(
    ids(run),
    range(1, 400).filter((id) => !skipped.includes(id)),
  );
  assert.deepEqual(damage(run), [1, 0]);
  assert.equal(run.counter('sluice_evtx_missed_records_total'), skipped.length);
  const said = run.warningFields.find((fields) => fields['chunk'] === 1);
  assert.equal(said?.['offset'], 4096 + chunkBytes);
  assert.match(String(said?.['reason']), /checksum of its records is wrong/);
});

test('with read_damaged_chunks its whole records are read', async (t) => {
  const { write, readOnce } = place(t);
  const writer = new ChunkWriter();
  for (const record of logonRecords(20)) writer.add(record);
  const chunk = Buffer.from(writer.finish());
  // The 11th record's size.
  chunk.writeUInt32LE(13, writer.starts[10]! + 4);
  write(evtxFile([chunk]));
  const run = await readOnce({ read_damaged_chunks: true });
  assert.deepEqual(
    ids(run),
    range(1, 20).filter((id) => id !== 11),
  );
  assert.deepEqual(damage(run), [1, 1]);
});

test('a damaged record of an intact chunk is left out and named; the others come', async (t) => {
  const { write, readOnce } = place(t);
  const writer = new ChunkWriter();
  for (const record of logonRecords(5)) writer.add(record);
  const broken = eventRecordOf({ id: 6, body: { type: 0x21, bytes: Buffer.from([0x7f, 1, 2]) } });
  assert.ok(writer.add(broken));
  for (const record of logonRecords(5, 7)) writer.add(record);
  write(evtxFile([writer.finish()]));
  const run = await readOnce();
  assert.deepEqual(
    ids(run),
    range(1, 11).filter((id) => id !== 6),
  );
  assert.deepEqual(damage(run), [0, 1]);
  assert.match(String(run.warningFields[0]!['reason']), /unknown token 127 .* in record 6/);
});

test('of a log that was not closed, records that no header knows of are read', async (t) => {
  const { write, readOnce } = place(t);
  const writer = new ChunkWriter();
  for (const record of logonRecords(5)) writer.add(record);
  const header = Buffer.from(writer.finish().subarray(0, 128));
  for (const record of logonRecords(5, 6)) writer.add(record);
  // The header is that of five records ago.
  const chunk = Buffer.from(writer.bytes);
  header.copy(chunk);
  write(evtxFile([chunk], true));
  const run = await readOnce();
  assert.deepEqual(ids(run), range(1, 10));
  assert.deepEqual(damage(run), [0, 0]);
});

test('of a log that was not closed, records that cannot be found are counted', async (t) => {
  const { write, readOnce } = place(t);
  const writer = new ChunkWriter();
  for (const record of logonRecords(10)) writer.add(record);
  const chunk = writer.finish();
  chunk.fill(0, writer.starts[7]!);
  write(evtxFile([chunk], true));
  const run = await readOnce();
  assert.deepEqual(ids(run), range(1, 7));
  assert.deepEqual(damage(run), [0, 1]);
});

test('of a truncated file the whole chunks are read', async (t) => {
  const { write, readOnce } = place(t);
  const chunks = chunksOf(logonRecords(400));
  const file = evtxFile(chunks);
  write(file.subarray(0, 4096 + 2 * chunkBytes + 20_000));
  const run = await readOnce();
  assert.deepEqual(ids(run), range(1, Number(chunks[1]!.readBigUInt64LE(32))));
  assert.deepEqual(damage(run), [1, 0]);
  write(file.subarray(0, 4096 + 2 * chunkBytes + 100), 'short.evtx');
  const other = await readOnce({ path: ['short.evtx'] });
  assert.equal(other.sent.length, run.sent.length);
  assert.deepEqual(damage(other), [1, 0]);
});

test('a file that is being copied is waited for', async (t) => {
  const { write, start, directory } = place(t);
  const file = evtxFile(chunksOf(logonRecords(400)));
  const run = start({ refresh_interval: 300 });
  let at = 4096 + chunkBytes + 30_000;
  write(file.subarray(0, at));
  await run.until(() => run.sent.length > 0);
  for (const step of [20_000, 50_000, file.length]) {
    appendFileSync(join(directory, 'log.evtx'), file.subarray(at, at + step));
    at += step;
    const { length } = run.sent;
    if (at >= file.length) await run.until(() => run.sent.length === 400);
    else if (step > 30_000) await run.until(() => run.sent.length > length);
  }
  await run.stop();
  assert.deepEqual(ids(run), range(1, 400));
  assert.deepEqual(damage(run), [0, 0]);
});

test('a file that stays truncated, or damaged, is said to be so while it is followed', async (t) => {
  const { write, start } = place(t);
  const file = evtxFile(chunksOf(logonRecords(400)));
  write(file.subarray(0, 4096 + chunkBytes + 100), 'short.evtx');
  write(file.subarray(0, 4096 + 2 * chunkBytes - 9000), 'shorter.evtx');
  const run = start();
  await run.until(() => run.counter('sluice_evtx_damaged_chunks_total') === 2);
  await run.stop();
  assert.equal(new Set(ids(run)).size, run.sent.length / 2);
});

test('chunks without the header of a file, as carved out of a disk, are read', async (t) => {
  const { write, readOnce } = place(t);
  write(Buffer.concat(chunksOf(logonRecords(400))));
  const run = await readOnce();
  assert.deepEqual(ids(run), range(1, 400));
  assert.deepEqual(damage(run), [0, 0]);
});

test('each file that is no log is named and counted, once', async (t) => {
  const { write, start } = place(t);
  for (const name of ['a.evtx', 'b.evtx', 'c.evtx']) write(Buffer.from('this is text'), name);
  const run = start();
  await run.until(() => run.counter('sluice_evtx_unreadable_files_total') === 3);
  write(Buffer.from('this is a longer text'), 'a.evtx');
  write(evtxFile(chunksOf(logonRecords(2))), 'd.evtx');
  await run.until(() => run.sent.length === 2);
  await run.stop();
  assert.equal(run.counter('sluice_evtx_unreadable_files_total'), 3);
  assert.equal(new Set(run.warningFields.map(({ path }) => path)).size, 3);
});

test('a file that is no log is named, and read once it is one', async (t) => {
  const { write, start } = place(t);
  write(Buffer.from('this is text'));
  const run = start();
  await run.until(() => run.warnings.length > 0);
  assert.match(String(run.warningFields[0]!['error']), /no event log/);
  write(evtxFile(chunksOf(logonRecords(2))));
  await run.until(() => run.sent.length === 2);
  await run.stop();
});

test('records of earlier uses of a chunk are read on request, and marked', async (t) => {
  const { write, readOnce } = place(t);
  const old = new ChunkWriter();
  for (const record of logonRecords(60)) old.add(record);
  const chunk = Buffer.from(old.finish());
  const young = new ChunkWriter();
  for (const record of logonRecords(10, 1000)) young.add(record);
  const fresh = young.finish();
  fresh.copy(chunk, 0, 0, fresh.readUInt32LE(48));
  write(evtxFile([chunk]));
  const run = await readOnce({ include_slack: true });
  const slack = run.sent.filter(({ record }) => record['Slack'] === true);
  const rest = run.sent.filter(({ record }) => record['Slack'] === undefined);
  assert.deepEqual(
    rest.map(({ record }) => record['EventRecordID']),
    range(1000, 1009),
  );
  assert.ok(slack.length > 20);
  assert.equal(slack.at(-1)!.record['EventRecordID'], 60);
  assert.equal(run.counter('sluice_evtx_slack_records_total'), slack.length);
  assert.deepEqual(ids(await readOnce()), []);
  assert.ok(young.add(logonRecords(1, 1010)[0]!));
  write(evtxFile([young.finish()]));
  assert.deepEqual(ids(await readOnce()), [1010]);
});

test('a record larger than the greatest event is counted; one larger than a slot is not', async (t) => {
  const { write, start } = place(t);
  const text = '\u0001'.repeat(25_000);
  const holes = Array.from({ length: 5 }, (_, index) =>
    element('Data', { Name: `part${index}` }, [{ kind: 'hole', index: 0, isOptional: false }]),
  );
  const template = { guid: Buffer.alloc(16, 5), root: element('EventData', {}, holes) };
  const body = value.xml(instance(template, [value.string(text)]));
  write(evtxFile(chunksOf([eventRecordOf({ id: 1, body }), ...logonRecords(3, 2)])));
  const options = { exit_on_eof: true };
  const whole = await start({ ...options }).ended();
  assert.deepEqual(ids(whole), [1, 2, 3, 4]);
  assert.equal((whole.sent[0]!.record['EventData'] as Record<string, string>)['part4'], text);
  const service = {
    eventBytesMax: 100_000,
    flushMs: 1,
    multilineBufferLimitBytes: 1,
    hostName: '',
    storagePath: '',
  };
  write(evtxFile(chunksOf([eventRecordOf({ id: 1, body }), ...logonRecords(3, 2)])), 'b.evtx');
  const small = await start({ ...options, path: ['b.evtx'] }, { service }).ended();
  assert.deepEqual(ids(small), [2, 3, 4]);
  assert.equal(small.counter('sluice_evtx_too_large_records_total'), 1);
});

test('whatever byte is changed, intact chunks are delivered and nothing hangs', async (t) => {
  const { directory } = place(t);
  const chunks = [chunksOf(logonRecords(20))[0]!, chunksOf(logonRecords(20, 21))[0]!];
  const file = evtxFile(chunks);
  const used = 4096 + chunks[0]!.readUInt32LE(48);
  // Each run changes many bytes, one a file; all of them together every used one of both headers
  // and the first record, and a sample of the rest.
  const places = [...range(0, 127), ...range(4096, 4096 + 1600)];
  for (let at = 4096 + 1601; at < used; at += 13) places.push(at);
  for (let from = 0; from < places.length; from += 200) {
    const some = places.slice(from, from + 200);
    for (const at of some) {
      const bytes = Buffer.from(file);
      bytes[at]! ^= 1 << (at % 8);
      writeFileSync(join(directory, `${at}.evtx`), bytes);
    }
    const run = evtxRun(directory, new MemoryCheckpoints(), {
      exit_on_eof: true,
      path_key: 'file',
    });
    await run.ended();
    const seen = new Map<string, number[]>();
    for (const { record } of run.sent) {
      // Windows takes both slashes, and paths in records have the forward one.
      const name = basename(String(record['file']));
      seen.set(name, [...(seen.get(name) ?? []), record['EventRecordID'] as number]);
    }
    for (const at of some) {
      const got = seen.get(`${at}.evtx`) ?? [];
      // The size of the header block and the file's flags decide where chunks are and how far the
      // newest is trusted; all else leaves the second chunk as it is.
      if (at === 40 || at === 41) continue;
      assert.deepEqual(
        got.filter((id) => id > 20),
        range(21, 40),
        `byte ${at}`,
      );
      assert.ok(at < 4096 || got.every((id) => id > 20) || got.length === 40, `byte ${at}`);
      rmSync(join(directory, `${at}.evtx`));
    }
    for (const at of some) rmSync(join(directory, `${at}.evtx`), { force: true });
  }
});

test('with damage taken as it comes, no bytes make it crash or hang', async (t) => {
  const { directory } = place(t);
  const chunk = chunksOf(logonRecords(30))[0]!;
  const used = chunk.readUInt32LE(48);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: used - 1 }), fc.nat(255)), {
        minLength: 1,
        maxLength: 60,
      }),
      async (changes) => {
        const bytes = evtxFile([chunk], true);
        for (const [at, byte] of changes) bytes[4096 + at] = byte;
        writeFileSync(join(directory, 'log.evtx'), bytes);
        const run = evtxRun(directory, new MemoryCheckpoints(), {
          exit_on_eof: true,
          read_damaged_chunks: true,
          include_slack: true,
        });
        await run.ended();
        assert.ok(run.sent.length <= 40);
      },
    ),
    { numRuns: 150 },
  );
});
