import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reloadRig } from './reload_rig.ts';

// The short form; `npm run attack -- reload` makes 1,000.
test('reloads under load lose nothing, repeat nothing and leave nothing behind', async () => {
  const counts = await reloadRig(20_261_121, 20);
  assert.ok(counts.refused > 1);
  assert.ok(counts.failedDeliveries > 5);
  assert.ok(counts.answeredRecords > 0);
});
