import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addLines } from '../../../core/batch/add_lines.ts';
import { heapBatch } from '../../../core/batch/batch.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { testSource } from '../kernel/batches.ts';

test('lines become the events that adding them one by one gives', () => {
  const lines = { starts: Int32Array.of(7, 10, 11, 30), behind: 33, base: 1000 - 7, count: 4 };
  const whole = heapBatch(1000, 8);
  const single = heapBatch(1000, 8);
  for (const batch of [whole, single]) {
    // What an earlier use left behind.
    batch.reset(testSource, 'before');
    const old = batch.column(fieldOf(['old']))!;
    for (let i = 0; i < 5; i++) {
      const index = batch.addEvent(i, i + 1, 5, 6);
      batch.setRoot(index, 0, 2);
      batch.dropped[index] = 1;
      batch.part[index] = 9;
      batch.setTag(index, 'other');
      batch.setSpan(old, index, 0, 1, 1);
    }
    batch.reset(testSource, 'now');
    batch.column(fieldOf(['log']));
  }
  addLines(whole, { ...lines, seconds: 1700000000, nanos: 42 });
  for (let i = 0; i < 4; i++) {
    const next = lines.starts[i + 1] ?? lines.behind;
    single.addEvent(lines.base + lines.starts[i]!, lines.base + next, 1700000000, 42);
  }
  assert.equal(whole.count, 4);
  const arrays = [
    'offset',
    'offsetEnd',
    'seconds',
    'nanos',
    'part',
    'tag',
    'rootKind',
    'dropped',
  ] as const;
  for (const name of arrays) {
    assert.deepEqual(whole[name].subarray(0, 4), single[name].subarray(0, 4), name);
  }
  assert.deepEqual([...whole.offset.subarray(0, 4)], [1000, 1003, 1004, 1023]);
  assert.equal(whole.offsetEnd[3], 1026);
  assert.deepEqual([...whole.columns[0]!.kind.subarray(0, 4)], [0, 0, 0, 0]);
});
