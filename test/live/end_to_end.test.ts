import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { endAgents, ended, killed, LineWriter, startAgent } from '../crash/kill_rig.ts';
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

for (const storage of ['memory', 'filesystem']) {
  test(`killed ${kills} times with a ${storage} buffer, Elasticsearch has every line exactly once`, {
    skip,
  }, async () => {
    const url = `${server.url}/lines-${storage}`;
    const directory = await mkdtemp(join(tmpdir(), 'sluice-live-'));
    try {
      await writeFile(join(directory, 'pipeline.yaml'), pipeline(directory, server.port, storage));
      const writer = new LineWriter(directory);
      let agent = startAgent(directory);
      for (let kill = 0; kill < kills; kill++) {
        await writer.write(2000);
        if (kill % 3 === 2) await writer.rotate();
        const before = await count(url);
        if (kill % 2 === 0) {
          await waitUntil('progress', async () => (await count(url)) > before, 60_000);
        }
        await killed(agent);
        agent = startAgent(directory);
      }
      await waitUntil('all lines', async () => (await count(url)) >= writer.lines, 60_000);
      agent.kill('SIGTERM');
      assert.equal(await ended(agent), 0);
      assert.equal(await count(url), writer.lines);
    } finally {
      endAgents();
      await rm(directory, { recursive: true, force: true });
    }
  });
}

function pipeline(directory: string, port: number, storage: string): string {
  return `
service: {flush: 50ms, storage.path: ${join(directory, 'data')}, log_level: warn}
pipeline:
  inputs:
    - {name: tail, path: '*.log, *.log.*', read_from_head: true, refresh_interval: 100ms}
  outputs:
    - name: elasticsearch
      alias: out
      match: '*'
      host: 127.0.0.1
      port: ${port}
      index: lines-${storage}
      storage.type: ${storage}
      batch: {records: 500}
`;
}

async function count(url: string): Promise<number> {
  await fetch(`${url}/_refresh`, { method: 'POST' });
  const response = await fetch(`${url}/_count`);
  if (!response.ok) return 0;
  // Elasticsearch's own answer.
  return ((await response.json()) as { count: number }).count;
}
