import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotCheckpoints } from './rot_checkpoints.ts';
import { rotDeadLetters } from './rot_dead_letters.ts';
import { rotSegments } from './rot_rig.ts';

// A sample of all bytes; `npm run attack -- rot` takes every one.
const seed = 20_261_121;

test('a segment flipped, cut or zeroed at any byte gives back every intact chunk', async () => {
  const counts = await rotSegments({ seed, oneOf: 120 });
  assert.ok(counts.cases > 1250);
});

test('checkpoints flipped, cut or zeroed at any byte keep every intact line', async () => {
  const counts = await rotCheckpoints({ seed, oneOf: 180 });
  assert.ok(counts.cases > 750);
});

test('dead letters flipped, cut or zeroed at any byte give back every intact letter', async () => {
  const counts = await rotDeadLetters({ seed, oneOf: 400 });
  assert.ok(counts.cases > 400);
});
