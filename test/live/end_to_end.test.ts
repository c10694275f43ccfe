import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { killServer } from '../crash/kill_server.ts';
import { elasticsearch } from '../destinations/destination.ts';
import { claimServer } from '../servers/claimed_server.ts';
import { type RunningServer, servers } from '../servers/index.ts';

const verdict = await servers.elasticsearch9.canRun();
const skip = verdict.ok ? false : verdict.why;
const claimed = claimServer('elasticsearch9');
const kills = 6;
let server: RunningServer;

before(async () => {
  if (skip === false) server = await claimed.started();
});
after(() => claimed.release());

for (const [k, storage] of (['memory', 'filesystem'] as const).entries()) {
  test(`killed ${kills} times with a ${storage} buffer, Elasticsearch has every line and every answered record exactly once`, {
    skip,
  }, async () => {
    const counts = await killServer(elasticsearch, {
      ...{ seed: 17 + k, kills, storage, server },
      // Below are the lines of other tests on this server.
      base: (k + 1) * 100_000_000,
    });
    assert.ok(counts.recordsAnswered >= 20, `${counts.recordsAnswered} records were answered`);
  });
}
