import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Options } from '../../../plugins/filters/record_modifier/config.ts';
import { plugin } from '../../../plugins/filters/record_modifier/index.ts';
import { filterEvents } from './value_filter_harness.ts';

const event = '{"a":1.0,"b":{"c":12345678901234567890},"tmp_x":1,"tmp_y":2}';

const cases: readonly [Options, string][] = [
  [{ record: ['env prod x', 'b "q r"'] }, '{"a":1.0,"tmp_x":1,"tmp_y":2,"env":"prod x","b":"q r"}'],
  [{ remove_key: ['a', 'tmp_*', 'no'] }, '{"b":{"c":12345678901234567890}}'],
  [{ remove_key: ["$b['c']"] }, '{"a":1.0,"tmp_x":1,"tmp_y":2,"b":{}}'],
  [{ allowlist_key: ['b', 'no'], record: ['e f'] }, '{"b":{"c":12345678901234567890},"e":"f"}'],
  [{ whitelist_key: ['t*'] }, '{"tmp_x":1,"tmp_y":2}'],
  [{}, event],
];

for (const [options, expected] of cases) {
  test(`record_modifier ${JSON.stringify(options)}`, async () => {
    const { json } = await filterEvents(plugin, options, [event]);
    assert.equal(json[0], expected);
  });
}

test('a record has the same UUID on every read, another record another', async () => {
  const read = () => filterEvents(plugin, { uuid_key: 'id' }, [{}, {}]);
  const [first, second] = [await read(), await read()];
  assert.deepEqual(first.events, second.events);
  assert.notEqual(first.events[0]?.['id'], first.events[1]?.['id']);
  assert.match(
    String(first.events[0]?.['id']),
    /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  );
});

test('wrong options are found', () => {
  const problems = plugin.check!({ record: ['x'], remove_key: ['[a'], allowlist_key: ['b'] });
  assert.deepEqual(
    problems.map(({ path }) => path.join('.')),
    ['record.0', 'remove_key.0', 'remove_key'],
  );
});
