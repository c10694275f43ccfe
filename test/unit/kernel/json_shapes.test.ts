import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { isJsonObject, MemberCursor } from '../../../core/batch/json_bytes.ts';
import { JsonScanner, JsonValidator } from '../../../core/kernel/json_scan.ts';
import { emptyBatch, kernelForTest, putTexts } from './batches.ts';

const kernel = kernelForTest();
const memberBytes = 16;

/** Texts whose ends, and whose odd bytes, stand around the borders of 16, 32 and 64 bytes. */
const texts = fc
  .tuple(
    fc.nat(70),
    fc.constantFrom('', '\\"', '\\\\', '\\u00e9', 'é', '\\n', '\\x', '\u0001', '"', '\\'),
    fc.nat(70),
  )
  .map(([before, odd, behind]) => `"${'x'.repeat(before)}${odd}${'y'.repeat(behind)}"`);
const plains = fc.constantFrom(
  ...['0', '7', '-1', '10', '1234567890123456', '12345678901234567890', '1.5', '0.25', '-0'],
  ...['1e9', '1.5E-3', '147.4900000000000000001', 'true', 'false', 'null'],
  ...['01', '1.', '-', '1e', 'tru', 'nulll', '', '1 '],
);
const values = fc.oneof(texts, plains);

/** What stands between values: `?` stands for one. */
const templates = [
  '{"a":?}',
  '{"time":?,"level":?,"msg":?,"http":{"method":?,"status":?},"host":?}',
  '{"a":{},"b":[],"c":?,"d":[?,?,{"e":?}],"level":?}',
  ' { "a" : ? ,\t"level" : [ ? , ? ] , "b" : { "c" : ? } } ',
  '{"a key that is longer than thirty-two bytes":?,"a":?,"a":?}',
  '{"":?,"é":?,"a":{"\\u0061":{"b":[[?],[]]}},"level":?}',
  '{"a":?,"\\u0061":?}',
];

const lines = fc
  .tuple(
    fc.array(fc.constantFrom(...templates), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(2), fc.array(values, { minLength: 8, maxLength: 8 }), fc.nat(400)), {
      minLength: 30,
      maxLength: 30,
    }),
  )
  .map(([chosen, rows]) =>
    rows.map(([which, row, cut]) => {
      let next = 0;
      const text = chosen[which % chosen.length]!.replace(/\?/g, () => row[next++ % row.length]!);
      // Some end too early.
      return cut < 40 ? Buffer.from(text).subarray(0, cut) : Buffer.from(text);
    }),
  );

/** Key and value spans of an object's members at the top. */
function membersOf(batch: Batch, start: number): number[][] {
  const cursor = new MemberCursor();
  cursor.start(batch.bytes, start);
  const members: number[][] = [];
  while (cursor.next()) {
    const { keyStart, keyEnd, valueStart, valueEnd } = cursor;
    members.push([keyStart - 1, keyEnd - keyStart, valueStart, valueEnd]);
  }
  return members;
}

function listedMembers(batch: Batch, list: number): number[][] {
  const { bytes } = batch;
  return Array.from({ length: bytes.readUInt32LE(list) }, (_, i) => {
    const at = list + memberBytes * (i + 1);
    const word = (offset: number): number => bytes.readUInt32LE(at + offset);
    return [word(0), word(4) & 0xffffff, word(8), word(12)];
  });
}

test('objects like those before are judged and listed as others are', () => {
  fc.assert(
    fc.property(lines, fc.constantFrom('\n', '"', ',', '}'), (rows, behind) => {
      const batch = emptyBatch(kernel);
      const { starts, ends } = putTexts(batch, rows, behind);
      batch.rootStart.set(starts);
      batch.rootEnd.set(ends);
      const validator = new JsonValidator(kernel);
      validator.validate(batch, batch.rootStart, batch.rootEnd);
      starts.forEach((start, i) => {
        const isValid = isJsonObject(batch.bytes, start, ends[i]!);
        assert.equal(validator.valid[i] === 1, isValid, rows[i]!.toString());
        const list = validator.lists[i]!;
        if (!isValid) assert.equal(list, 0);
        if (list === 0) return;
        assert.deepEqual(listedMembers(batch, list), membersOf(batch, start), rows[i]!.toString());
      });
      validator.close();
    }),
    { numRuns: 400 },
  );
});

test('members of objects like those before are found as in others', () => {
  const keys = ['level', 'a', 'missing', ''].map((key) => Buffer.from(key));
  fc.assert(
    fc.property(lines, (rows) => {
      const batch = emptyBatch(kernel);
      const { starts, ends } = putTexts(batch, rows, '\n');
      batch.rootStart.set(starts);
      batch.rootEnd.set(ends);
      const validator = new JsonValidator(kernel);
      validator.validate(batch, batch.rootStart, batch.rootEnd);
      for (let i = 0; i < batch.count; i++) {
        batch.select[i] = validator.valid[i]!;
        if (batch.select[i] === 0) continue;
        batch.setRoot(i, starts[i]!, ends[i]!);
        batch.memberLists[i] = validator.lists[i]!;
      }
      const scanner = new JsonScanner(kernel, keys);
      const twin = new JsonScanner(undefined, keys);
      scanner.scan(batch);
      twin.scan(batch);
      for (let i = 0; i < batch.count; i++) {
        if (batch.select[i] === 0) continue;
        assert.ok(scanner.slow[i]! <= twin.slow[i]!, rows[i]!.toString());
        if (twin.slow[i] === 1) continue;
        for (const [k, result] of scanner.results.entries()) {
          const { keyStart, valueStart, valueEnd } = twin.results[k]!;
          assert.equal(result.keyStart[i], keyStart[i], rows[i]!.toString());
          assert.equal(result.valueStart[i], valueStart[i]);
          assert.equal(result.valueEnd[i], valueEnd[i]);
        }
      }
      scanner.close();
      validator.close();
    }),
    { numRuns: 200 },
  );
});

test('a text of every length ends where it ends', () => {
  const rows = Array.from({ length: 140 }, (_, i) =>
    Buffer.from(
      `{"a":"${'x'.repeat(i)}","b":${'1'.repeat(1 + (i % 40))},"c":"${'\\n'.repeat(i)}"}`,
    ),
  );
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, rows);
  batch.rootStart.set(starts);
  batch.rootEnd.set(ends);
  const validator = new JsonValidator(kernel);
  validator.validate(batch, batch.rootStart, batch.rootEnd);
  starts.forEach((start, i) => {
    assert.equal(validator.valid[i], 1);
    assert.deepEqual(listedMembers(batch, validator.lists[i]!), membersOf(batch, start));
  });
  validator.close();
});

test('more shapes than are kept do no harm', () => {
  const rows = Array.from({ length: 600 }, (_, i) => {
    const members = Array.from({ length: 1 + (i % 90) }, (_, k) => `"k${k * (i % 7)}":${i}`);
    return Buffer.from(`{${members.join(',')}}`);
  });
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, rows);
  batch.rootStart.set(starts);
  batch.rootEnd.set(ends);
  const validator = new JsonValidator(kernel);
  validator.validate(batch, batch.rootStart, batch.rootEnd);
  let listed = 0;
  starts.forEach((start, i) => {
    assert.equal(validator.valid[i], 1);
    const list = validator.lists[i]!;
    if (list === 0) return;
    listed++;
    assert.deepEqual(listedMembers(batch, list), membersOf(batch, start));
  });
  assert.ok(listed > 400);
  validator.close();
});
