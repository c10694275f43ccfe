import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plugin } from '../../../plugins/filters/sample/index.ts';
import { filterEvents } from './value_filter_harness.ts';

const records = Array.from({ length: 2000 }, (_, i) => ({ i, trace: `trace-${i >> 1}` }));
const keptOf = (dropped: readonly number[]) => dropped.filter((reason) => reason === 0).length;

for (const [options, low, high] of [
  [{ percentage: 0 }, 0, 0],
  [{ percentage: 100 }, 2000, 2000],
  [{ percentage: 10 }, 140, 260],
  [{ one_of: 4 }, 420, 580],
  [{ one_of: 1 }, 2000, 2000],
  [{ percentage: 25, key: 'trace' }, 420, 580],
] as const) {
  test(`${JSON.stringify(options)} keeps its share`, async () => {
    const { dropped } = await filterEvents(plugin, options, records);
    const kept = keptOf(dropped);
    assert.ok(kept >= low && kept <= high, `${kept} of 2000`);
    assert.ok(dropped.every((reason) => reason === 0 || reason === 2));
  });
}

test('the decision is the same every time, and differs with the seed', async () => {
  const first = await filterEvents(plugin, { percentage: 50 }, records);
  const second = await filterEvents(plugin, { percentage: 50 }, records);
  assert.deepEqual(first.dropped, second.dropped);
  const other = await filterEvents(plugin, { percentage: 50, seed: 'b' }, records);
  assert.notDeepEqual(first.dropped, other.dropped);
});

test('records with the same key stay or go together', async () => {
  const { dropped } = await filterEvents(plugin, { one_of: 3, key: 'trace' }, records);
  for (let i = 0; i < records.length; i += 2) assert.equal(dropped[i], dropped[i + 1]);
  const mixed = await filterEvents(plugin, { one_of: 2, key: 'k' }, [
    { k: 7 },
    { k: '7' },
    '{"k":"\\u0037"}',
  ]);
  assert.equal(new Set(mixed.dropped).size, 1);
});

test('exactly one share is asked for', () => {
  assert.equal(plugin.check!({}).length, 1);
  assert.equal(plugin.check!({ percentage: 1, one_of: 2 }).length, 1);
});
