import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { messageOf } from '../../core/errors/sluice_error.ts';
import { importDriver } from '../../core/sdk/index.ts';
import { openDatabase } from '../../plugins/outputs/duckdb/database.ts';
import { plugin } from '../../plugins/outputs/duckdb/index.ts';
import { runQuery } from '../../plugins/outputs/duckdb/query.ts';
import {
  chunkOf,
  delivery,
  outputOf,
  problemsOf,
  restored,
  type TestEvent,
} from '../unit/outputs/chunk_harness.ts';

const skip = await importDriver('@duckdb/node-api', () => import('@duckdb/node-api')).then(
  () => false as const,
  (error) => `duckdb: ${messageOf(error)}`,
);

interface Opened {
  readonly directory: string;
  readonly path: string;
  store(events: readonly TestEvent[], id?: string): Promise<unknown>;
  ask(sql: string): Promise<readonly (readonly unknown[])[]>;
  open(options?: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
}

async function start(
  t: TestContext,
  options: Readonly<Record<string, unknown>> = {},
): Promise<Opened> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-duckdb-'));
  const path = join(directory, 'data', 'logs.duckdb');
  let made = outputOf(plugin, { path, ...options });
  const opened: Opened = {
    directory,
    path,
    async store(events, id) {
      const { chunk, rejected } = chunkOf(made.output.encoder, events, id);
      assert.equal(rejected.size, 0);
      return await made.output.deliver(chunk, delivery());
    },
    ask: async (sql) => (await made.output.query!(sql)).rows,
    async open(changed = {}) {
      made = outputOf(plugin, { path, ...options, ...changed });
      await made.output.open?.();
    },
    close: async () => await made.output.close?.(),
  };
  await made.output.open?.();
  t.after(async () => {
    await made.output.close?.();
    rmSync(directory, { recursive: true, force: true });
  });
  return opened;
}

const accepted = { kind: 'accepted' };

test('fields become columns by their first value and times keep nanoseconds', {
  skip,
}, async (t) => {
  const db = await start(t);
  const root = '{"a":"x","n":9007199254740993,"d":1.5,"b":true,"o":{"k":[1]},"z":null}';
  assert.deepEqual(
    await db.store([{ root, seconds: 1767323045, nanos: 123456789, fields: { added: 'é' } }]),
    accepted,
  );
  assert.deepEqual(await db.ask('SELECT * EXCLUDE (_extra) FROM logs'), [
    ['2026-01-02 03:04:05.123456789', 'x', '9007199254740993', 1.5, true, { k: [1] }, 'é'],
  ]);
  assert.deepEqual(
    (await db.ask('DESCRIBE logs')).map(([name, type]) => `${name} ${type}`),
    [
      'time TIMESTAMP_NS',
      '_extra JSON',
      'a VARCHAR',
      'n BIGINT',
      'd DOUBLE',
      'b BOOLEAN',
      'o JSON',
      'added VARCHAR',
    ],
  );
});

test('later fields add columns, also after a restart', { skip }, async (t) => {
  const db = await start(t);
  await db.store([{ root: { a: 1 } }]);
  await db.store([{ root: { a: 2, b: 'x' } }, { root: { c: { d: 1 } } }]);
  await db.close();
  await db.open();
  await db.store([{ root: { a: 3, b: 'y', e: false } }]);
  assert.deepEqual(await db.ask('SELECT a, b, c, e FROM logs'), [
    [1, null, null, null],
    [2, 'x', null, null],
    [null, null, { d: 1 }, null],
    [3, 'y', null, false],
  ]);
});

test('within a chunk a field gets the type that holds all its values', { skip }, async (t) => {
  const db = await start(t);
  await db.store([{ root: { n: 1, m: 1, o: 'x' } }, { root: { n: 2.5, m: 'two', o: { k: 1 } } }]);
  assert.deepEqual(await db.ask('SELECT n, m, o, _extra FROM logs'), [
    [1, '1', 'x', null],
    [2.5, 'two', { k: 1 }, null],
  ]);
});

