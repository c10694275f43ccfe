import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { logonRecords } from '../event_log/evtx_events.ts';
import { chunksOf, evtxFile } from '../event_log/evtx_writer.ts';
import { endAgents, ended, killed, startAgent } from './kill_rig.ts';

test('killed while it reads a growing log file, the agent loses no record', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-kill-evtx-'));
  const records = logonRecords(2400);
  const write = async (count: number) => {
    // As a copy is refreshed: another file takes the name.
    await writeFile(join(directory, 'new'), evtxFile(chunksOf(records.slice(0, count)), true));
    await rename(join(directory, 'new'), join(directory, 'log.evtx'));
  };
  try {
    await writeFile(join(directory, 'pipeline.yaml'), pipeline(directory));
    let agent = startAgent(directory);
    for (let kill = 1; kill <= 6; kill++) {
      const before = (await ids(directory)).length;
      await write(kill * 350);
      if (kill % 2 === 0) {
        await waitUntil('progress', async () => (await ids(directory)).length > before);
      }
      await killed(agent);
      agent = startAgent(directory);
    }
    await write(2400);
    await waitUntil('all is delivered', async () => new Set(await ids(directory)).size === 2400);
    agent.kill('SIGTERM');
    assert.equal(await ended(agent), 0);
    const seen = await ids(directory);
    assert.ok(seen.length < 3 * 2400, `${seen.length} records, some of them again and again`);
  } finally {
    endAgents();
    await rm(directory, { recursive: true, force: true });
  }
});

function pipeline(directory: string): string {
  return `
service: {flush: 20ms, storage.path: ${join(directory, 'data')}}
pipeline:
  inputs: [{name: evtx, path: log.evtx, refresh_interval: 100ms}]
  outputs:
    - {name: file, alias: out, match: '*', path: out, file: events.ndjson, batch: {records: 100}}
`;
}

async function ids(directory: string): Promise<number[]> {
  const all: number[] = [];
  for (const file of await readdir(join(directory, 'out')).catch(() => [])) {
    const text = await readFile(join(directory, 'out', file), 'utf8');
    // The last piece is empty, or a line that is being written.
    for (const line of text.split('\n').slice(0, -1)) {
      all.push((JSON.parse(line) as { EventRecordID: number }).EventRecordID);
    }
  }
  return all;
}
