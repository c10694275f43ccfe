import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { Chunk } from '../../../core/chunk/chunk.ts';
import { plugin } from '../../../plugins/outputs/clickhouse/index.ts';
import { InsertPlan } from '../../../plugins/outputs/clickhouse/insert_plan.ts';
import {
  createTableQuery,
  deduplicationOf,
} from '../../../plugins/outputs/clickhouse/table_facts.ts';
import { rowReason, verdictOf } from '../../../plugins/outputs/clickhouse/verdict.ts';
import { chunkOf, delivery, outputOf, problemsOf, withDefaults } from './chunk_harness.ts';

const textOf = (chunk: Chunk): string => chunk.body().toString();

test('an event goes as it is, with its time in nanoseconds when it has none', () => {
  const { output } = outputOf(plugin, { table: 't' });
  const { chunk } = chunkOf(output.encoder, [
    { root: '{"a":1.0}', seconds: 1_700_000_000, nanos: 1 },
    { root: '{"timestamp":"own"}', fields: { b: 'é"' } },
  ]);
  assert.equal(
    textOf(chunk),
    '{"a":1.0,"timestamp":"2023-11-14T22:13:20.000000001Z"}\n{"timestamp":"own","b":"é\\""}\n',
  );
  assert.equal(output.encoder.recordJson(chunk.recordAt(1)), '{"timestamp":"own","b":"é\\""}');
});

test('with columns a row has these and no others', () => {
  const { output } = outputOf(plugin, {
    table: 't',
    columns: [
      { name: 'timestamp', type: 'DateTime64(9)' },
      { name: 'n', type: 'UInt8', field: '[deep][n]' },
      { name: 'extra', type: 'JSON' },
    ],
  });
  const { chunk, rejected } = chunkOf(output.encoder, [
    { root: { deep: { n: 1 }, other: 2, extra: { a: [1] } }, seconds: 5, nanos: 6 },
    { root: { deep: { n: 256 } } },
    { root: { timestamp: null } },
  ]);
  assert.equal(
    textOf(chunk),
    '{"timestamp":"1970-01-01T00:00:05.000000006Z","n":1,"extra":{"a":[1]}}\n{"timestamp":null}\n',
  );
  assert.deepEqual(
    [...rejected],
    [[1, 'Column n (UInt8) does not take "256": it is not from 0 to 255.']],
  );
});

test('a row in binary is told as JSON for the dead letters', () => {
  const columns = { s: 'String', n: 'Nullable(Int64)', t: 'DateTime64(3)' };
  const { output } = outputOf(plugin, { table: 't', format: 'row_binary', columns, time_key: 't' });
  const { chunk } = chunkOf(output.encoder, [
    { root: '{"s":{"a":1},"n":9007199254740993}', seconds: 1, nanos: 2_000_000 },
  ]);
  assert.equal(
    output.encoder.recordJson(chunk.recordAt(0)),
    '{"s":"{\\"a\\":1}","n":9007199254740993,"t":"1970-01-01T00:00:01.002000000Z"}',
  );
});

test('options that cannot work are found before the start', () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ table: '%{app}' }, /begins with a reference/],
    [{ table: 't', format: 'row_binary' }, /needs `columns`/],
    [{ table: 't', create_table: true }, /needs `columns`/],
    [{ table: 't', columns: { a: 'UInt' } }, /none/],
    [{ table: 't', columns: { a: 'Array(' } }, /name of a type/],
    [{ table: 't', columns: { a: 'Nullable(Array(String))' } }, /Nullable cannot hold/],
    [{ table: 't', columns: { a: 'FixedString(0)' } }, /number from 1/],
    [{ table: 't', columns: { a: "DateTime('Nowhere/City')" } }, /time zone/],
    [
      { table: 't', columns: { a: 'JSON' }, format: 'row_binary' },
      /cannot be sent with row_binary/,
    ],
    [
      {
        table: 't',
        columns: [
          { name: 'a', type: 'Int8' },
          { name: 'a', type: 'Int8' },
        ],
      },
      /twice/,
    ],
    [{ table: 't', host: 'http://user@x' }, /user/],
  ];
  for (const [options, message] of cases) {
    const found = problemsOf(plugin, options)
      .map((problem) => problem.message)
      .join('\n');
    assert.match(found === '' ? 'none' : found, message, JSON.stringify(options));
  }
  assert.deepEqual(
    problemsOf(plugin, { table: 'logs_%{app}_%{+YYYY}', columns: { a: 'JSON' } }),
    [],
  );
});

