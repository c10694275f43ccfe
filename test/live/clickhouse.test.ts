import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { startPipeline } from '../../core/testing/start_pipeline.ts';
import { waitUntil } from '../../core/testing/wait_until.ts';
import { plugin as dummy } from '../../plugins/inputs/dummy/index.ts';
import { plugin } from '../../plugins/outputs/clickhouse/index.ts';
import { type RunningServer, servers } from '../servers/index.ts';
import {
  chunkOf,
  delivery,
  outputOf,
  restored,
  type TestEvent,
  type TestOutput,
} from '../unit/outputs/chunk_harness.ts';

const verdict = await servers.clickhouse.canRun();
const skip = verdict.ok ? false : `clickhouse: ${verdict.why}`;
let server: RunningServer;

before(async () => {
  if (skip !== false) return;
  server = await servers.clickhouse.start();
  await query('CREATE DATABASE store');
});

after(async () => {
  if (skip === false) await server.stop();
});

async function query(sql: string): Promise<string> {
  const answer = await fetch(server.url, {
    method: 'POST',
    body: sql,
    headers: {
      'x-clickhouse-user': server.username!,
      'x-clickhouse-key': server.password!,
    },
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, `${sql}: ${text}`);
  return text;
}

function open(t: TestContext, options: Readonly<Record<string, unknown>>): TestOutput {
  const made = outputOf(plugin, {
    port: server.port,
    database: 'store',
    user: server.username,
    password: server.password,
    ...options,
  });
  t.after(() => made.output.close?.());
  return made;
}

async function rowsOf(table: string, order = 'n'): Promise<Record<string, unknown>[]> {
  const settings = 'SETTINGS output_format_json_quote_64bit_integers = 1';
  const text = await query(
    `SELECT * FROM store.${table} ORDER BY ${order} FORMAT JSONEachRow ${settings}`,
  );
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function createTable(name: string, columns: string, window = 1000): Promise<void> {
  await query(
    `CREATE TABLE store.${name} (${columns}) ENGINE = MergeTree ORDER BY tuple() ` +
      `SETTINGS non_replicated_deduplication_window = ${window}`,
  );
}

test('one unparsable row of 10,000 is refused alone, with its column and value', {
  skip,
}, async (t) => {
  await createTable('unparsable', 'n UInt32, message String, timestamp DateTime64(9)');
  const { output } = open(t, { table: 'unparsable' });
  const events: TestEvent[] = Array.from({ length: 10_000 }, (_, n) => ({
    root: { n: n === 6_543 ? 'not a number' : n, message: `line ${n}` },
    seconds: 1_700_000_000 + n,
    nanos: 123_456_789,
  }));
  const { chunk } = chunkOf(output.encoder, events);
  const outcome = await output.deliver(chunk, delivery());
  assert.equal(outcome.kind, 'partial');
  assert.ok(outcome.kind === 'partial');
  assert.deepEqual(outcome.retry, []);
  assert.equal(outcome.rejected.length, 1);
  assert.equal(outcome.rejected[0]!.index, 6_543);
  assert.match(outcome.rejected[0]!.reason, /^Column n does not take "not a number": /);
  const sum = await query(
    "SELECT count(), countIf(message = 'line 6543'), min(timestamp), uniq(_part) FROM store.unparsable",
  );
  assert.equal(sum, '9999\t0\t2023-11-14 22:13:20.123456789\t1\n');
});

test('many bad rows of every kind are refused, the others stored once', { skip }, async (t) => {
  await createTable(
    'bad_rows',
    "n UInt32, e Enum8('a' = 1) DEFAULT 'a', u UUID, CONSTRAINT small CHECK n < 1000",
  );
  const { output } = open(t, { table: 'bad_rows', time_key: '' });
  const bad: Record<number, [object, RegExp]> = {
    3: [{ n: 1.5 }, /^Column n does not take 1\.5: /],
    4: [{ n: -1 }, /^Column n does not take -1: /],
    50: [{ n: [1] }, /^Column n does not take \[1\]: /],
    51: [{ n: 5, e: 'zz' }, /^Column e does not take "zz": /],
    52: [{ n: 5, u: 'zz (at row 2)' }, /^Column u does not take "zz \(at row 2\)": /],
    60: [{ n: 5000 }, /Constraint `small`.* n = 5000/],
    61: [{ n: 6, unknown: 'column' }, /^Column unknown does not take "column": Unknown field/],
    70: [{ n: 'x' }, /^Column n does not take "x": /],
    71: [{ n: 'y' }, /^Column n does not take "y": /],
    72: [{ n: 'z' }, /^Column n does not take "z": /],
    99: [{ n: {} }, /^Column n does not take \{\}: /],
  };
  const events = Array.from({ length: 100 }, (_, n) => ({ root: bad[n]?.[0] ?? { n } }));
  const good = events.flatMap((_, n) => (bad[n] === undefined ? [n] : []));
  const { chunk } = chunkOf(output.encoder, events);
  for (let time = 0; time < 2; time++) {
    const outcome = await output.deliver(chunk, delivery());
    assert.ok(outcome.kind === 'partial');
    const reasons = new Map(outcome.rejected.map(({ index, reason }) => [index, reason]));
    for (const [index, [, reason]] of Object.entries(bad)) {
      assert.match(reasons.get(Number(index)) ?? 'not refused', reason);
    }
    assert.equal(reasons.size, Object.keys(bad).length);
    assert.deepEqual(
      (await rowsOf('bad_rows')).map(({ n }) => n),
      good,
    );
  }
});

test('a chunk where no row is good ends with all of them refused', { skip }, async (t) => {
  await createTable('all_bad', 'n UInt32');
  const { output } = open(t, { table: 'all_bad', time_key: '' });
  const { chunk } = chunkOf(
    output.encoder,
    Array.from({ length: 100 }, () => ({ root: { n: 'x' } })),
  );
  const outcome = await output.deliver(chunk, delivery());
  assert.ok(outcome.kind === 'partial');
  assert.deepEqual(
    outcome.rejected.map(({ index }) => index).sort((a, b) => a - b),
    chunk.sections.flatMap(({ count }) => Array.from({ length: count }, (_, i) => i)),
  );
});

test('a chunk that is delivered again, also from the disk, is stored once', { skip }, async (t) => {
  await createTable('twice', 'n UInt32');
  const { output } = open(t, { table: 'twice', time_key: '' });
  const { chunk } = chunkOf(
    output.encoder,
    Array.from({ length: 500 }, (_, n) => ({ root: { n } })),
  );
  assert.deepEqual(await output.deliver(chunk, delivery()), { kind: 'accepted' });
  for (let time = 0; time < 10; time++) {
    assert.deepEqual(await output.deliver(restored(chunk), delivery()), { kind: 'accepted' });
  }
  assert.equal((await rowsOf('twice')).length, 500);
  const same = chunkOf(output.encoder, [{ root: { n: 7 } }]).chunk;
  const again = chunkOf(output.encoder, [{ root: { n: 7 } }]).chunk;
  await output.deliver(same, delivery());
  await output.deliver(again, delivery());
  assert.equal((await rowsOf('twice')).length, 502, 'equal rows of different chunks are all kept');
});

test('an unknown table is waited for', { skip }, async (t) => {
  const { output } = open(t, { table: 'later', time_key: '' });
  const { chunk } = chunkOf(output.encoder, [{ root: { n: 1 } }]);
  const outcome = await output.deliver(chunk, delivery());
  assert.ok(outcome.kind === 'retry');
  assert.match(outcome.reason, /later does not exist.*ClickHouse error 60/);
  await assert.rejects(output.probe!(new AbortController().signal), /has no table store\.later/);
  await createTable('later', 'n UInt32');
  assert.deepEqual(await output.deliver(chunk, delivery()), { kind: 'accepted' });
  assert.equal((await rowsOf('later')).length, 1);
});

test('a table and its database are created from the columns, with a window', {
  skip,
}, async (t) => {
  const columns = { timestamp: 'DateTime64(9)', level: 'LowCardinality(String)', n: 'UInt32' };
  const options = { database: 'made here', table: 'it`s', columns, create_table: true };
  const made = open(t, { ...options, partition_by: 'toYYYYMM(timestamp)' });
  await made.output.open?.();
  const event = { root: { level: 'info', n: 1, other: true }, seconds: 1_700_000_000, nanos: 5 };
  const { chunk } = chunkOf(made.output.encoder, [event]);
  assert.deepEqual(await made.output.deliver(chunk, delivery()), { kind: 'accepted' });
  await made.output.deliver(restored(chunk), delivery());
  const rows = await query('SELECT * FROM `made here`.`it\\`s` FORMAT JSONEachRow');
  assert.equal(rows, '{"timestamp":"2023-11-14 22:13:20.000000005","level":"info","n":1}\n');
  await made.output.probe?.(new AbortController().signal);
  assert.match(made.log.join('\n'), /one that is sent again is stored once/);
  await query('DROP TABLE `made here`.`it\\`s`');
  const next = chunkOf(made.output.encoder, [event]).chunk;
  assert.deepEqual(await made.output.deliver(next, delivery()), { kind: 'accepted' });
});

test('a probe says when a table does not remember inserts', { skip }, async (t) => {
  await createTable('forgetful', 'n UInt32', 0);
  const { output, log } = open(t, { table: 'forgetful' });
  await output.probe?.(new AbortController().signal);
  assert.match(log.join('\n'), /may be stored twice/);
});

test('a wrong password is retried with its reason', { skip }, async (t) => {
  await createTable('guarded', 'n UInt32');
  const { output } = open(t, { table: 'guarded', password: 'wrong' });
  const outcome = await output.deliver(
    chunkOf(output.encoder, [{ root: { n: 1 } }]).chunk,
    delivery(),
  );
  assert.ok(outcome.kind === 'retry');
  assert.match(outcome.reason, /Authentication failed.*516/);
  await assert.rejects(output.probe!(new AbortController().signal), /Authentication failed/);
});

const everyType: Record<string, [type: string, value: unknown, read: unknown]> = {
  i8: ['Int8', -128, -128],
  i16: ['Int16', -32768, -32768],
  i32: ['Int32', -2147483648, -2147483648],
  i64: ['Int64', '-9223372036854775808', '-9223372036854775808'],
  i128: [
    'Int128',
    '-170141183460469231731687303715884105728',
    '-170141183460469231731687303715884105728',
  ],
  u8: ['UInt8', 255, 255],
  u16: ['UInt16', 65535, 65535],
  u32: ['UInt32', 4294967295, 4294967295],
  u64: ['UInt64', '18446744073709551615', '18446744073709551615'],
  u256: ['UInt256', '12345678901234567890123456789', '12345678901234567890123456789'],
  f32: ['Float32', 1.5, 1.5],
  f64: ['Float64', 0.1, 0.1],
  flag: ['Bool', true, true],
  text: ['String', 'é\u0000"\\\n語', 'é\u0000"\\\n語'],
  fixed: ['FixedString(4)', 'ab', 'ab\u0000\u0000'],
  day: ['Date', '2024-02-29', '2024-02-29'],
  day32: ['Date32', '1950-06-01', '1950-06-01'],
  moment: ['DateTime', '2024-02-29T12:34:56Z', '2024-02-29 12:34:56'],
  berlin: ["DateTime('Europe/Berlin')", '2024-07-01 12:00:00', '2024-07-01 12:00:00'],
  epoch: ['DateTime', 1704164645, '2024-01-02 03:04:05'],
  ms: ['DateTime64(3)', '2024-02-29T12:34:56.789Z', '2024-02-29 12:34:56.789'],
  ns: ["DateTime64(9, 'UTC')", '1969-12-31T23:59:59.123456789Z', '1969-12-31 23:59:59.123456789'],
  uuid: ['UUID', '61f0c404-5cb3-11e7-907b-a6006ad3dba0', '61f0c404-5cb3-11e7-907b-a6006ad3dba0'],
  v4: ['IPv4', '192.168.1.200', '192.168.1.200'],
  v6: ['IPv6', '2001:db8::ff00:42:8329', '2001:db8::ff00:42:8329'],
  mapped: ['IPv6', '10.1.2.3', '::ffff:10.1.2.3'],
  colour: ["Enum8('red' = -1, 'it\\'s' = 2)", "it's", "it's"],
  wide: ["Enum16('a' = 1000, 'b' = -5)", 'a', 'a'],
  low: ['LowCardinality(String)', 'often', 'often'],
  lowNull: ['LowCardinality(Nullable(String))', null, null],
  nothing: ['Nullable(Int32)', null, null],
  something: ['Nullable(Int32)', 7, 7],
  list: ['Array(Nullable(UInt16))', [1, null, 3], [1, null, 3]],
  lists: ['Array(Array(String))', [['a', 'b"],'], [], ['c']], [['a', 'b"],'], [], ['c']]],
  map: ['Map(String, UInt64)', { a: 1, 'b"': 2 }, { a: '1', 'b"': '2' }],
  mapOfLists: ['Map(LowCardinality(String), Array(Float64))', { x: [1.5] }, { x: [1.5] }],
  d32: ['Decimal(9, 2)', '-1234567.89', -1234567.89],
  d64: ['Decimal(18, 4)', '1234567890.5678', 1234567890.5678],
  d128: ['Decimal(38, 3)', 12.5, 12.5],
};

for (const format of ['row_binary', 'json_each_row']) {
  test(`every declared type comes back equal from ${format}`, { skip }, async (t) => {
    const columns = Object.entries(everyType).map(([name, [type]]) => ({ name, type }));
    const table = `types_${format}`;
    const { output } = open(t, { table, format, columns, create_table: true, time_key: 'none' });
    const values = Object.entries(everyType).map(([name, [, value]]) => [name, value]);
    const { chunk, rejected } = chunkOf(output.encoder, [
      { root: Object.fromEntries(values) },
      { fields: Object.fromEntries(values) },
      { root: {} },
    ]);
    assert.deepEqual([...rejected], []);
    assert.deepEqual(await output.deliver(chunk, delivery()), { kind: 'accepted' });
    const rows = await rowsOf(table, 'u8 DESC');
    assert.equal(rows.length, 3);
    for (const [name, [, , read]] of Object.entries(everyType)) {
      assert.deepEqual(rows[0]![name], read, name);
      assert.deepEqual(rows[1]![name], read, name);
    }
    // Types in which 64 bits are a text when read.
    assert.equal(rows[2]!['u64'], '0');
    assert.equal(rows[2]!['nothing'], null);
    assert.equal(rows[2]!['wide'], 'b');
    assert.deepEqual(rows[2]!['list'], []);
  });
}

test('values out of range are refused before they are sent', { skip }, async (t) => {
  const columns = { n: 'UInt32', timestamp: 'DateTime64(9)' };
  for (const format of ['row_binary', 'json_each_row']) {
    const table = `ranges_${format}`;
    const { output } = open(t, { table, format, columns, create_table: true });
    const { chunk, rejected } = chunkOf(output.encoder, [
      { root: { n: 4294967295 }, seconds: 1, nanos: 1 },
      { root: { n: 4294967296 } },
      { fields: { n: '-1' } },
      { root: { n: 'x' } },
    ]);
    assert.deepEqual(
      [...rejected],
      [
        [1, 'Column n (UInt32) does not take "4294967296": it is not from 0 to 4294967295.'],
        [2, 'Column n (UInt32) does not take "-1": it is not from 0 to 4294967295.'],
        [3, 'Column n (UInt32) does not take "x": it is no number.'],
      ],
    );
    await output.deliver(chunk, delivery());
    assert.deepEqual(await rowsOf(table), [
      { n: 4294967295, timestamp: '1970-01-01 00:00:01.000000001' },
    ]);
  }
});

test('a table whose types are not the declared ones is waited for, never filled', {
  skip,
}, async (t) => {
  await createTable('drifted', 'n Int32, s String');
  for (const columns of [{ n: 'UInt32' }, { missing: 'UInt32' }]) {
    const { output } = open(t, { table: 'drifted', format: 'row_binary', columns });
    const { chunk } = chunkOf(output.encoder, [{ root: { n: 1, missing: 1 } }]);
    const outcome = await output.deliver(chunk, delivery());
    assert.ok(outcome.kind === 'retry', JSON.stringify(outcome));
    assert.match(outcome.reason, /Type of 'n' must be Int32, not UInt32|No such column missing/);
  }
  assert.deepEqual(await rowsOf('drifted'), []);
});

test('rows go to the table that their fields name, in one chunk', { skip }, async (t) => {
  const { output } = open(t, {
    table: 'app_%{app}_%{+YYYY}',
    columns: [
      { name: 'n', type: 'UInt32' },
      { name: 'app', type: 'String', field: '$nested["app"]' },
    ],
    create_table: true,
  });
  const { chunk } = chunkOf(
    output.encoder,
    ['a', 'b/../x', 'a'].map((app, n) => ({ root: { n, app, nested: { app } } })),
  );
  assert.deepEqual(
    chunk.sections.map(({ key }) => key),
    ['app_a_1970', 'app_b____x_1970'],
  );
  assert.deepEqual(await output.deliver(chunk, delivery()), { kind: 'accepted' });
  await output.deliver(restored(chunk), delivery());
  assert.deepEqual(await rowsOf('app_a_1970'), [
    { n: 0, app: 'a' },
    { n: 2, app: 'a' },
  ]);
  assert.deepEqual(await rowsOf('app_b____x_1970'), [{ n: 1, app: 'b/../x' }]);
});

test('an insert into too many partitions goes in parts', { skip }, async (t) => {
  await query(
    'CREATE TABLE store.partitions (n UInt32) ENGINE = MergeTree ORDER BY n PARTITION BY n',
  );
  const { output } = open(t, {
    table: 'partitions',
    time_key: '',
    compress: 'gzip',
    settings: { max_partitions_per_insert_block: 10 },
  });
  const { chunk } = chunkOf(
    output.encoder,
    Array.from({ length: 40 }, (_, n) => ({ root: { n } })),
  );
  assert.deepEqual(await output.deliver(chunk, delivery()), { kind: 'accepted' });
  assert.equal((await rowsOf('partitions')).length, 40);
});

test('a server that is down or frozen means another try, which stores the rows once', {
  skip,
}, async (t) => {
  await createTable('restarted', 'n UInt32');
  const { output } = open(t, {
    table: 'restarted',
    time_key: '',
    'http.response_timeout': '500ms',
  });
  const events = Array.from({ length: 10 }, (_, n) => ({ root: { n: n === 5 ? 'bad' : n } }));
  const { chunk } = chunkOf(output.encoder, events);
  await server.kill();
  await assert.rejects(output.deliver(chunk, delivery()), { code: 'SLUICE_OUTPUT_UNREACHABLE' });
  await server.restart();
  server.pause();
  await assert.rejects(output.deliver(chunk, delivery()), { code: 'SLUICE_OUTPUT_UNREACHABLE' });
  server.resume();
  const slow = open(t, { table: 'restarted', time_key: '' });
  for (let time = 0; time < 3; time++) {
    const outcome = await slow.output.deliver(chunk, delivery());
    assert.ok(outcome.kind === 'partial');
    assert.deepEqual(
      outcome.rejected.map(({ index }) => index),
      [5],
    );
  }
  assert.equal((await rowsOf('restarted')).length, 9);
});

test('an aborted delivery ends at once', { skip }, async (t) => {
  await createTable('aborted', 'n UInt32');
  const { output } = open(t, { table: 'aborted', time_key: '' });
  const controller = new AbortController();
  server.pause();
  t.after(() => server.resume());
  const { chunk } = chunkOf(output.encoder, [{ root: { n: 1 } }]);
  const delivering = output.deliver(chunk, delivery(controller.signal));
  controller.abort();
  await assert.rejects(delivering);
});

test('the example of the plugin runs as it stands', { skip }, async (t) => {
  const yaml = plugin.example.replace('host: 127.0.0.1', `port: ${server.port}`);
  const pipeline = await startPipeline({ yaml, plugins: [dummy, plugin] });
  t.after(() => pipeline.stop());
  const count = async (): Promise<string> => query('SELECT count(), any(message) FROM logs.events');
  await waitUntil(
    'the three records',
    async () => (await count().catch(() => '')) === '3\thello\n',
  );
});