test('what does not fit its column is kept beside it, untouched', { skip }, async (t) => {
  const db = await start(t);
  await db.store([{ root: { n: 1, d: 1.5, b: true } }]);
  const odd = [
    '{"n":1.5}',
    '{"n":"12"}',
    '{"n":9223372036854775808}',
    '{"d":9007199254740993}',
    '{"d":1e999}',
    '{"b":"true","n":5}',
    '{"n":[1, 2]}',
  ];
  assert.deepEqual(await db.store(odd.map((root) => ({ root }))), accepted);
  const rows = await db.ask('SELECT n, d, b, _extra::VARCHAR FROM logs OFFSET 1');
  assert.deepEqual(rows, [
    [null, null, null, '{"n":1.5}'],
    [null, null, null, '{"n":"12"}'],
    [null, null, null, '{"n":9223372036854775808}'],
    [null, null, null, '{"d":9007199254740993}'],
    [null, null, null, '{"d":1e999}'],
    [5, null, null, '{"b":"true"}'],
    [null, null, null, '{"n":[1,2]}'],
  ]);
});

test('fields without a possible column are kept: too many, in another case, reserved', {
  skip,
}, async (t) => {
  const db = await start(t, { columns_max: 2 });
  const root = { a: 1, A: 2, time: 'mine', _extra: 3, b: 4, c: 5, '': 6, 'x\ny': 7 };
  assert.deepEqual(await db.store([{ root }]), accepted);
  assert.deepEqual(await db.ask('SELECT a, b, _extra FROM logs'), [
    [1, 4, { A: 2, time: 'mine', _extra: 3, c: 5, '': 6, 'x\ny': 7 }],
  ]);
});

test('names with quotes and values with every kind of character arrive', { skip }, async (t) => {
  const db = await start(t);
  const value = 'a\nb\t"\\\u0000é😀\u001e\u2028';
  const key = `it's "odd".x`;
  assert.deepEqual(await db.store([{ root: { [key]: value } }]), accepted);
  assert.deepEqual(await db.ask(`SELECT "it's ""odd"".x" FROM logs`), [[value]]);
  const spread = '{\n  "spread": [1,\n 2]\n}';
  assert.deepEqual(await db.store([{ root: spread }]), accepted);
  assert.deepEqual(await db.ask('SELECT spread FROM logs WHERE spread IS NOT NULL'), [[[1, 2]]]);
});

test('a time that 64 bits of nanoseconds cannot hold is kept as text', { skip }, async (t) => {
  const db = await start(t);
  assert.deepEqual(await db.store([{ root: { a: 1 }, seconds: 253_402_300_799 }]), accepted);
  assert.deepEqual(await db.ask('SELECT time, _extra FROM logs'), [
    [null, { _sluice_time: '9999-12-31T23:59:59.000000000Z' }],
  ]);
});

test('a record that DuckDB refuses is rejected alone with the reason', { skip }, async (t) => {
  const db = await start(t);
  const events = Array.from({ length: 9 }, (_, n) => ({ root: `{"n":${n},"t":"x"}` }));
  // Half a surrogate pair: valid for JSON's grammar, refused by DuckDB's reader.
  events[5] = { root: '{"n":5,"t":"\\ud800"}' };
  const outcome = (await db.store(events, 'a'.repeat(32))) as {
    kind: string;
    rejected: { index: number; reason: string }[];
  };
  assert.equal(outcome.kind, 'partial');
  assert.deepEqual(
    outcome.rejected.map(({ index }) => index),
    [5],
  );
  assert.match(outcome.rejected[0]!.reason, /Malformed JSON.*surrogate/);
  const stored = [[0], [1], [2], [3], [4], [6], [7], [8]];
  assert.deepEqual(await db.ask('SELECT n FROM logs ORDER BY n'), stored);
  // The same again, as after a crash before the acknowledgement.
  assert.equal(((await db.store(events, 'a'.repeat(32))) as { kind: string }).kind, 'partial');
  assert.deepEqual(await db.ask('SELECT n FROM logs ORDER BY n'), stored);
});

