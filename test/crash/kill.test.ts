import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { endAgents, ended, killed, LineWriter, startAgent } from './kill_rig.ts';

const ways = [
  { storage: 'memory', workers: 1, kills: 6 },
  { storage: 'filesystem', workers: 1, kills: 6 },
  { storage: 'filesystem', workers: 2, kills: 6 },
];

for (const { storage, workers, kills } of ways) {
  const what = `a ${storage} buffer and ${workers} worker(s)`;
  test(`killed ${kills} times at random with ${what}, no line is lost`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-kill-'));
    try {
      await writePipeline(directory, storage, workers);
      const writer = new LineWriter(directory);
      let agent = startAgent(directory);
      for (let kill = 0; kill < kills; kill++) {
        await writer.write(300);
        if (kill % 4 === 3) await writer.rotate();
        const target = await delivered(directory);
        // Some kills strike while nothing has moved, some in the middle of a chunk.
        if (kill % 2 === 0) {
          await waitUntil('progress', async () => (await delivered(directory)) > target);
        }
        await killed(agent);
        agent = startAgent(directory);
      }
      await writer.write(50);
      await waitUntil('everything is delivered', async () => {
        const seen = new Set((await records(directory)).map((record) => record.log));
        return seen.size === writer.lines;
      });
      agent.kill('SIGTERM');
      assert.equal(await ended(agent), 0);
      const seen = new Set((await records(directory)).map((record) => record.log));
      for (let line = 0; line < writer.lines; line++) assert.ok(seen.has(`line ${line}`));
    } finally {
      endAgents();
      await rm(directory, { recursive: true, force: true });
    }
  });
}

async function writePipeline(directory: string, storage: string, workers: number): Promise<void> {
  await writeFile(
    join(directory, 'pipeline.yaml'),
    `
service: {flush: 20ms, workers: ${workers}, storage.path: ${join(directory, 'data')}}
pipeline:
  inputs:
    - name: tail
      path: '*.log, *.log.*'
      read_from_head: true
      refresh_interval: 100ms
  outputs:
    - name: file
      alias: out
      match: '*'
      path: out
      file: records.ndjson
      storage.type: ${storage}
      batch: {records: 100}
`,
  );
}

async function delivered(directory: string): Promise<number> {
  return (await records(directory)).length;
}

async function records(directory: string): Promise<{ log: string }[]> {
  const files = await readdir(join(directory, 'out')).catch(() => []);
  const all: { log: string }[] = [];
  for (const file of files) {
    const text = await readFile(join(directory, 'out', file), 'utf8');
    // The last piece is empty, or a line that is being written.
    for (const line of text.split('\n').slice(0, -1)) all.push(JSON.parse(line));
  }
  return all;
}
