import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Options } from '../../../plugins/filters/modify/config.ts';
import { plugin } from '../../../plugins/filters/modify/index.ts';
import { filterEvents, RawLine } from './value_filter_harness.ts';

const event = { a: 'x', b: 2, 'c.d': true, n: { k: 'v' } };
const all = JSON.stringify(event);

const cases: readonly [Options, string][] = [
  [{ set: ['a y z'] }, '{"b":2,"c.d":true,"n":{"k":"v"},"a":"y z"}'],
  [{ set: ['"quoted key" "v w"'] }, '{"a":"x","b":2,"c.d":true,"n":{"k":"v"},"quoted key":"v w"}'],
  [{ set: ["$n['j'] 1"] }, '{"a":"x","b":2,"c.d":true,"n":{"k":"v","j":"1"}}'],
  [{ add: ['a y', 'e f'] }, '{"a":"x","b":2,"c.d":true,"n":{"k":"v"},"e":"f"}'],
  [{ remove: ['a', 'no', 'c.d', '[n][k]'] }, '{"b":2,"n":{}}'],
  [{ remove_wildcard: ['c', 'n*'] }, '{"a":"x","b":2}'],
  [{ remove_regex: ['^[ab]$'] }, '{"c.d":true,"n":{"k":"v"}}'],
  [{ rename: ['a z'] }, '{"b":2,"c.d":true,"n":{"k":"v"},"z":"x"}'],
  [{ rename: ['a b', 'no z'] }, all],
  [{ hard_rename: ['a b'] }, '{"c.d":true,"n":{"k":"v"},"b":"x"}'],
  [{ hard_rename: ['no b', 'a a'] }, all],
  [{ copy: ['a z', 'a b'] }, '{"a":"x","b":2,"c.d":true,"n":{"k":"v"},"z":"x"}'],
  [{ hard_copy: ['n b'] }, '{"a":"x","c.d":true,"n":{"k":"v"},"b":{"k":"v"}}'],
  [{ move_to_start: ['n', 'b'] }, '{"b":2,"n":{"k":"v"},"a":"x","c.d":true}'],
  [{ move_to_end: ['a*'] }, '{"b":2,"c.d":true,"n":{"k":"v"},"a":"x"}'],
  // The order of the file counts, over all kinds.
  [{ rename: ['a t'], set: ['a new'], remove: ['b', 'n', 'c.d'] }, '{"t":"x","a":"new"}'],
  [{ set: ['a new'], rename: ['a t'], remove: ['b', 'n', 'c.d'] }, '{"t":"new"}'],
  [
    { rename: ['a t'], remove_wildcard: ['t'], add: ['a again'] },
    '{"b":2,"c.d":true,"n":{"k":"v"},"a":"again"}',
  ],
];

for (const [options, expected] of cases) {
  test(`modify ${JSON.stringify(options)}`, async () => {
    const { json } = await filterEvents(plugin, options, [event, event]);
    assert.deepEqual(
      json.map((text) => JSON.parse(text)),
      [JSON.parse(expected), JSON.parse(expected)],
    );
    if (options.move_to_start ?? options.move_to_end) assert.equal(json[0], expected);
  });
}

const conditions: readonly [string, boolean][] = [
  ['Key_exists a', true],
  ["key_exists $n['k']", true],
  ['Key_exists no', false],
  ['Key_does_not_exist no', true],
  ['Key_does_not_exist a', false],
  ['A_key_matches ^c\\.', true],
  ['A_key_matches ^z', false],
  ['No_key_matches ^z', true],
  ['No_key_matches ^a', false],
  ['Key_value_equals a x', true],
  ['Key_value_equals b 2', true],
  ['Key_value_equals no x', false],
  ['Key_value_does_not_equal a y', true],
  ['Key_value_does_not_equal a x', false],
  ['Key_value_does_not_equal no x', false],
  ['Key_value_matches a ^[xyz]$', true],
  ['Key_value_matches a /X/i', true],
  ['Key_value_matches no .', false],
  ['Key_value_does_not_match a y', true],
  ['Key_value_does_not_match a x', false],
  ['Key_value_does_not_match no x', false],
  ['Matching_keys_have_matching_values ^[ab]$ ^[x2]$', true],
  ['Matching_keys_have_matching_values ^[ab]$ ^x$', false],
  ['Matching_keys_have_matching_values ^z$ ^x$', true],
  ['Matching_keys_do_not_have_matching_values ^[ab]$ ^y$', true],
  ['Matching_keys_do_not_have_matching_values ^[ab]$ ^x$', false],
];

for (const [condition, holds] of conditions) {
  test(`condition ${condition} is ${holds}`, async () => {
    const options: Options = { condition: [condition], set: ['met yes'] };
    const { events } = await filterEvents(plugin, options, [event]);
    assert.equal(events[0]?.['met'], holds ? 'yes' : undefined);
  });
}

test('all conditions must hold, and are asked before any rule', async () => {
  const both: Options = {
    remove: ['a'],
    condition: ['Key_exists a', 'Key_exists b'],
    set: ['m 1'],
  };
  const { events } = await filterEvents(plugin, both, [{ a: 1, b: 1 }, { a: 1 }]);
  assert.deepEqual(events, [{ b: 1, m: '1' }, { a: 1 }]);
});

test('raw lines are changed too', async () => {
  const options: Options = { rename: ['log message'], remove_regex: ['x'] };
  const { events } = await filterEvents(plugin, options, [new RawLine('hi')]);
  assert.deepEqual(events, [{ message: 'hi' }]);
});

test('wrong rules are found', () => {
  const problems = plugin.check!({
    set: ['a'],
    remove_regex: ['('],
    condition: ['Maybe a', 'Key_exists'],
    rename: ['[a b'],
  });
  assert.deepEqual(
    problems.map(({ path }) => path.join('.')),
    ['condition.0', 'condition.1', 'set.0', 'remove_regex.0', 'rename.0'],
  );
});
