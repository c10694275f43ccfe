import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { endAgents, ended, killed, LineWriter, startAgent } from '../crash/kill_rig.ts';
import { type RunningServer, servers } from '../servers/index.ts';

const verdict = await servers.clickhouse.canRun();
const skip = verdict.ok ? false : verdict.why;
const kills = 6;

test(`killed ${kills} times with a disk buffer, ClickHouse has every line exactly once`, {
  skip,
}, async () => {
  const server = await servers.clickhouse.start();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-live-'));
  try {
    await writeFile(join(directory, 'pipeline.yaml'), pipeline(directory, server));
    const writer = new LineWriter(directory);
    let agent = startAgent(directory);
    for (let kill = 0; kill < kills; kill++) {
      await writer.write(2000);
      if (kill % 3 === 2) await writer.rotate();
      const before = await count(server);
      if (kill % 2 === 0) {
        await waitUntil('progress', async () => (await count(server)) > before, 60_000);
      }
      await killed(agent);
      agent = startAgent(directory);
    }
    await waitUntil('all lines', async () => (await distinct(server)) >= writer.lines, 60_000);
    agent.kill('SIGTERM');
    assert.equal(await ended(agent), 0);
    assert.equal(await distinct(server), writer.lines);
    assert.equal(await count(server), writer.lines);
  } finally {
    endAgents();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

function pipeline(directory: string, server: RunningServer): string {
  return `
service: {flush: 50ms, storage.path: ${join(directory, 'data')}, log_level: warn}
pipeline:
  inputs:
    - {name: tail, path: '*.log, *.log.*', read_from_head: true, refresh_interval: 100ms}
  outputs:
    - name: clickhouse
      alias: out
      match: '*'
      host: 127.0.0.1
      port: ${server.port}
      user: ${server.username}
      password: ${server.password}
      table: lines
      create_table: true
      columns: {log: String}
      storage.type: filesystem
`;
}

/** Rows; 0 as long as the agent has not made the table. */
function count(server: RunningServer): Promise<number> {
  return number(server, 'SELECT count() FROM lines');
}

function distinct(server: RunningServer): Promise<number> {
  return number(server, 'SELECT uniqExact(log) FROM lines');
}

async function number(server: RunningServer, sql: string): Promise<number> {
  const response = await fetch(server.url, {
    method: 'POST',
    body: sql,
    headers: { 'x-clickhouse-user': server.username!, 'x-clickhouse-key': server.password! },
  });
  const text = await response.text();
  return response.ok ? Number(text) : 0;
}
