import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import type { TimeFormat } from '../../../core/batch/event_time.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { layout } from '../../../core/batch/layout.ts';
import { BatchEncoder } from '../../../core/kernel/batch_encoder.ts';
import type { EncodeOptions } from '../../../core/kernel/encode_options.ts';
import type { Kernel } from '../../../core/kernel/kernel.ts';
import { applyEdit, edits } from '../batch/edits.ts';
import { emptyBatch, kernelForTest, listMembers, putTexts, testSource } from './batches.ts';
import { jsonObjects } from './json_texts.ts';

const kernel = kernelForTest();

interface Encoded {
  records: [number, string][];
  runs: number;
  encoder: BatchEncoder;
}

function encode(using: Kernel | undefined, options: EncodeOptions, batch: Batch): Encoded {
  const encoder = new BatchEncoder(using, options);
  const records: [number, string][] = [];
  let runs = 0;
  encoder.encode(batch, batch.select, {
    appendRun(bytes, start, end, from, events, ends, count, lineEnds) {
      assert.equal(from, batch);
      const lines = bytes.toString('latin1', start, end).split('\n').length - 1;
      assert.equal(lineEnds ?? lines, lines);
      runs++;
      let at = start;
      for (let i = 0; i < count; i++) {
        records.push([events[i]!, bytes.toString('latin1', at, ends[i]!)]);
        at = ends[i]!;
      }
      assert.equal(at, end);
    },
  });
  encoder.close();
  return { records, runs, encoder };
}

const formats = fc.record<TimeFormat>({
  form: fc.constantFrom('iso8601', 'epoch', 'epoch_ms'),
  digits: fc.constantFrom(0, 3, 6, 9),
});
const names = fc.constantFrom('a', 'level', '@timestamp', 'é"\\', '');
const bytesOf = fc.string({ maxLength: 40 }).map((text) => Buffer.from(text));
const optionSets: fc.Arbitrary<EncodeOptions> = fc.record(
  {
    before: bytesOf,
    afterId: bytesOf,
    after: bytesOf,
    constants: fc.array(
      fc.record({ key: names, json: fc.constantFrom(Buffer.from('1'), Buffer.from('"x y z"')) }),
      { maxLength: 3 },
    ),
    time: fc.record({ key: names, format: formats }),
    writeBefore: fc.constant((batch: Batch, index: number, out: { text(value: string): void }) =>
      out.text(`<${'#'.repeat(index * 7)}${batch.offset[index]}>`),
    ),
  },
  { requiredKeys: [] },
);

const times = fc.record({
  seconds: fc.oneof(
    fc.integer({ min: -62167219200, max: 253402300799 }),
    fc.constantFrom(0, 951782400, 1709164800, -1, 253402300799, -62167219200, 1e13, Number.NaN),
  ),
  nanos: fc.integer({ min: 0, max: 999999999 }),
  offset: fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 48 - 1 })),
  part: fc.oneof(fc.constant(0), fc.nat()),
});

const events = fc.record({
  root: fc.option(jsonObjects(['a', 'level', '@timestamp', 'é"\\', '']), { nil: undefined }),
  edits: fc.array(
    edits.filter((edit) => edit.kind === 'replace' || edit.path.length === 1),
    { maxLength: 4 },
  ),
  origin: times,
  selected: fc.boolean(),
  external: fc.integer({ min: 0, max: 20 }),
  listed: fc.boolean(),
});

function fill(
  batch: Batch,
  list: readonly (typeof events extends fc.Arbitrary<infer T> ? T : never)[],
): void {
  batch.reset(testSource, 'test');
  const { starts, ends } = putTexts(
    batch,
    list.map(({ root }) => root ?? 'raw "line"\t'),
  );
  list.forEach(({ root }, i) => {
    if (root === undefined) {
      batch.setFieldSpan(i, fieldOf(['message']), starts[i]!, ends[i]!, 1);
    } else batch.setRoot(i, starts[i]!, ends[i]!);
  });
  listMembers(kernel, batch, (i) => list[i]!.listed);
  list.forEach(({ edits: changes, origin, selected, external }, i) => {
    for (const edit of changes) applyEdit(batch, i, edit);
    batch.select[i] = selected ? 1 : 0;
    batch.seconds[i] = origin.seconds;
    batch.nanos[i] = origin.nanos;
    batch.offset[i] = origin.offset;
    batch.part[i] = origin.part;
    if (external === 0 && batch.rootKind[i] !== 0) {
      batch.external.push(Buffer.from('{"outside":true}'));
      batch.rootStart[i] = batch.external.length - 1;
      batch.rootEnd[i] = 16;
      batch.rootKind[i] = 2;
    }
  });
}

test('the kernel writes the bytes that JavaScript writes', () => {
  const batch = emptyBatch(kernel);
  let byKernel = 0;
  fc.assert(
    fc.property(fc.array(events, { minLength: 1, maxLength: 12 }), optionSets, (list, options) => {
      fill(batch, list);
      const mixed = encode(kernel, options, batch);
      byKernel += mixed.encoder.kernelRecords;
      assert.deepEqual(mixed.records, encode(undefined, options, batch).records);
    }),
    { numRuns: 1500 },
  );
  assert.ok(byKernel > 1000, `only ${byKernel} records went through the kernel`);
});

