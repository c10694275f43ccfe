import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addMarked, countMarked, isClear } from '../../../core/batch/masks.ts';

// A mask within more bytes, at any place, with marks behind it that do not count.
const masks = fc.record({
  marks: fc.array(fc.constantFrom(0, 0, 0, 1), { maxLength: 3000 }),
  at: fc.integer({ min: 0, max: 5 }),
});

function maskOf({ marks, at }: { marks: number[]; at: number }): Uint8Array {
  const bytes = new Uint8Array(at + marks.length + 9).fill(1);
  bytes.set(marks, at);
  return bytes.subarray(at);
}

test('counts the marked events, whatever the mask’s place and length', () => {
  fc.assert(
    fc.property(masks, (made) => {
      const expected = made.marks.filter((mark) => mark === 1).length;
      assert.equal(countMarked(maskOf(made), made.marks.length), expected);
    }),
  );
});

test('counts more events than a byte can', () => {
  const mask = new Uint8Array(5000).fill(1);
  assert.equal(countMarked(mask, 5000), 5000);
});

test('says that a mask is clear only when no event of the batch is marked', () => {
  fc.assert(
    fc.property(masks, (made) => {
      assert.equal(isClear(maskOf(made), made.marks.length), !made.marks.includes(1));
    }),
  );
  for (let index = 0; index < 9; index++) {
    const mask = new Uint8Array(9);
    mask[index] = 3;
    assert.equal(isClear(mask, 9), false, `event ${index}`);
    assert.equal(isClear(mask, index), true, `the events before ${index}`);
  }
});

test('adds marks to marks', () => {
  const into = Uint8Array.of(1, 0, 0, 1, 0);
  addMarked(into, Uint8Array.of(0, 1, 0, 1, 1), 4);
  assert.deepEqual([...into], [1, 1, 0, 1, 0]);
});
