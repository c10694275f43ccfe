import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { type Field, fieldOf } from '../../../core/batch/field.ts';
import type { Kernel } from '../../../core/kernel/kernel.ts';
import { RowEncoder } from '../../../plugins/outputs/clickhouse/row_encoder.ts';
import { compileColumnType } from '../../../plugins/shared/row_binary/compile_type.ts';
import { applyEdit, edits } from '../batch/edits.ts';
import { emptyBatch, kernelForTest, listMembers, putTexts, testSource } from '../kernel/batches.ts';
import { jsonObjects } from '../kernel/json_texts.ts';

const kernel = kernelForTest();

interface Declared {
  field: Field;
  type: string;
  takesTime: boolean;
}

interface Encoded {
  rows: [number, string, string][];
  rejected: [number, string][];
  runs: number;
}

function encode(
  using: Kernel | undefined,
  declared: readonly Declared[],
  batch: Batch,
  format: 'row_binary' | 'json_each_row' = 'row_binary',
  sectionKey?: (batch: Batch, index: number) => string,
): Encoded {
  const encoder = new RowEncoder({
    fingerprint: 'test',
    columns: declared.map(({ field, type, takesTime }, i) => ({
      name: `c${i}`,
      type,
      field,
      takesTime,
      codec: compileColumnType(type),
    })),
    format,
    ...(using === undefined ? {} : { kernel: using }),
    ...(sectionKey === undefined ? {} : { sectionKey }),
  });
  const result: Encoded = { rows: [], rejected: [], runs: 0 };
  encoder.encode(batch, batch.select, {
    appendRun(section, { bytes, start, events, ends, count }) {
      result.runs++;
      let at = start;
      for (let i = 0; i < count; i++) {
        result.rows.push([events[i]!, section, bytes.toString('hex', at, ends[i]!)]);
        at = ends[i]!;
      }
    },
    reject(_batch, index, reason) {
      result.rejected.push([index, reason]);
    },
  });
  encoder.close();
  return result;
}

const plainTypes = [
  'String',
  'LowCardinality(String)',
  'UInt8',
  'UInt16',
  'UInt32',
  'UInt64',
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'Float32',
  'Float64',
  'Bool',
  'DateTime',
  "DateTime('Europe/Berlin')",
  'DateTime64(0)',
  'DateTime64(3)',
  "DateTime64(9, 'UTC')",
  'Date',
  'Date32',
];
const types = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...plainTypes) },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(...plainTypes.filter((type) => !type.startsWith('LowCardinality')))
      .map((type) => `Nullable(${type})`),
  },
  { weight: 1, arbitrary: fc.constantFrom('Array(String)', 'Decimal(9, 2)', 'UUID', 'Int128') },
);

const fields: readonly Field[] = [
  fieldOf(['a']),
  fieldOf(['level']),
  fieldOf(['http', 'status']),
  fieldOf(['http', 'a', 'level']),
  fieldOf(['http', '0']),
  fieldOf(['http', 'status'], 'http.status'),
  fieldOf(['é"\\']),
  fieldOf(['']),
  fieldOf(['a key of more than sixteen bytes']),
];
const keys = [
  ...new Set(fields.flatMap(({ keys: path, literal }) => [...path, literal ?? path[0]!])),
];

const twoDigits = fc.integer({ min: 0, max: 62 }).map((n) => String(n).padStart(2, '0'));
const isoTimes = fc
  .record({
    year: fc.oneof(
      fc.integer({ min: 1960, max: 2120 }).map(String),
      fc.constantFrom('0000', '1899', '1900', '2000', '2262', '2299', '2300', '9999', '12'),
    ),
    month: fc.integer({ min: 0, max: 13 }).map((n) => String(n).padStart(2, '0')),
    day: fc.integer({ min: 0, max: 32 }).map((n) => String(n).padStart(2, '0')),
    separator: fc.constantFrom('T', 'T', ' ', 't', ''),
    clock: fc.oneof(
      fc.tuple(twoDigits, twoDigits, twoDigits).map((parts) => parts.join(':')),
      fc.constantFrom('00:00:00', '23:59:59', '24:00:00', '12:30', '12'),
    ),
    fraction: fc.oneof(
      fc.constantFrom('', '', '.', '.5', ',5', '.1234567891'),
      fc.integer({ min: 0, max: 999_999_999 }).map((n) => `.${n}`),
    ),
    zone: fc.constantFrom('', 'Z', 'z', '+01:00', '-11:30', '+0200', ' Z', '+24:00', 'CEST'),
    whole: fc.boolean(),
  })
  .map(({ year, month, day, separator, clock, fraction, zone, whole }) =>
    whole
      ? `${year}-${month}-${day}${separator}${clock}${fraction}${zone}`
      : `${year}-${month}-${day}`,
  );
