import { test } from 'node:test';
import { clickhouse, elasticsearch, loki } from '../destinations/destination.ts';
import { destinationsRig } from '../destinations/destinations_rig.ts';
import { claimServer } from '../servers/claimed_server.ts';
import { servers } from '../servers/index.ts';

// The short form; `npm run attack -- destinations` goes many rounds with both kinds of buffer.
for (const [destination, storage] of [
  [elasticsearch, 'memory'],
  [clickhouse, 'filesystem'],
  [loki, 'memory'],
] as const) {
  const verdict = await servers[destination.name].canRun();
  const skip = verdict.ok ? false : verdict.why;
  const claimed = claimServer(destination.name);
  test(`${destination.name} behind a bad way, stopped and killed, has every line exactly once`, {
    skip,
  }, async () => {
    const server = await claimed.started();
    try {
      await destinationsRig(destination, server, { seed: 20_261_121, rounds: 1, storage });
    } finally {
      await claimed.release();
    }
  });
}