// Answers of ClickHouse 26.7.
const answers: [status: number, code: number, text: string, kind: string, row?: number][] = [
  [200, 0, '', 'inserted'],
  [
    400,
    27,
    `Code: 27. DB::Exception: Cannot parse input: expected '"' before: 'x"}\\n{"n":1}\\n': (while reading the value of key n): (at row 3)\n: While executing ParallelParsingBlockInputFormat. (CANNOT_PARSE_INPUT_ASSERTION_FAILED) (version 26.7.2.1)`,
    'bad_row',
    2,
  ],
  [
    400,
    675,
    'Code: 675. DB::Exception: Cannot parse IPv4 (at row 9)"}\n{"n":1,"s": (while reading the value of key ip): (at row 3)\n: While executing ParallelParsingBlockInputFormat. (CANNOT_PARSE_IPV4) (version 26.7.2.1)',
    'bad_row',
    2,
  ],
  [
    500,
    691,
    "Code: 691. DB::Exception: Unknown element 'zz' for enum: (while reading the value of key e): (at row 1)\n: While executing ParallelParsingBlockInputFormat. (UNKNOWN_ELEMENT_OF_ENUM) (version 26.7.2.1)",
    'bad_row',
    0,
  ],
  [
    500,
    469,
    'Code: 469. DB::Exception: Constraint `pos` for table t.c (cde240d5-49f9-49de-973f-22da51743776) is violated at row 3. Expression: (n < 100). Column values: n = 500. (VIOLATED_CONSTRAINT) (version 26.7.2.1)',
    'bad_row',
  ],
  [
    400,
    117,
    "Code: 117. DB::Exception: Type of 'n' must be UInt32, not Int32: (while reading header): While executing BinaryRowInputFormat. (INCORRECT_DATA) (version 26.7.2.1)",
    'later',
  ],
  [
    500,
    252,
    "Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 10). The limit is controlled by 'max_partitions_per_insert_block' setting. (TOO_MANY_PARTS) (version 26.7.2.1)",
    'too_large',
  ],
  [500, 252, 'Code: 252. DB::Exception: Too many parts (3000). Merges are processing', 'later'],
  [500, 241, 'Code: 241. DB::Exception: Memory limit (total) exceeded: (at row 5)', 'later'],
  [404, 60, 'Code: 60. DB::Exception: Table t.nope does not exist. (UNKNOWN_TABLE)', 'missing'],
  [404, 81, 'Code: 81. DB::Exception: Database nope does not exist. (UNKNOWN_DATABASE)', 'missing'],
  [
    500,
    16,
    'Code: 16. DB::Exception: No such column zz in table t.c. (NO_SUCH_COLUMN_IN_TABLE)',
    'later',
  ],
  [403, 516, 'Code: 516. DB::Exception: tester: Authentication failed', 'later'],
  [403, 497, 'Code: 497. DB::Exception: Not enough privileges', 'later'],
  [413, 0, '<html>', 'too_large'],
  [429, 0, '', 'later'],
  [502, 0, 'bad gateway', 'later'],
];

test('an answer means what the server did', () => {
  for (const [status, code, text, kind, row] of answers) {
    const verdict = verdictOf({ status, code, text, retryAfter: undefined }, 0);
    assert.equal(verdict.kind, kind, text);
    if (verdict.kind === 'bad_row') assert.equal(verdict.row, row, text);
  }
  const busy = verdictOf({ status: 429, code: 0, text: '', retryAfter: '7' }, 0);
  assert.deepEqual(busy, { kind: 'later', text: 'HTTP 429', afterMs: 7000 });
});

test('the column and value are told also when the server names no column', () => {
  const row = Buffer.from('{"a":"1.5","n":1.5}\n');
  const text = `Cannot parse input: expected ',' before: '.5}\\n{"n":1}\\n': (at row 3)`;
  assert.equal(rowReason(row, 'short', text), 'Column n does not take 1.5: short');
  assert.equal(rowReason(row, 'short', 'something else'), 'short');
});