test('declared columns convert text, take nested fields and reject what does not fit', {
  skip,
}, async (t) => {
  const db = await start(t, {
    columns: [
      { name: 'status', type: 'INTEGER' },
      { name: 'size', type: 'BIGINT', field: 'bytes' },
      { name: 'country', type: 'VARCHAR', field: "$geo['country']" },
      { name: 'seen', type: 'TIMESTAMP' },
      { name: 'day', type: 'DATE' },
    ],
  });
  const outcome = await db.store([
    {
      root: {
        status: '200',
        bytes: '17',
        geo: { country: 'DE' },
        seen: '2026-01-02T03:04:05Z',
        rest: 1,
      },
    },
    { root: { status: 'teapot' } },
    { root: { status: 3_000_000_000 } },
    { root: { status: 404, day: '2026-02-31' } },
    { root: { status: 500, geo: 'none', day: '2026-02-28' } },
  ]);
  const { kind, rejected } = outcome as {
    kind: string;
    rejected: { index: number; reason: string }[];
  };
  assert.equal(kind, 'partial');
  assert.deepEqual(
    rejected.map(({ index }) => index),
    [1, 2, 3],
  );
  assert.equal(rejected[0]!.reason, 'column "status" of type INTEGER cannot hold "teapot"');
  assert.match(rejected[2]!.reason, /2026-02-31/);
  assert.deepEqual(await db.ask('SELECT status, size, country, seen, day, _extra FROM logs'), [
    [200, 17, 'DE', '2026-01-02 03:04:05', null, { geo: { country: 'DE' }, rest: 1 }],
    [500, null, null, null, '2026-02-28', { geo: 'none' }],
  ]);
});

test('a chunk that comes again is stored once, whole or restored from the disk', {
  skip,
}, async (t) => {
  const db = await start(t, { id_column: '_id' });
  const events = [{ root: { n: 1 } }, { root: { n: 2 } }];
  const made = outputOf(plugin, { path: db.path, id_column: '_id' });
  await made.output.open?.();
  t.after(() => made.output.close?.());
  const { chunk } = chunkOf(made.output.encoder, events);
  assert.deepEqual(await made.output.deliver(chunk, delivery()), accepted);
  assert.deepEqual(await made.output.deliver(restored(chunk), delivery()), accepted);
  assert.deepEqual(await db.ask('SELECT n, length(_id) FROM logs ORDER BY n'), [
    [1, 30],
    [2, 30],
  ]);
  assert.equal(made.output.encoder.recordJson(chunk.recordAt(1)), '{"n":2}');
});

test('a dead letter gets the event without what the encoder added', { skip }, async () => {
  for (const id_column of [undefined, '_id']) {
    const { output } = outputOf(plugin, id_column === undefined ? {} : { id_column });
    const { chunk } = chunkOf(output.encoder, [{ root: { a: '}"' } }, { root: {} }]);
    const letters = [0, 1].map((index) => output.encoder.recordJson(chunk.recordAt(index)));
    assert.deepEqual(letters, ['{"a":"}\\""}', '{}']);
  }
});

const writing = [
  'DELETE FROM logs',
  'INSERT INTO logs (time) VALUES (NULL)',
  'DROP TABLE logs',
  'SELECT 1; DROP TABLE logs',
  'EXPLAIN ANALYZE DELETE FROM logs',
  "COPY logs TO '/tmp/stolen.csv'",
  "ATTACH '/tmp/other.duckdb'",
  "SELECT * FROM read_text('/etc/hostname')",
  "SET memory_limit = '1GB'",
  'COMMIT',
  'CHECKPOINT',
  '',
];
test('queries only read', { skip }, async (t) => {
  const db = await start(t);
  await db.store([{ root: { n: 1 } }]);
  for (const sql of writing)
    await assert.rejects(db.ask(sql), { code: 'SLUICE_OPTION_INVALID' }, sql);
  assert.deepEqual(await db.ask('FROM logs SELECT count(*)'), [[1]]);
  for (const sql of ['SHOW TABLES', 'DESCRIBE logs', 'SUMMARIZE logs', 'EXPLAIN SELECT 1']) {
    assert.ok((await db.ask(sql)).length > 0, sql);
  }
});

test('queries end at their time limit and at their most rows', { skip }, async (t) => {
  const db = await start(t, { query_timeout: '100ms', query_rows_max: 10 });
  await assert.rejects(db.ask('SELECT count(*) FROM range(1000000000) a, range(1000000000) b'), {
    message: 'The query took longer than 0.1 s.',
  });
  assert.equal((await db.ask('SELECT * FROM range(10)')).length, 10);
  assert.equal((await db.ask('SELECT * FROM range(11)')).length, 10);
});

