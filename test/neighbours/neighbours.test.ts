import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downForAnHour, pausedAndResumed } from './neighbours_rig.ts';

test('an output that is down for an hour below its limit delays its neighbour by nothing', async () => {
  const healthy = await downForAnHour({ whenFull: 'block', isDown: false, recordBytes: 100 });
  const down = await downForAnHour({ whenFull: 'block', isDown: true, recordBytes: 100 });
  assert.equal(down.neighbourDelayMsP99, healthy.neighbourDelayMsP99);
  assert.equal(down.waited, false);
  assert.ok(down.neighbourRecords > 2000);
  assert.match(down.reasons.join(), /output a/);
});

test('at its limit with block the shared input waits, /readyz says so, and all arrives later', async () => {
  const counts = await downForAnHour({ whenFull: 'block', isDown: true, recordBytes: 20_000 });
  assert.ok(counts.waited);
  assert.match(counts.reasons.join(), /output a/);
  assert.equal(counts.lost, 0);
});

test('at its limit with drop_oldest the neighbour flows on and what is dropped is counted', async () => {
  const options = { whenFull: 'drop_oldest', recordBytes: 20_000 } as const;
  const healthy = await downForAnHour({ ...options, isDown: false });
  const counts = await downForAnHour({ ...options, isDown: true });
  assert.equal(counts.neighbourDelayMsP99, healthy.neighbourDelayMsP99);
  assert.ok(counts.dropped > 0);
  assert.equal(counts.lost, counts.dropped);
});

// The short form; `npm run attack -- neighbours` takes 2,000.
test('outputs that pause and resume at random wedge nothing', async () => {
  const counts = await pausedAndResumed(20_261_121, 6);
  assert.equal(counts.lost, 0);
});
