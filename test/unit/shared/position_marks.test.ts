import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type PositionMark,
  PositionMarks,
} from '../../../plugins/shared/position_marks/position_marks.ts';

test('the mark of a position is the newest at or before it, also after settling', () => {
  const marks = new PositionMarks<PositionMark & { readonly cursor?: string }>({ position: 0 });
  for (const position of [10, 20, 30]) marks.add({ cursor: `c${position}`, position });
  assert.equal(marks.at(9).cursor, undefined);
  assert.equal(marks.at(10).cursor, 'c10');
  assert.equal(marks.at(29).cursor, 'c20');
  marks.settle(25);
  assert.equal(marks.at(5).cursor, 'c20');
  assert.equal(marks.at(99).cursor, 'c30');
  assert.equal(marks.last.cursor, 'c30');
});
