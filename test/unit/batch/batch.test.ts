import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Batch, dropReason, heapBatch } from '../../../core/batch/batch.ts';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { JsonEventEncoder } from '../../../core/batch/json_encode.ts';
import { layout } from '../../../core/batch/layout.ts';
import { emptyBatch, kernelForTest, putTexts, testSource } from '../kernel/batches.ts';
import { jsonObjects } from '../kernel/json_texts.ts';
import { applyEdit, applyToModel, edits, fieldAt, type Json, readModel } from './edits.ts';

const kernel = kernelForTest();

function encoded(batch: Batch, index: number): string {
  const out = new ByteWriter();
  new JsonEventEncoder().write(batch, index, out);
  return out.view().toString();
}

function eventOf(root: string | undefined, batch: Batch = emptyBatch(undefined)): Batch {
  const { starts, ends } = putTexts(batch, [root ?? 'raw']);
  if (root !== undefined) batch.setRoot(0, starts[0]!, ends[0]!);
  return batch;
}

test('after any edits an event encodes to what the same edits make of a plain object', () => {
  const roots = fc.option(jsonObjects(['a', 'b', 'level', 'msg', '__a']), { nil: undefined });
  const lists = fc.array(edits, { maxLength: 12 });
  const batch = emptyBatch(kernel);
  fc.assert(
    fc.property(roots, lists, (root, list) => {
      batch.reset(testSource, 'test');
      eventOf(root, batch);
      let model: Json = root === undefined ? {} : (JSON.parse(root) as Json);
      for (const edit of list) {
        applyEdit(batch, 0, edit);
        model = applyToModel(model, edit);
        if (edit.kind !== 'replace') {
          assert.deepEqual(batch.valueAt(0, fieldAt(edit.path)), readModel(model, edit.path));
        }
      }
      for (const name of ['a', 'b', '0']) {
        assert.deepEqual(batch.valueAt(0, fieldAt([name, 'a'])), readModel(model, [name, 'a']));
      }
      assert.deepEqual(JSON.parse(encoded(batch, 0)), model);
    }),
    { numRuns: 3000 },
  );
});

test('the same holds when the scratch space is full', () => {
  const batch = heapBatch(4096, 4);
  fc.assert(
    fc.property(jsonObjects(['a', 'b']), fc.array(edits, { maxLength: 8 }), (root, list) => {
      if (Buffer.byteLength(root) > 4000) return;
      batch.reset(testSource, 'test');
      eventOf(root, batch);
      while (batch.reserveScratch(64) >= 0);
      let model = JSON.parse(root) as Json;
      for (const edit of list) {
        applyEdit(batch, 0, edit);
        model = applyToModel(model, edit);
      }
      assert.deepEqual(JSON.parse(encoded(batch, 0)), model);
    }),
    { numRuns: 500 },
  );
});

test('an event may touch more fields than there are columns', () => {
  const batch = eventOf('{"kept":1,"field3":"old"}');
  const model: Record<string, number> = { kept: 1 };
  for (let i = 0; i < layout.columnsMax + 20; i++) {
    batch.setValue(0, fieldOf([`field${i}`]), i);
    model[`field${i}`] = i;
  }
  batch.removeField(0, fieldOf(['field70']));
  delete model['field70'];
  assert.equal(batch.columns.length, layout.columnsMax);
  assert.equal(batch.valueAt(0, fieldOf(['field80'])), 80);
  assert.deepEqual(JSON.parse(encoded(batch, 0)), model);
});

test('untouched members keep their bytes and their order', () => {
  const batch = eventOf(
    '{"z":12345678901234567890, "y":1.0 ,"x":"\\u0041","w":{"b":1.00,"a":[1.0]}}',
  );
  batch.setValue(0, fieldOf(['new']), true);
  batch.removeField(0, fieldOf(['x']));
  batch.setValue(0, fieldOf(['w', 'a', '0']), 'set');
  assert.equal(
    encoded(batch, 0),
    '{"z":12345678901234567890, "y":1.0,"new":true,"w":{"b":1.00,"a":["set"]}}',
  );
});

test('a dotted name means the flat member when the event has one', () => {
  const field = fieldOf(['a', 'b'], 'a.b');
  const flat = eventOf('{"a.b":1,"a":{"b":2}}');
  assert.equal(flat.valueAt(0, field), 1);
  flat.setValue(0, field, 3);
  assert.equal(flat.valueAt(0, field), 3);
  assert.deepEqual(JSON.parse(encoded(flat, 0)), { 'a.b': 3, a: { b: 2 } });
  flat.removeField(0, field);
  assert.equal(flat.valueAt(0, field), 2);
  const nested = eventOf('{"a":{"b":2}}');
  nested.setValue(0, field, 3);
  assert.deepEqual(JSON.parse(encoded(nested, 0)), { a: { b: 3 } });
});

test('text is decoded and unescaped, other JSON stands as written', () => {
  const batch = eventOf('{"s":"a\\"\\u00e9","plain":"é","n":1.50,"o":{"a":[1, 2]},"nil":null}');
  const text = (name: string): string | undefined => batch.textAt(0, fieldOf([name]));
  assert.equal(text('s'), 'a"é');
  assert.equal(text('plain'), 'é');
  assert.equal(text('n'), '1.50');
  assert.equal(text('o'), '{"a":[1, 2]}');
  assert.equal(text('nil'), 'null');
  assert.equal(text('missing'), undefined);
  assert.equal(batch.valueAt(0, fieldOf(['o', 'a', '-1'])), 2);
  assert.equal(batch.valueAt(0, fieldOf(['o', 'a', '2'])), undefined);
});

test('setText keeps any string', () => {
  const batch = eventOf(undefined);
  const column = batch.column(fieldOf(['text']))!;
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      batch.setText(column, 0, value);
      assert.equal(batch.textAt(0, fieldOf(['text'])), value);
    }),
    { numRuns: 200 },
  );
});

test('marks are added once and can be taken away', () => {
  const batch = eventOf('{"tags":"first"}');
  batch.addMark(0, 'second');
  batch.addMark(0, 'second');
  assert.deepEqual(batch.valueAt(0, fieldOf(['tags'])), ['first', 'second']);
  batch.removeMark(0, 'first');
  batch.removeMark(0, 'missing');
  assert.deepEqual(batch.valueAt(0, fieldOf(['tags'])), ['second']);
});

test('a reset batch knows nothing of its former events', () => {
  const batch = eventOf('{"a":1}');
  batch.setValue(0, fieldOf(['x', 'y']), 1);
  batch.setTag(0, 'other');
  batch.dropped[0] = dropReason.filtered;
  batch.reset(testSource, 'fresh');
  batch.addEvent(7, 9, 1, 2);
  assert.equal(encoded(batch, 0), '{}');
  assert.equal(batch.tagName(0), 'fresh');
  assert.equal(batch.dropped[0], 0);
  assert.equal(batch.hasNested, false);
});

test('an edit concerns its event alone', () => {
  const batch = emptyBatch(kernel);
  const { starts, ends } = putTexts(batch, ['{"a":1}', '{"a":2}', '{"a":3}']);
  for (let i = 0; i < 3; i++) batch.setRoot(i, starts[i]!, ends[i]!);
  batch.setValue(1, fieldOf(['a']), 'edited');
  batch.removeField(2, fieldOf(['a']));
  batch.setValue(0, fieldOf(['n', 'm']), 1);
  assert.deepEqual(
    [0, 1, 2].map((i) => encoded(batch, i)),
    ['{"a":1,"n":{"m":1}}', '{"a":"edited"}', '{}'],
  );
});
