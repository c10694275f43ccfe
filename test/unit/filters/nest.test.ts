import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Options } from '../../../plugins/filters/nest/config.ts';
import { plugin } from '../../../plugins/filters/nest/index.ts';
import { filterEvents, type TestEvent } from './value_filter_harness.ts';

const nest = (options: Partial<Options>): Options => ({
  operation: 'nest',
  nest_under: 'o',
  wildcard: ['h_*', 'x'],
  ...options,
});
const lift = (options: Partial<Options>): Options => ({
  operation: 'lift',
  nested_under: 'o',
  ...options,
});

const cases: readonly [string, Options, TestEvent, string][] = [
  [
    'nest by wildcard and name',
    nest({}),
    '{"h_a":1.0,"b":2,"x":{"y":1},"xx":3}',
    '{"b":2,"xx":3,"o":{"h_a":1.0,"x":{"y":1}}}',
  ],
  [
    'nest with prefixes',
    nest({ remove_prefix: 'h_', add_prefix: 'p.' }),
    { h_a: 1, x: 2 },
    '{"o":{"p.a":1,"p.x":2}}',
  ],
  [
    'nest into an object that is there',
    nest({}),
    { o: { x: 0, k: 1 }, x: 5 },
    '{"o":{"k":1,"x":5}}',
  ],
  ['nest in place of another value', nest({}), { o: 'text', x: 5 }, '{"o":{"x":5}}'],
  ['nest without a match changes nothing', nest({}), '{"b":2, "o":3}', '{"b":2, "o":3}'],
  [
    'nest leaves its own object out',
    nest({ wildcard: ['*'] }),
    { o: { k: 1 }, a: 2 },
    '{"o":{"k":1,"a":2}}',
  ],
  ['lift', lift({}), '{"o":{"a":1.0,"b":{"c":[1, 2]}},"z":1}', '{"z":1,"a":1.0,"b":{"c":[1, 2]}}'],
  [
    'lift with prefixes',
    lift({ add_prefix: 'k_', remove_prefix: 'a' }),
    { o: { ab: 1, c: 2 } },
    '{"k_b":1,"k_c":2}',
  ],
  ['lift replaces a field of the same key', lift({}), { a: 1, o: { a: 2 } }, '{"a":2}'],
  ['lift of a key like its own', lift({}), { o: { o: 1 } }, '{"o":1}'],
  ['lift of what is no object', lift({}), { o: [1], a: 1 }, '{"o":[1],"a":1}'],
  ['lift of a missing field', lift({}), { a: 1 }, '{"a":1}'],
  ['lift of an empty object', lift({}), { o: {}, a: 1 }, '{"a":1}'],
];

for (const [name, options, event, expected] of cases) {
  test(`nest: ${name}`, async () => {
    const { json } = await filterEvents(plugin, options, [event]);
    assert.equal(json[0], expected);
  });
}

test('the keys that an operation needs are asked for', () => {
  assert.equal(plugin.check!({ operation: 'nest' }).length, 2);
  assert.equal(plugin.check!({ operation: 'lift' }).length, 1);
});