test('whatever the server refuses, the others are inserted once and in order', () => {
  const cases = fc.record({
    sections: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
    bad: fc.uniqueArray(fc.nat(119)),
    named: fc.boolean(),
    largest: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(cases, ({ sections, bad, named, largest }) => {
      const chunk = new Chunk('test', 'id');
      for (const [section, count] of sections.entries()) {
        for (let i = 0; i < count; i++) {
          const origin = { ...originOf, offset: i };
          chunk.appendRecord(`s${section}`, Buffer.from(`${chunk.count}\n`), origin);
        }
      }
      const first = run(chunk, new Set(bad), named, largest);
      const expected = Array.from({ length: chunk.count }, (_, i) => i);
      assert.deepEqual(
        first.inserted,
        expected.filter((i) => !bad.includes(i)),
      );
      assert.deepEqual(
        first.rejected,
        expected.filter((i) => bad.includes(i)),
      );
      assert.deepEqual(run(chunk, new Set(bad), named, largest), first, 'the same pieces again');
    }),
    { numRuns: 300 },
  );
});

const originOf = {
  source: 's',
  generation: '0'.repeat(32),
  part: 0,
  tag: 't',
  seconds: 0,
  nanos: 0,
};

/** A server that refuses records by their number, names them or not, and takes only so many. */
function run(chunk: Chunk, bad: ReadonlySet<number>, named: boolean, largest: number) {
  const plan = new InsertPlan(chunk);
  const inserted: number[] = [];
  const tokens: string[] = [];
  for (let piece = plan.next; piece !== undefined; piece = plan.next) {
    tokens.push(piece.token);
    const records = piece.body().toString().trim().split('\n').map(Number);
    assert.equal(records.length, piece.count);
    const at = records.findIndex((record) => bad.has(record));
    if (piece.count > largest) plan.tooLarge('too large', 500);
    else if (at >= 0) plan.refuse(named ? at : undefined, 'bad', 400);
    else {
      inserted.push(...records);
      plan.inserted();
    }
  }
  const rejected = plan.rejected.map(({ index }) => index).sort((a, b) => a - b);
  assert.equal(new Set(tokens).size, tokens.length);
  return { inserted, rejected, tokens };
}

test('a created table is ordered by its time and remembers inserts', () => {
  const options = withDefaults<Parameters<typeof createTableQuery>[0]>(plugin.schema, {
    table: 't',
    columns: { timestamp: 'DateTime64(9)', 'odd `name': 'String' },
  });
  assert.equal(
    createTableQuery(options, 't'),
    'CREATE TABLE IF NOT EXISTS `default`.`t` (`timestamp` DateTime64(9), `odd \\`name` String) ' +
      'ENGINE = MergeTree ORDER BY (`timestamp`) SETTINGS non_replicated_deduplication_window = 1000',
  );
  const replicated = createTableQuery(
    { ...options, engine: 'ReplicatedMergeTree', time_key: '' },
    't',
  );
  assert.match(replicated, /ENGINE = ReplicatedMergeTree ORDER BY \(tuple\(\)\)$/);
});

test('whether an insert may be stored twice is read from the engine', () => {
  const cases: [string, string, string][] = [
    ['MergeTree', 'MergeTree ORDER BY n SETTINGS index_granularity = 8192', 'at least once'],
    ['MergeTree', 'MergeTree SETTINGS non_replicated_deduplication_window = 100', 'once'],
    ['MergeTree', 'MergeTree SETTINGS non_replicated_deduplication_window = 0', 'at least once'],
    ['ReplicatedMergeTree', 'ReplicatedMergeTree(…)', 'once'],
    ['ReplicatedMergeTree', 'X SETTINGS replicated_deduplication_window = 0', 'at least once'],
    ['Null', 'Null', 'at least once'],
  ];
  for (const [engine, full, expected] of cases) {
    assert.equal(deduplicationOf(JSON.stringify({ engine, engine_full: full })), expected, full);
  }
});

test('a delivery ends when it is aborted, before and during the request', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  // A listening TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  const { output } = outputOf(plugin, { table: 't', port });
  t.after(() => output.close?.());
  const { chunk } = chunkOf(output.encoder, [{ root: { n: 1 } }]);
  await assert.rejects(output.deliver(chunk, delivery(AbortSignal.abort())), {
    code: 'SLUICE_SHUTDOWN',
  });
  const controller = new AbortController();
  server.once('request', () => controller.abort());
  await assert.rejects(output.deliver(chunk, delivery(controller.signal)), {
    code: 'SLUICE_OUTPUT_UNREACHABLE',
  });
});

test('the next host is used when one cannot be reached', async (t) => {
  const server = createServer((_request, response) => response.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  // As above.
  const { port } = server.address() as AddressInfo;
  const { output } = outputOf(plugin, { table: 't', hosts: ['127.0.0.1:9', `127.0.0.1:${port}`] });
  t.after(() => output.close?.());
  const { chunk } = chunkOf(output.encoder, [{ root: { n: 1 } }]);
  await assert.rejects(output.deliver(chunk, delivery()), { code: 'SLUICE_OUTPUT_UNREACHABLE' });
  assert.deepEqual(await output.deliver(chunk, delivery()), { kind: 'accepted' });
});
