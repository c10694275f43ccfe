import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { heapBatch } from '../../../core/batch/batch.ts';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { EventView } from '../../../core/batch/event_view.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { valueKind } from '../../../core/batch/value_kind.ts';
import { scratchSource } from '../../../core/testing/index.ts';

const viewOf = (): EventView => new EventView((name) => fieldOf([name]), new ByteWriter(1024));

/** A batch of one event that is nothing but columns. */
function batchOf(values: Readonly<Record<string, string | number>>) {
  const batch = heapBatch(4096, 4);
  batch.reset(scratchSource(), 'test');
  const index = batch.addEvent(0, 1, 0, 0);
  for (const [key, value] of Object.entries(values)) {
    const isText = typeof value === 'string';
    const bytes = Buffer.from(isText ? value : JSON.stringify(value));
    batch.setField(index, fieldOf([key]), bytes, isText ? valueKind.text : valueKind.json);
  }
  return batch;
}

const key = fc.constantFrom('a', 'b', 'c', 'd é', '"e"', '1', '__proto__x');
const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.constantFrom('plain', 'quo"ted', 'back\\slash', 'é日本', '\u0001', '', '\ud800', '~'),
);
const value = fc.oneof(text, fc.double(), fc.boolean(), fc.constant(null), fc.constant(undefined));
const whole = fc.oneof(
  value,
  fc.constantFrom<unknown>([1], { x: 1 }, new Date(0), () => 1),
);

test('an object that was changed becomes the root that JSON.stringify makes of it', () => {
  const wellFormed = text.filter((one) => !one.includes('\ud800'));
  const check = fc.property(
    fc.dictionary(key, fc.oneof(wellFormed, fc.integer())),
    fc.array(fc.tuple(key, fc.option(whole)), { maxLength: 5 }),
    (columns, edits) => {
      const batch = batchOf(columns);
      const view = viewOf().at(batch, 0);
      const object = view.toObject();
      assert.deepEqual({ ...object }, { ...columns });
      for (const [name, to] of edits) {
        if (to === null) delete object[name];
        else object[name] = to;
      }
      view.replace(object);
      const root = batch.rootBytes(0)!;
      assert.equal(root.toString('utf8', batch.foundStart, batch.foundEnd), JSON.stringify(object));
      assert.ok(batch.columns.every(({ kind }) => kind[0] === valueKind.absent));
    },
  );
  fc.assert(check, { numRuns: 1500 });
});

test('what was read of another event is not taken for this one', () => {
  const batch = batchOf({ a: 'first' });
  const view = viewOf();
  const { a } = view.at(batch, 0).toObject();
  batch.reset(scratchSource(), 'test');
  batch.addEvent(1, 2, 0, 0);
  batch.setField(0, fieldOf(['a']), Buffer.from('other'), valueKind.text);
  view.at(batch, 0).replace({ a });
  assert.deepEqual(view.toObject(), { a: 'first' });
});

test('objects of classes, arrays and objects that write themselves are written as they are', () => {
  class Own {
    a = 'x';
  }
  for (const object of [new Own(), ['x'], { a: 'x', toJSON: () => ({ b: 1 }) }]) {
    const batch = batchOf({ a: 'x' });
    const view = viewOf().at(batch, 0);
    view.toObject();
    view.replace(object as unknown as Record<string, unknown>);
    const root = batch.rootBytes(0)!;
    assert.equal(root.toString('utf8', batch.foundStart, batch.foundEnd), JSON.stringify(object));
  }
});
