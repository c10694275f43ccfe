import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arrayElements } from '../../../plugins/shared/values/array_elements.ts';
import { derivedPart } from '../../../plugins/shared/values/derived_part.ts';
import type { Options } from '../../../plugins/filters/split/config.ts';
import { plugin } from '../../../plugins/filters/split/index.ts';
import { filterEvents, RawLine, testContext, type TestEvent } from './value_filter_harness.ts';

const cases: readonly [string, Options, TestEvent, readonly Record<string, unknown>[]][] = [
  [
    'an array',
    { field: 'a' },
    { a: [1, { b: 2 }, null], c: 'x' },
    [
      { c: 'x', a: 1 },
      { c: 'x', a: { b: 2 } },
      { c: 'x', a: null },
    ],
  ],
  ['lines of a text', {}, { message: 'one\n\ntwo\n' }, [{ message: 'one' }, { message: 'two' }]],
  [
    "a terminator of one's own",
    { field: 'm', terminator: ', ' },
    { m: 'x, y' },
    [{ m: 'x' }, { m: 'y' }],
  ],
  [
    'a raw line',
    { field: 'log', terminator: '|' },
    new RawLine('a|"b"'),
    [{ log: 'a' }, { log: '"b"' }],
  ],
  [
    'a target',
    { field: 'a', target: '[e][v]' },
    { a: [1, 2] },
    [
      { a: [1, 2], e: { v: 1 } },
      { a: [1, 2], e: { v: 2 } },
    ],
  ],
  ['a nested field', { field: '[a][b]' }, { a: { b: ['x'], c: 1 } }, [{ a: { c: 1, b: 'x' } }]],
  [
    'a flat key with a dot',
    { field: 'a.b' },
    { 'a.b': ['x', 'y'] },
    [{ 'a.b': 'x' }, { 'a.b': 'y' }],
  ],
];

for (const [name, options, event, expected] of cases) {
  test(`split: ${name}`, async () => {
    const outcome = await filterEvents(plugin, options, [{ message: 1, n: 0 }, event]);
    assert.equal(outcome.dropped[1], 4);
    const pieces = outcome.derived.map((one) => one.event);
    assert.deepEqual(pieces.map(sorted), expected.map(sorted));
    assert.deepEqual(
      outcome.derived.map(({ part }) => part),
      expected.map((_, i) => i + 1),
    );
    assert.ok(
      outcome.derived.every(
        ({ to, offset, tag }) => to === 'next' && offset === 10 && tag === 'app',
      ),
    );
  });
}

const sorted = (event: Record<string, unknown>) => JSON.stringify(Object.entries(event).sort());

const whole: readonly [string, Options, Record<string, unknown>, boolean][] = [
  ['a missing field', {}, { a: 1 }, true],
  ['a number', {}, { message: 5 }, true],
  ['an object', {}, { message: { a: [1] } }, true],
  ['too many pieces', { field: 'a', pieces_max: 2 }, { a: [1, 2, 3] }, true],
  ['an empty array', { field: 'a' }, { a: [] }, false],
  ['an empty text', {}, { message: '' }, false],
  ['a text of one piece', {}, { message: 'one' }, false],
];

for (const [name, options, event, isMarked] of whole) {
  test(`split leaves ${name} whole`, async () => {
    const context = testContext();
    const outcome = await filterEvents(plugin, options, [event], context);
    assert.deepEqual(outcome.events, [
      isMarked ? { ...event, tags: ['_split_type_failure'] } : event,
    ]);
    assert.equal(outcome.derived.length, 0);
    assert.equal(context.counters.get('sluice_split_failures_total')?.value, isMarked ? 1 : 0);
  });
}

test('numbers keep their digits', async () => {
  const { derived, batch } = await filterEvents(plugin, { field: 'a' }, [
    '{"n":1.10,"a":["x",2.50]}',
  ]);
  assert.equal(derived.length, 2);
  assert.equal(batch.dropped[0], 4);
});

test('many pieces go on in several batches, in order', async () => {
  const a = Array.from({ length: 3000 }, (_, i) => i);
  const { derived } = await filterEvents(plugin, { field: 'a' }, [{ a }]);
  assert.deepEqual(
    derived.map(({ event }) => event['a']),
    a,
  );
});

test('a record whose pieces would fill the memory stays whole', async () => {
  const event = { big: 'x'.repeat(100_000), a: Array.from({ length: 9000 }, () => 1) };
  const { derived, events } = await filterEvents(plugin, { field: 'a' }, [event]);
  assert.equal(derived.length, 0);
  assert.deepEqual(events[0]?.['tags'], ['_split_type_failure']);
});

test('the elements of any array are found', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.boolean(), (values, isSpaced) => {
      const json = isSpaced ? JSON.stringify(values, null, 2) : JSON.stringify(values);
      const elements = arrayElements(json)!;
      assert.deepEqual(
        elements.map((element) => JSON.parse(element)),
        JSON.parse(json),
      );
    }),
  );
  assert.equal(arrayElements('{"a":[1]}'), undefined);
});

test('pieces of pieces have parts of their own', () => {
  const parts = new Set<number>();
  for (let parent = 0; parent < 50; parent++) {
    for (let number = 0; number < 50; number++) {
      for (const maker of ['split.0', 'split.1']) {
        if (parent === 0 && number > 0 && maker === 'split.1') continue;
        parts.add(derivedPart(parent, number, maker));
      }
    }
  }
  assert.equal(parts.size, 50 * 50 * 2 - 49);
  for (const part of parts) assert.ok(part > 0 && part < 2 ** 31);
});