/** Objects with the same keys, listed, of which mostly the same fields are touched. */
const alike = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom('a', 'b', 'level', '@timestamp', 'msg', ''), { minLength: 1 }),
    fc.array(fc.nat(5), { maxLength: 3 }),
    fc.array(fc.tuple(fc.string({ maxLength: 70 }), fc.nat(9), events), { maxLength: 12 }),
  )
  .map(([keys, twice, rows]) =>
    rows.map(([text, odd, event]) => {
      const all = [...keys, ...twice.map((i) => keys[i % keys.length]!)];
      const members = all.map((key) => `${JSON.stringify(key)}: ${JSON.stringify(text)}`);
      const changes = rows[odd < 8 ? 0 : odd % rows.length]![2].edits;
      return { ...event, root: `{${members.join(', ')}}`, edits: changes, listed: true };
    }),
  );

test('of objects that are alike the kernel writes what JavaScript writes', () => {
  const batch = emptyBatch(kernel);
  fc.assert(
    fc.property(alike, optionSets, (list, options) => {
      fill(batch, list);
      const { records } = encode(kernel, options, batch);
      assert.deepEqual(records, encode(undefined, options, batch).records);
    }),
    { numRuns: 1000 },
  );
});

test('an object of which every other member is touched goes through JavaScript if it must', () => {
  const batch = emptyBatch(kernel);
  const members = Array.from({ length: 200 }, (_, i) => `"a":1,"k${i}":"\\n"`);
  const { starts, ends } = putTexts(batch, Array(3).fill(`{${members.join(',')}}`));
  for (let i = 0; i < 3; i++) batch.setRoot(i, starts[i]!, ends[i]!);
  listMembers(kernel, batch, () => true);
  for (let i = 0; i < 3; i++) batch.removeField(i, fieldOf(['a']));
  batch.select.fill(1, 0, 3);
  assert.deepEqual(encode(kernel, {}, batch).records, encode(undefined, {}, batch).records);
});

test('a bulk line has the id, the event and its time', () => {
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, ['{"a":1}', '{"@timestamp":"own"}', 'say "hi"']);
  batch.setRoot(0, starts[0]!, ends[0]!);
  batch.setRoot(1, starts[1]!, ends[1]!);
  batch.setFieldSpan(2, fieldOf(['message']), starts[2]!, ends[2]!, 1);
  batch.seconds.fill(1795255200, 0, 3);
  batch.part[2] = 1;
  const { records, runs, encoder } = encode(
    kernel,
    {
      before: Buffer.from('{"create":{"_id":"'),
      afterId: Buffer.from('"}}\n'),
      after: Buffer.from('\n'),
      constants: [{ key: 'env', json: Buffer.from('"test"') }],
      time: { key: '@timestamp', format: { form: 'iso8601', digits: 3 } },
    },
    batch,
  );
  const id = 'ABEiM0RVZneImaq7zN3u_w';
  assert.deepEqual(
    records.map(([, text]) => text),
    [
      `{"create":{"_id":"${id}AAAAAAAA"}}\n{"a":1,"env":"test","@timestamp":"2026-11-21T10:00:00.000Z"}\n`,
      `{"create":{"_id":"${id}AAAAAAAI"}}\n{"@timestamp":"own","env":"test"}\n`,
      `{"create":{"_id":"${id}AAAAAAAd-1"}}\n{"message":"say \\"hi\\"","env":"test","@timestamp":"2026-11-21T10:00:00.000Z"}\n`,
    ],
  );
  assert.deepEqual([runs, encoder.kernelRecords, encoder.scriptRecords], [1, 3, 0]);
});

test('a batch larger than the staging area comes in several runs', () => {
  const batch = emptyBatch(kernel);
  // Every byte becomes six.
  const { starts, ends } = putTexts(
    batch,
    Array.from({ length: 100 }, () => Buffer.alloc(5000, 1)),
  );
  starts.forEach((start, i) => {
    for (const name of ['a', 'b', 'c']) {
      batch.setFieldSpan(i, fieldOf([name]), start, ends[i]!, 1);
    }
  });
  const mixed = encode(kernel, {}, batch);
  assert.ok(mixed.runs > 1);
  assert.equal(mixed.encoder.scriptRecords, 0);
  assert.deepEqual(mixed.records, encode(undefined, {}, batch).records);
});

test('an event that no staging area can hold is written by JavaScript', () => {
  const batch = emptyBatch(kernel);
  const huge = Buffer.alloc(layout.dataBytes - 100, 1);
  const { starts, ends } = putTexts(batch, ['small', huge, 'tiny']);
  starts.forEach((start, i) => {
    for (const name of ['a', 'b']) batch.setFieldSpan(i, fieldOf([name]), start, ends[i]!, 1);
  });
  const mixed = encode(kernel, {}, batch);
  assert.deepEqual([mixed.encoder.kernelRecords, mixed.encoder.scriptRecords], [2, 1]);
  assert.deepEqual(mixed.records, encode(undefined, {}, batch).records);
});

test('texts before records may fill their room several times over', () => {
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(
    batch,
    Array.from({ length: 40 }, (_, i) => `{"i":${i}}`),
  );
  for (let i = 0; i < starts.length; i++) batch.setRoot(i, starts[i]!, ends[i]!);
  const options: EncodeOptions = {
    writeBefore: (_batch, index, out) =>
      out.text(`${index}:${'x'.repeat(index === 7 ? 600 * 1024 : 60 * 1024)}`),
  };
  const mixed = encode(kernel, options, batch);
  assert.deepEqual([mixed.encoder.kernelRecords, mixed.encoder.scriptRecords], [39, 1]);
  assert.deepEqual(mixed.records, encode(undefined, options, batch).records);
});

test('an encoder gives its kernel memory back', () => {
  const before = kernel.arena.freeBytes();
  new BatchEncoder(kernel, { after: Buffer.from('\n') }).close();
  assert.equal(kernel.arena.freeBytes(), before);
});