const numbers = fc.oneof(
  fc.integer({ min: -300, max: 70_000 }).map(String),
  fc.bigInt({ min: -(1n << 65n), max: 1n << 65n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc
    .tuple(fc.integer(), fc.nat(99_999), fc.integer({ min: -40, max: 40 }))
    .map(([whole, rest, power]) => `${whole}.${rest}e${power}`),
  fc.constantFrom('0', '-0', '1e400', '1.0', '2e3', '1E-2', '4294967295', '4294967296', '-128'),
  fc.constantFrom('18446744073709551615', '9223372036854775807', '-9223372036854775808'),
  fc.constantFrom('9007199254740993', '0.1', '123456.789', '1704164645.25', '10413791999'),
);
const texts = fc.oneof(
  isoTimes,
  numbers,
  fc.constantFrom('true', 'TRUE', 'false', 'null', 'nan', '-inf', '', '+1', '.5', '1.', '007'),
  fc.string({ maxLength: 40, unit: 'binary' }),
  fc.string({ minLength: 120, maxLength: 140 }),
);
const tokens = fc.oneof(
  texts.map((text) => JSON.stringify(text)),
  numbers,
  fc.constantFrom('true', 'false', 'null', '[]', '[1,"2"]', '{"a":{"level":7}}', '{}'),
  fc.constantFrom('"\\u00e9\\ud83d\\ude00"', '"\\udead"', '"\\ud83dx"', '"\\u0041\\/\\b"'),
  fc
    .array(fc.tuple(fc.constantFrom(...keys), numbers), { maxLength: 3 })
    .map((list) => `{${list.map(([key, n]) => `${JSON.stringify(key)} : ${n}`).join(', ')}}`),
);
const roots = fc.oneof(
  fc
    .array(fc.tuple(fc.constantFrom(...keys), tokens), { maxLength: 8 })
    .map((list) => `{${list.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
  jsonObjects(keys),
);

const events = fc.record({
  root: fc.option(roots, { nil: undefined }),
  column: fc.option(
    fc.oneof(
      texts.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    ),
    { nil: undefined },
  ),
  edits: fc.array(edits, { maxLength: 2 }),
  external: fc.integer({ min: 0, max: 20 }),
  seconds: fc.oneof(
    fc.integer({ min: -3_000_000_000, max: 12_000_000_000 }),
    fc.constantFrom(0, 951_782_400, -1),
  ),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
  selected: fc.integer({ min: 0, max: 9 }),
  listed: fc.boolean(),
  edited: fc.integer({ min: 0, max: 3 }),
});
type TestEvent = typeof events extends fc.Arbitrary<infer T> ? T : never;

function fill(batch: Batch, list: readonly TestEvent[]): void {
  batch.reset(testSource, 'test');
  const { starts, ends } = putTexts(
    batch,
    list.map(({ root }) => root ?? 'raw "line"\t'),
  );
  list.forEach(({ root }, i) => {
    if (root !== undefined) batch.setRoot(i, starts[i]!, ends[i]!);
  });
  listMembers(kernel, batch, (i) => list[i]!.listed);
  list.forEach((event, i) => {
    if (event.root === undefined) batch.setFieldSpan(i, fields[1]!, starts[i]!, ends[i]!, 1);
    if (event.column !== undefined) batch.setField(i, fields[0]!, event.column, 1);
    // Nested columns are JavaScript's: not in every batch.
    for (const edit of event.edited === 0 ? event.edits : []) applyEdit(batch, i, edit);
    batch.select[i] = event.selected > 0 ? 1 : 0;
    batch.seconds[i] = event.seconds;
    batch.nanos[i] = event.nanos;
    if (event.external === 0 && batch.rootKind[i] !== 0) {
      batch.external.push(Buffer.from('{"a":1704164645}'));
      batch.rootStart[i] = batch.external.length - 1;
      batch.rootEnd[i] = 16;
      batch.rootKind[i] = 2;
    }
  });
}

const declarations = fc.array(
  fc.record({ field: fc.constantFrom(...fields), type: types, takesTime: fc.boolean() }),
  { minLength: 1, maxLength: 5 },
);
const batches = fc.array(events, { minLength: 1, maxLength: 8 });

test('the kernel writes the rows that JavaScript writes, and refuses what it refuses', () => {
  const batch = emptyBatch(kernel);
  let rows = 0;
  fc.assert(
    fc.property(batches, declarations, (list, declared) => {
      fill(batch, list);
      const mixed = encode(kernel, declared, batch);
      rows += mixed.rows.length;
      const { rows: expected, rejected } = encode(undefined, declared, batch);
      assert.deepEqual(mixed.rows, expected);
      assert.deepEqual(mixed.rejected, rejected);
    }),
    { numRuns: 1500 },
  );
  assert.ok(rows > 1000, `only ${rows} rows were taken`);
});

test('every token gives the same bytes with and without the kernel, for each type', () => {
  const batch = emptyBatch(kernel);
  fc.assert(
    fc.property(fc.array(tokens, { minLength: 20, maxLength: 60 }), types, (list, type) => {
      batch.reset(testSource, 'test');
      const { starts, ends } = putTexts(
        batch,
        list.map((token) => `{"a":${token}}`),
      );
      for (let i = 0; i < list.length; i++) batch.setRoot(i, starts[i]!, ends[i]!);
      const declared = [{ field: fields[0]!, type, takesTime: false }];
      const mixed = encode(kernel, declared, batch);
      const { rows, rejected } = encode(undefined, declared, batch);
      assert.deepEqual(mixed.rows, rows, type);
      assert.deepEqual(mixed.rejected, rejected, type);
    }),
    { numRuns: 700 },
  );
});

test('JSONEachRow with columns, and rows of several tables, are the same with the kernel', () => {
  const batch = emptyBatch(kernel);
  const tables = (_: Batch, index: number): string => (index % 3 === 0 ? 'x' : 'y');
  fc.assert(
    fc.property(batches, declarations, (list, declared) => {
      fill(batch, list);
      for (const format of ['json_each_row', 'row_binary'] as const) {
        const mixed = encode(kernel, declared, batch, format, tables);
        const { rows, rejected } = encode(undefined, declared, batch, format, tables);
        assert.deepEqual(mixed.rows, rows);
        assert.deepEqual(mixed.rejected, rejected);
      }
    }),
    { numRuns: 500 },
  );
});

test('the common spellings of a log stay in the kernel', () => {
  const batch = emptyBatch(kernel);
  const lines = Array.from({ length: 500 }, (_, i) =>
    JSON.stringify({
      time: `2026-11-21T10:00:00.${String(i).padStart(3, '0')}Z`,
      msg: 'said "é" \u0007',
      user: i,
      took: i / 8,
      ok: true,
      http: { status: 200, path: '/index.html' },
    }),
  );
  const { starts, ends } = putTexts(batch, lines);
  for (let i = 0; i < lines.length; i++) batch.setRoot(i, starts[i]!, ends[i]!);
  const declared = [
    { field: fieldOf(['time']), type: 'DateTime64(3)', takesTime: true },
    { field: fieldOf(['msg']), type: 'String', takesTime: false },
    { field: fieldOf(['user']), type: 'UInt64', takesTime: false },
    { field: fieldOf(['took']), type: 'Nullable(Float64)', takesTime: false },
    { field: fieldOf(['ok']), type: 'Bool', takesTime: false },
    { field: fieldOf(['http', 'status']), type: 'UInt16', takesTime: false },
    { field: fieldOf(['http', 'path']), type: 'LowCardinality(String)', takesTime: false },
    { field: fieldOf(['missing']), type: 'Nullable(String)', takesTime: false },
  ];
  const mixed = encode(kernel, declared, batch);
  assert.equal(mixed.runs, 1);
  assert.deepEqual(mixed.rows, encode(undefined, declared, batch).rows);
});

test('rows larger than the staging area come in several runs', () => {
  const batch = emptyBatch(kernel);
  const lines = Array.from({ length: 40 }, (_, i) => JSON.stringify({ a: `${i}`.repeat(4000) }));
  const { starts, ends } = putTexts(batch, lines);
  for (let i = 0; i < lines.length; i++) batch.setRoot(i, starts[i]!, ends[i]!);
  const declared = Array.from({ length: 40 }, () => ({
    field: fieldOf(['a']),
    type: 'String',
    takesTime: false,
  }));
  const mixed = encode(kernel, declared, batch);
  assert.ok(mixed.runs > 1);
  assert.deepEqual(mixed.rows, encode(undefined, declared, batch).rows);
});

test('an encoder gives its kernel memory back', () => {
  const free = kernel.arena.freeBytes();
  encode(kernel, [{ field: fieldOf(['a']), type: 'String', takesTime: false }], emptyBatch(kernel));
  assert.equal(kernel.arena.freeBytes(), free);
});
