import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNoFaults } from './fault_library.ts';
import { FullRig, lastingFaults, stumbles } from './full_rig.ts';

const why = whyNoFaults();
const skip = why === undefined ? false : why;

test('a disk that fails makes the agent wait and say so, and costs nothing when it comes back', {
  skip,
}, async () => {
  const rig = await FullRig.create();
  try {
    rig.start();
    await rig.recovered('the start');
    for (const fault of lastingFaults) await rig.endure(fault);
    assert.ok((await stumbles(rig, 1, 12)) > 3);
    await rig.end();
  } finally {
    await rig.close();
  }
});

test('an agent starts on a full disk, and delivers once there is room', { skip }, async () => {
  const rig = await FullRig.create();
  try {
    await rig.write(100);
    rig.faults.arm({ calls: ['write'], error: 'ENOSPC' });
    rig.start();
    await rig.waitForStart();
    rig.faults.calm();
    await rig.end();
  } finally {
    await rig.close();
  }
});
