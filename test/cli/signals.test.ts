import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { freePort } from '../chaos/sink.ts';
import { endAgents, ended, startAgent } from '../crash/kill_rig.ts';

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-signals-'));
  try {
    await work(directory);
  } finally {
    endAgents();
    await rm(directory, { recursive: true, force: true });
  }
}

function pipeline(directory: string, output: string, extra = ''): string {
  return `
service: {flush: 10s, grace: 10s, storage.path: ${join(directory, 'data')}, log_level: warn${extra}}
pipeline:
  inputs: [{name: tail, path: app.log, read_from_head: true, refresh_interval: 100ms}]
  outputs: [${output}]
`;
}

const fileOutput = "{name: file, match: '*', path: out, file: records.ndjson}";

const lines = (path: string) =>
  readFile(path, 'utf8').then(
    (text) => text.split('\n').length - 1,
    () => 0,
  );

test('SIGTERM delivers what was read, an unfinished last line too, and ends with 0', () =>
  inDirectory(async (directory) => {
    const inTwos = fileOutput.replace('}', ', batch: {records: 2}}');
    await writeFile(join(directory, 'pipeline.yaml'), pipeline(directory, inTwos));
    await writeFile(join(directory, 'app.log'), 'one\ntwo\nthree without its end');
    const agent = startAgent(directory);
    const records = join(directory, 'out', 'records.ndjson');
    await waitUntil('the whole lines are there', async () => (await lines(records)) === 2);
    agent.kill('SIGTERM');
    assert.equal(await ended(agent), 0);
    assert.equal(await lines(records), 3);
  }));

