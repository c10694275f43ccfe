import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeriodHealth } from '../../../core/topology/period_health.ts';

test('health is red above the limits, and green again a period later', () => {
  let tick = () => {};
  const count = { errors: 7, retries: 9 };
  const health = new PeriodHealth({
    clock: {
      nowMs: () => 0,
      monotonicMs: () => 0,
      after: () => () => undefined,
      every(_, work) {
        tick = work;
        return () => undefined;
      },
    },
    periodMs: 60_000,
    read: () => ({ ...count }),
    most: { errors: 2, retries: 5 },
  });
  assert.equal(health.isHealthy(), true);
  count.errors += 2;
  assert.equal(health.isHealthy(), true);
  count.errors += 1;
  assert.equal(health.isHealthy(), false);
  for (let second = 0; second < 60; second++) tick();
  assert.equal(health.isHealthy(), true);
  count.retries += 6;
  assert.equal(health.isHealthy(), false);
});