test('another process cannot open the file meanwhile and is told who has it', {
  skip,
}, async (t) => {
  const db = await start(t);
  assert.equal(statSync(db.path).mode & 0o777, 0o600);
  const script = `
    const { openDatabase } = await import(${JSON.stringify(new URL('../../plugins/outputs/duckdb/database.js', import.meta.url).href)});
    const options = { path: ${JSON.stringify(db.path)}, memoryBytes: 64e6, threads: 1, isReadOnly: true };
    await openDatabase(options).then(() => console.log('opened'), (error) => console.log(error.message));`;
  const tryIt = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout;
  assert.match(tryIt(), new RegExp(`in use by process ${process.pid}`));
  await db.close();
  assert.match(tryIt(), /opened/);
  await db.open();
});

test('a read-only database answers and a missing one is said to be missing', {
  skip,
}, async (t) => {
  const db = await start(t);
  await db.store([{ root: { n: 1 } }]);
  await db.close();
  const options = { path: db.path, memoryBytes: 64_000_000, threads: 1, isReadOnly: true };
  chmodSync(db.path, 0o640);
  const database = await openDatabase(options);
  // Who may read a file that is somebody's own is not for a reader to say.
  assert.equal(statSync(db.path).mode & 0o777, 0o640);
  const result = await runQuery(database, 'SELECT n FROM logs', { rowsMax: 5, timeoutMs: 5000 });
  assert.deepEqual(result, { columns: ['n'], rows: [[1]], isCut: false });
  database.close();
  const missing = { ...options, path: join(db.directory, 'none.duckdb') };
  await assert.rejects(openDatabase(missing), /There is no database/);
  await db.open();
});

test('columns that clash are found by the check', () => {
  const columns = [
    { name: 'Time', type: 'DATE' },
    { name: 'a', type: 'DATE', field: 'x' },
    { name: 'b', type: 'DATE', field: 'x' },
  ];
  assert.deepEqual(
    problemsOf(plugin, { columns }).map(({ message }) => message),
    [
      'The column "Time" is there twice (see time_column).',
      'The field "x" fills a column already.',
    ],
  );
});

const value = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'grapheme' }),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.record({ x: fc.string({ unit: 'grapheme' }) }),
);
const record = fc.dictionary(
  fc.constantFrom('a', 'b', 'A', 'é', 'time', '_extra', '', 'q\'".'),
  value,
);

test('every field of every record can be read back, in its column or beside it', {
  skip,
}, async (t) => {
  const db = await start(t);
  let chunk = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 8 }), async (records) => {
      const before = Number((await db.ask('SELECT count(*) FROM logs'))[0]![0]);
      const id = `chunk${chunk++}`;
      assert.deepEqual(
        await db.store(
          records.map((root) => ({ root })),
          id,
        ),
        accepted,
      );
      const names = (await db.ask('DESCRIBE logs')).map(([name]) => String(name));
      const types = (await db.ask('DESCRIBE logs')).map(([, type]) => String(type));
      const rows = await db.ask(`SELECT * FROM logs ORDER BY rowid OFFSET ${before}`);
      assert.equal(rows.length, records.length);
      for (const [index, row] of rows.entries()) {
        const wanted = Object.entries(records[index]!).filter(([, one]) => one !== null);
        for (const [key, one] of wanted) {
          const at = names.indexOf(key);
          const stored = at < 2 ? null : row[at];
          if (stored !== null) assertColumn(stored, one, types[at]!);
          // Beside its column, as it was.
          else assert.deepEqual((row[1] as Record<string, unknown>)[key], plain(one));
        }
      }
    }),
    { numRuns: 60 },
  );
});

/** JSON has no negative zero. */
function plain(one: unknown): unknown {
  return JSON.parse(JSON.stringify(one)) as unknown;
}

function assertColumn(stored: unknown, one: unknown, type: string): void {
  // DuckDB spells numbers its own way: 1e-09. Integers past 2^53 are texts in an answer.
  if (typeof one === 'number' && typeof stored === 'string') {
    assert.equal(Number(stored), plain(one));
  } else if (type !== 'VARCHAR' || typeof one === 'string') assert.deepEqual(stored, plain(one));
  else assert.equal(stored, JSON.stringify(one));
}
