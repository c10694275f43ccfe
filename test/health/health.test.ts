import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redMsMax, healthRig } from './health_rig.ts';

test('each fault turns the right probe red with its component and reason; idle stays green', async () => {
  const { red, greenProbes } = await healthRig(1500);
  for (const [name, seconds] of Object.entries(red)) {
    assert.ok(seconds < redMsMax / 1000, `${name}: ${seconds} s`);
  }
  assert.ok(Object.keys(red).length >= 40, `${Object.keys(red).length} faults`);
  assert.ok(greenProbes > 20);
});