test('SIGTERM while lines are still written for 3 s: all are delivered, and the log says so', () =>
  inDirectory(async (directory) => {
    const logFile = join(directory, 'agent.log');
    const text = pipeline(directory, fileOutput, `, log_file: ${logFile}`);
    await writeFile(join(directory, 'pipeline.yaml'), text.replace('warn', 'info'));
    await writeFile(join(directory, 'app.log'), 'line\n'.repeat(1000));
    const agent = startAgent(directory);
    // Before it has started, as an orchestrator may.
    await waitUntil('it is starting', () => existsSync(join(directory, 'data')));
    agent.kill('SIGTERM');
    let written = 1000;
    for (const endMs = performance.now() + 3000; performance.now() < endMs; ) {
      await writeFile(join(directory, 'app.log'), `line ${written++}\n`, { flag: 'a' });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(await ended(agent), 0);
    assert.equal(await lines(join(directory, 'out', 'records.ndjson')), written);
    const last = (await readFile(logFile, 'utf8')).trimEnd().split('\n').at(-1)!;
    assert.match(last, new RegExp(`${written} records delivered, 0 persisted, 0 lost`));
  }));

test('SIGTERM while the destination is down: what was read is persisted before the grace ends', () =>
  inDirectory(async (directory) => {
    const logFile = join(directory, 'agent.log');
    const down = `{name: http, alias: down, match: '*', host: 127.0.0.1, port: ${await freePort()}, storage.type: filesystem, flush: 50ms}`;
    const text = pipeline(directory, down, `, log_file: ${logFile}`).replace('warn', 'info');
    await writeFile(join(directory, 'pipeline.yaml'), text.replace('grace: 10s', 'grace: 3s'));
    await writeFile(join(directory, 'app.log'), 'line\n'.repeat(1000));
    const agent = startAgent(directory);
    const log = () => readFile(logFile, 'utf8').catch(() => '');
    await waitUntil('a delivery failed', async () => (await log()).includes('Delivery failed'));
    const startedMs = performance.now();
    agent.kill('SIGTERM');
    assert.equal(await ended(agent), 0);
    assert.ok(performance.now() - startedMs < 3000, 'within the grace');
    assert.match(await log(), /0 records delivered, 1000 persisted, 0 lost\.[^\n]*\n$/);
  }));

test('a second SIGTERM ends at once, and the next start brings what was left', () =>
  inDirectory(async (directory) => {
    const requests: string[] = [];
    // Never answers: no real server can be made to hold every request open.
    const silent = createServer((request) => requests.push(request.url ?? ''));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const stuck = `{name: http, match: '*', host: 127.0.0.1, port: ${port}, flush: 50ms}`;
    await writeFile(join(directory, 'pipeline.yaml'), pipeline(directory, stuck));
    await writeFile(join(directory, 'app.log'), 'one\ntwo\n');
    const agent = startAgent(directory);
    await waitUntil('a request hangs', () => requests.length > 0);
    const startedMs = performance.now();
    // The system may merge two equal signals that are pending at once: so again until it ends.
    await waitUntil('the agent is gone', () => {
      agent.kill('SIGTERM');
      return agent.exitCode !== null || agent.signalCode !== null;
    });
    assert.ok(performance.now() - startedMs < 8000, 'the grace period was not waited for');
    silent.closeAllConnections();
    silent.close();
    await writeFile(
      join(directory, 'pipeline.yaml'),
      pipeline(directory, fileOutput).replace('flush: 10s', 'flush: 50ms'),
    );
    const next = startAgent(directory);
    const out = join(directory, 'out', 'records.ndjson');
    await waitUntil('both lines', async () => (await lines(out)) === 2);
    next.kill('SIGTERM');
    assert.equal(await ended(next), 0);
  }));

test('SIGHUP reloads the file: a new output gets what comes from then on', () =>
  inDirectory(async (directory) => {
    const quick = (outputs: string) =>
      pipeline(directory, outputs).replace('flush: 10s', 'flush: 50ms');
    await writeFile(join(directory, 'pipeline.yaml'), quick(fileOutput));
    await writeFile(join(directory, 'app.log'), 'one\n');
    const agent = startAgent(directory);
    const first = join(directory, 'out', 'records.ndjson');
    await waitUntil('one line', async () => (await lines(first)) === 1);
    const second = "{name: file, alias: more, match: '*', path: out, file: more.ndjson}";
    await writeFile(join(directory, 'pipeline.yaml'), quick(`${fileOutput}, ${second}`));
    agent.kill('SIGHUP');
    let written = 1;
    await waitUntil('the new output has a line', async () => {
      await writeFile(join(directory, 'app.log'), `line ${written++}\n`, { flag: 'a' });
      return (await lines(join(directory, 'out', 'more.ndjson'))) > 0;
    });
    await waitUntil('the old one has all', async () => (await lines(first)) >= written);
    agent.kill('SIGTERM');
    assert.equal(await ended(agent), 0);
  }));

test('each SIGHUP says what came of it, however soon it follows another', () =>
  inDirectory(async (directory) => {
    const logFile = join(directory, 'agent.log');
    const running = pipeline(directory, fileOutput, `, log_file: ${logFile}`).replace(
      '10s',
      '50ms',
    );
    await writeFile(join(directory, 'pipeline.yaml'), running);
    await writeFile(join(directory, 'app.log'), 'one\n');
    const agent = startAgent(directory);
    const seen = () => readFile(logFile, 'utf8').catch(() => '');
    const records = join(directory, 'out', 'records.ndjson');
    await waitUntil('the agent runs', async () => (await lines(records)) === 1);
    for (const [broken, reason] of [
      [running.replace('name: file', 'name: fiel'), 'fiel'],
      [running.replace('name: tail', 'name: tial'), 'tial'],
      [running.replace("match: '*'", "match: '*', storage.type: filesystem"), 'storage.type'],
    ] as const) {
      await writeFile(join(directory, 'pipeline.yaml'), broken);
      agent.kill('SIGHUP');
      await waitUntil(`the log tells of ${reason}`, async () => (await seen()).includes(reason));
    }
    agent.kill('SIGTERM');
    assert.equal(await ended(agent), 0);
  }));
