import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BatchFilter } from '../../../core/sdk/contracts.ts';
import type { Options } from '../../../plugins/filters/throttle/config.ts';
import { plugin } from '../../../plugins/filters/throttle/index.ts';
import { SlidingWindow } from '../../../plugins/filters/throttle/sliding_window.ts';
import { batchOf, runFilter, testContext } from './value_filter_harness.ts';

function throttle(options: Options) {
  const context = testContext();
  const filter = plugin.create(options, context) as BatchFilter;
  const pass = async (events: readonly Record<string, unknown>[]) => {
    const { dropped } = await runFilter(filter, batchOf(events));
    assert.ok(dropped.every((reason) => reason === 0 || reason === 3));
    return dropped.filter((reason) => reason === 0).length;
  };
  return { context, pass };
}

const many = (count: number, event = {}) => Array.from({ length: count }, () => event);

test('rate times window records pass in a window, however they come', async () => {
  const { context, pass } = throttle({ rate: 2, window: 3 });
  assert.equal(await pass(many(10)), 6);
  context.clock.ms += 2000;
  assert.equal(await pass(many(10)), 0);
  context.clock.ms += 1000;
  assert.equal(await pass(many(10)), 6);
  context.clock.ms += 60_000;
  assert.equal(await pass(many(4)), 4);
});

test('a fraction of a record an interval is possible', async () => {
  const { context, pass } = throttle({ rate: 0.5, window: 4, interval: 100 });
  assert.equal(await pass(many(5)), 2);
  context.clock.ms += 400;
  assert.equal(await pass(many(5)), 2);
});

test('each key has its own limit; records without one share theirs', async () => {
  const { pass } = throttle({ rate: 1, window: 1, key: 'k' });
  assert.equal(
    await pass([...many(3, { k: 'a' }), ...many(3, { k: 'b' }), ...many(3), { k: 1 }, { k: '1' }]),
    4,
  );
});

test('keys past the limit share one window until others are idle', async () => {
  const { context, pass } = throttle({ rate: 1, window: 2, key: 'k', keys_max: 2 });
  assert.equal(await pass([{ k: 'a' }, { k: 'b' }, { k: 'c' }, { k: 'd' }, { k: 'e' }]), 4);
  assert.equal(context.counters.get('sluice_throttle_keys_limited_total')?.value, 3);
  context.clock.ms += 5000;
  assert.equal(await pass([{ k: 'c' }, { k: 'c' }, { k: 'c' }]), 2);
  assert.equal(context.counters.get('sluice_throttle_keys_limited_total')?.value, 3);
});

test('the status is said once an interval', async () => {
  const { context, pass } = throttle({ rate: 1, window: 1, print_status: true });
  await pass(many(2));
  await pass(many(2));
  context.clock.ms += 1000;
  await pass(many(2));
  assert.equal(context.logged.length, 2);
});

test('the window counts exactly the last intervals', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 8 })),
      (size, steps) => {
        const window = new SlidingWindow(size, 0);
        const times: number[] = [];
        let now = 0;
        for (const step of steps) {
          now += step;
          window.moveTo(now);
          window.add();
          times.push(now);
          assert.equal(window.total, times.filter((time) => time > now - size).length);
        }
      },
    ),
  );
});

test('counters are bounded', () => {
  assert.equal(plugin.check!({ key: 'k', keys_max: 1_000_000, window: 3600 }).length, 1);
});
