import assert from 'node:assert/strict';
import { test } from 'node:test';
import { powerAgents, powerBuffer, powerCheckpoints, powerDeadLetters } from './power.ts';
import { PoweredBuffer } from './power_buffer.ts';
import { PoweredLetters } from './power_dead_letters.ts';

// Short forms with a committed seed; `npm run attack -- power` runs more.
const seed = 20_261_121;

for (const durability of ['fsync', 'interval', 'os'] as const) {
  test(`a buffer with durability ${durability} keeps what that promises when power is lost`, async () => {
    const counts = await powerBuffer(durability, { seed, runs: 400 });
    assert.ok(counts.powerLosses > 400);
  });
}

test('a flushed position is never older after a loss of power', async () => {
  const counts = await powerCheckpoints({ seed, runs: 400 });
  assert.ok(counts.powerLosses > 400);
});

test('a confirmed dead letter stays, and a removed one stays away, when power is lost', async () => {
  const counts = await powerDeadLetters({ seed, runs: 250 });
  assert.ok(counts.powerLosses > 250);
});

test('an agent whose power is lost at any moment delivers or keeps every record', async () => {
  const counts = await powerAgents({ seed, runs: 3 });
  assert.ok(counts.powerLosses > 10);
});

// What generated histories found, shrunk.

test('a chunk that a killed process had not synced is durable once the next one has it', () =>
  new PoweredBuffer('interval').run([
    { do: 'append', bytes: 0 },
    { do: 'kill' },
    { do: 'close' },
    { do: 'power', seed: 1 },
  ]));

test('a segment whose first write did not fit leaves nothing that looks like damage', () =>
  new PoweredBuffer('fsync').run([
    { do: 'fill', bytesFree: 65 },
    { do: 'append_many', count: 1, wait: false },
    { do: 'append', bytes: 0 },
    { do: 'kill' },
  ]));

test('a removal is durable although the one before it could not sync its directory', () =>
  new PoweredLetters().run([
    { do: 'append', count: 1, wait: true },
    { do: 'fail', call: 'sync_directory' },
    { do: 'append', count: 1, wait: false },
    { do: 'remove', pick: 0, count: 1 },
    { do: 'remove', pick: 0, count: 1 },
    { do: 'power', seed: 3 },
  ]));
