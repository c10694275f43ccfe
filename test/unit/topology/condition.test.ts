import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { heapBatch } from '../../../core/batch/batch.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { compileExpression } from '../../../core/expression/expression.ts';
import { compileRegex } from '../../../core/regex/regex.ts';
import { Condition } from '../../../core/topology/condition.ts';
import { TagMatcher } from '../../../core/topology/tag_matcher.ts';
import { WatchedExpression } from '../../../core/topology/watched_expression.ts';
import { testSource } from '../kernel/batches.ts';

const values = fc.oneof(
  fc.constantFrom('500', '404', 500, 404, 5e2, 'error', 'WARN', 'info', '', ' 500 ', null, true),
  fc.constantFrom('"500"', [500], ['a', 'error'], { a: 1 }, 'x'.repeat(33), 'é', 'É'),
  fc.jsonValue({ maxDepth: 1 }),
);
const conditions = [
  'status >= "500"',
  'status == 500',
  'status != "error"',
  'status >= "warn"',
  'status in [500, "info", null]',
  'status not in [404, "error"]',
  'status =~ /^[45]/',
  'status !~ /r/i',
  'exists(status)',
  'missing(status) or length(status) > 3',
  'contains(status, "0") and not status == "500"',
  'status and tag() == "other"',
  'status == 500 or level == "error"',
  'status.a == 1',
];

test('a condition decides of whole batches as its expression decides of single events', () => {
  const [status, level] = [fieldOf(['status']), fieldOf(['level'])];
  const events = fc.array(
    fc.record({
      status: fc.option(values, { nil: undefined }),
      level: values,
      other: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  for (const source of conditions) {
    const when = compileExpression(source, { compileRegex });
    // One condition for all batches: what it remembers must stay true.
    const condition = new Condition(new TagMatcher(() => true), new WatchedExpression(source));
    const check = fc.property(events, (list) => {
      const batch = heapBatch(4096, 64);
      batch.reset(testSource, 'test');
      for (const event of list) {
        const index = batch.addEvent(0, 1, 0, 0);
        if (event.other) batch.setTag(index, 'other');
        if (event.status !== undefined) batch.setValue(index, status, event.status);
        batch.setValue(index, level, event.level);
      }
      const expected = list.map((event, index) =>
        when.evaluate({
          tag: event.other ? 'other' : 'test',
          get: (path) => batch.valueAt(index, fieldOf(path.keys, path.literal)),
        }),
      );
      const selected = condition.select(batch, batch.select);
      const verdicts = list.map((_, index) => batch.select[index] === 1);
      assert.deepEqual(verdicts, expected, source);
      assert.equal(selected, expected.filter(Boolean).length);
    });
    fc.assert(check, { numRuns: 60 });
  }
});
