import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killSoak } from './kill_soak.ts';

// The short form; `npm run attack -- kill` kills 1,000 times.
test('killed 60 times at random, no line and no answered record is lost', async () => {
  const counts = await killSoak(20_261_121, 60);
  assert.equal(counts.lost, 0);
  assert.ok(counts.lines > 2000);
  assert.ok(counts.sinkFailures > 0);
});
