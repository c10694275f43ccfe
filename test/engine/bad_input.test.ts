import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { cli, jsonLines, program, workplace } from '../cli/run_cli.ts';
import { ended } from '../crash/kill_rig.ts';

const deadlineMs = 60_000;

test('all errors of a pipeline file are told with their positions, and nothing starts', async (t) => {
  const directory = workplace(t, {
    'bad.yaml': `service: {storage.path: data, flsh: 1s}
pipeline:
  inputs:
    - {name: tail, path: in.log, tag: app, read_from_head: perhaps}
  filters:
    - {name: parser, match: app, parser: nowhere}
    - {name: grep, match: app, when: 'level >= and'}
    - {name: grok, match: app, pattern: '%{NOSUCHPATTERN:x}'}
  outputs:
    - {name: fil, match: app}
    - {name: stdout, match: app, format: [1]}
`,
  });
  for (const command of ['check', 'run']) {
    const { code, out, err } = await cli([command, 'bad.yaml'], { cwd: directory });
    assert.equal(code, 78, err);
    const positions = [...(out + err).matchAll(/^bad\.yaml:(\d+):(\d+): error: /gm)];
    const lines = positions.map(([, line]) => Number(line)).sort((a, b) => a - b);
    for (const line of [1, 4, 6, 7, 10, 11]) {
      assert.ok(lines.includes(line), `no error for line ${line}:\n${out}${err}`);
    }
    assert.deepEqual(await readdir(directory), ['bad.yaml']);
  }
});

test('broken YAML is told with its position, and nothing starts', async (t) => {
  const directory = workplace(t, { 'bad.yaml': 'service: {storage.path: data\npipeline: [\n' });
  const { code, err } = await cli(['run', 'bad.yaml'], { cwd: directory });
  assert.equal(code, 78);
  assert.match(err, /^bad\.yaml:\d+:\d+: error: Broken YAML/m);
  assert.deepEqual(await readdir(directory), ['bad.yaml']);
});

const hostileFiles: readonly (readonly [string, string | Buffer])[] = [
  ['nested deeply', `${'['.repeat(50_000)}`],
  ['nested deeply and closed', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  [
    'nested deeply in blocks',
    Array.from({ length: 3000 }, (_, k) => `${' '.repeat(k)}a:`).join('\n'),
  ],
  ['of aliases that multiply', aliasBomb()],
  ['of an alias to itself', 'pipeline: &a\n  inputs: [*a]\n'],
  ['of random bytes', Buffer.from(Array.from({ length: 4096 }, (_, k) => (k * 7919) % 256))],
  ['of NUL bytes', Buffer.alloc(100_000)],
  ['empty', ''],
  ['with a tag of its own', 'pipeline: !!js/function "process.exit(0)"\n'],
  ['of a long key', `${'k'.repeat(1_000_000)}: 1\n`],
  ['with the names of Object', '__proto__: {a: 1}\nconstructor: 1\npipeline: {__proto__: []}\n'],
  ['that includes itself', 'includes: [bad.yaml]\npipeline: {inputs: []}\n'],
];

for (const [what, text] of hostileFiles) {
  test(`a pipeline file ${what} is refused in words`, async (t) => {
    const directory = workplace(t);
    await writeFile(join(directory, 'bad.yaml'), text);
    const { code, out, err } = await cli(['check', 'bad.yaml'], { cwd: directory });
    assert.equal(code, 78, `${out}${err}`.slice(0, 2000));
    assert.match(out + err, /bad\.yaml.*error: /);
    assert.doesNotMatch(out + err, /\n {4}at .*\.js:\d+/, 'a stack trace is no answer');
    assert.ok((out + err).length < 20_000, `${(out + err).length} characters of errors`);
  });
}

function aliasBomb(): string {
  const names = 'abcdefghij';
  const lines = [...names].map((name, k) => {
    const items = k === 0 ? Array(10).fill('lol') : Array(10).fill(`*${names[k - 1]}`);
    return `${name}: &${name} [${items.join(', ')}]`;
  });
  return `${lines.join('\n')}\npipeline: *j\n`;
}

const damages: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['with a wrong byte', (bytes) => bytes.fill('?', bytes.length - 10, bytes.length - 9)],
  ['whose end is overwritten', (bytes) => bytes.fill(0xa5, Math.floor(bytes.length / 3))],
  ['that is cut', (bytes) => bytes.subarray(0, -20)],
  ['that is empty', () => Buffer.alloc(0)],
];

for (const [what, damage] of damages) {
  test(`a checkpoint ${what} does not stop the start, and no line is lost`, async (t) => {
    const directory = workplace(t, { 'p.yaml': followToFile, 'in.log': numbered(0, 300) });
    const first = await cli(['run', 'p.yaml'], { cwd: directory });
    assert.equal(first.code, 0, first.err);
    const path = join(directory, 'data', 'checkpoints');
    await writeFile(path, damage(await readFile(path)));
    await appendFile(join(directory, 'in.log'), numbered(300, 350));

    const second = await cli(['run', 'p.yaml'], { cwd: directory });
    assert.equal(second.code, 0, second.err);
    const seen = jsonLines(await readFile(join(directory, 'out.ndjson'), 'utf8'));
    const distinct = new Set(seen.map((record) => (record as { log: string }).log));
    assert.equal(distinct.size, 350);
    const said = jsonLines(second.err).filter(
      (line) => (line as { component: string }).component === 'checkpoints',
    );
    // The others look like the unfinished line that any crash leaves.
    if (what === 'with a wrong byte') {
      assert.equal(said.length, 1, second.err);
      assert.ok((await readdir(join(directory, 'data'))).includes('checkpoints.damaged'));
    }
  });
}

const followToFile = `
service: {flush: 20ms, storage.path: data}
pipeline:
  inputs: [{name: tail, path: in.log, tag: app, read_from_head: true, exit_on_eof: true}]
  outputs: [{name: file, match: app, path: ., file: out.ndjson}]
`;

function numbered(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, k) => `line ${from + k}\n`).join('');
}

test('a line of 10 MB leaves in pieces, and its neighbours are untouched', async (t) => {
  const long = 'äb'.repeat(3_500_000);
  const text = `before\n${long}\nafter\n`;
  const yaml = followToFile.replace('{flush', '{event_max_bytes: 1MB, flush');
  const directory = workplace(t, { 'p.yaml': yaml, 'in.log': text });
  const { code, err } = await cli(['run', 'p.yaml'], { cwd: directory });
  assert.equal(code, 0, err);
  const out = jsonLines(await readFile(join(directory, 'out.ndjson'), 'utf8'));
  const logs = out.map((record) => (record as { log: string }).log);
  assert.equal(logs[0], 'before');
  assert.equal(logs.at(-1), 'after');
  assert.equal(logs.length, 13);
  assert.ok(logs.slice(1, -1).join('') === long, 'the pieces make the line');
});

for (const where of ['head', 'body'] as const) {
  test(`a stored chunk with a damaged ${where} is set aside and counted once; the others arrive`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
    try {
      await storeChunks(directory, 5);
      const buffer = join(directory, 'data', 'buffers', 'out');
      await damageThird(buffer, where);

      const { input, output, pipeline } = await startBuffered(directory);
      await waitUntil('the intact ones', () => output.accepted.length >= 40);
      await input.emit(records(50, 60));
      await waitUntil('the new ones', () => output.accepted.length >= 50);
      const arrived = output.accepted.map(({ n }) => n);
      const intact = [...records(0, 20), ...records(30, 60)].map(({ n }) => n);
      assert.deepEqual(arrived, intact);
      const labels = { component: 'out', kind: 'output' };
      const counted = () =>
        pipeline.agent.metrics.value('sluice_buffer_quarantined_bytes_total', labels) ?? 0;
      assert.ok(counted() > 0, 'quarantined bytes');
      assert.ok((await readdir(join(buffer, 'quarantine'))).length > 0);
      await pipeline.stop({ keep: true });

      const again = await startBuffered(directory);
      await again.input.emit(records(60, 61));
      await waitUntil('the next', () => again.output.accepted.length === 1);
      const { metrics } = again.pipeline.agent;
      assert.equal(metrics.value('sluice_buffer_quarantined_bytes_total', labels) ?? 0, 0);
      await again.pipeline.stop({ keep: true });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}

const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, k) => ({ n: from + k }));

async function startBuffered(directory: string) {
  const input = scriptedInput();
  const output = scriptedOutput();
  const pipeline = await startPipeline({
    directory,
    plugins: [input.plugin, output.plugin],
    yaml: `
service: {flush: 10ms, scheduler.base: 5ms, scheduler.cap: 20ms, grace: 200ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs: [{name: scripted, alias: out, match: '*', storage.type: filesystem, concurrency: 1}]
`,
  });
  return { input, output, pipeline };
}

/** Leaves chunks of ten records each in the disk buffer of a stopped agent. */
async function storeChunks(directory: string, count: number): Promise<void> {
  const { input, output, pipeline } = await startBuffered(directory);
  output.answer = () => ({ kind: 'retry', reason: 'down' });
  for (let k = 1; k <= count; k++) {
    await input.emit(records(k * 10 - 10, k * 10));
    await waitUntil('stored', () => input.settled() === k * 10);
  }
  await pipeline.stop({ drained: false, keep: true });
}

/** Flips bits in the third record of the only segment. */
async function damageThird(buffer: string, where: 'head' | 'body'): Promise<void> {
  const [name] = (await readdir(buffer)).filter((one) => one.endsWith('.seg'));
  const path = join(buffer, name!);
  const bytes = await readFile(path);
  let at = -1;
  for (let k = 0; k < 3; k++) at = bytes.indexOf('SLRC', at + 1);
  const target = where === 'head' ? at + 16 : bytes.indexOf('{"n":25}', at);
  assert.ok(at > 0 && target > at, 'the third record is there');
  bytes[target] = bytes[target]! ^ 0xff;
  await writeFile(path, bytes);
}

test('a full disk makes the source wait and readiness red, and all goes on by itself', {
  skip: whyNoSmallDisk(),
}, async (t) => {
  const lines = 24_000;
  const destination = await startDestination(t);
  const directory = workplace(t, {
    'p.yaml': bufferedPipeline(destination.port),
    'in.log': Array.from({ length: lines }, (_, k) => `${k} ${'x'.repeat(1000)}\n`).join(''),
  });
  const { agent, disk, read } = startOnSmallDisk(t, directory);
  const logLine = () => /"url":"([^"]+)"/.exec(read())?.[1];
  await waitUntil('it listens', () => logLine() !== undefined, deadlineMs);
  const readiness = async () => {
    const answer = await fetch(`${logLine()}/readyz`);
    return { status: answer.status, text: await answer.text() };
  };
  await waitUntil(
    'red for the disk',
    async () => (await readiness()).text.includes('ENOSPC'),
    deadlineMs,
  );
  assert.equal((await readiness()).status, 503);
  // The disk refuses what the source still has: it is paused, not ended.
  assert.equal(agent.exitCode, null, read());

  await rm(join(disk(), 'filler'));
  destination.answer = 200;
  assert.equal(await ended(agent), 0, read());
  assert.equal(destination.seen.size, lines);
});

/** A file system of 48 MiB, all but 4 MiB of it taken, that only this process sees. */
function startOnSmallDisk(t: TestContext, directory: string) {
  const script = `mkdir "$1" && mount -t tmpfs -o size=48m none "$1" &&
    head -c 44000000 /dev/zero > "$1/filler" && exec "$2" "$3" run p.yaml`;
  const agent: ChildProcess = spawn(
    'unshare',
    ['-rm', 'sh', '-c', script, 'sh', join(directory, 'small'), process.execPath, program],
    { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.after(async () => {
    agent.kill('SIGKILL');
    await ended(agent);
  });
  let text = '';
  agent.stderr!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const disk = () => `/proc/${agent.pid}/root${join(directory, 'small')}`;
  return { agent, disk, read: () => text };
}

function bufferedPipeline(port: number): string {
  return `
service:
  {flush: 20ms, storage.path: small/data, memory_limit: 16MiB, scheduler.base: 50ms,
   scheduler.cap: 500ms, http_server: on, http_port: 0}
pipeline:
  inputs: [{name: tail, path: in.log, tag: app, read_from_head: true, exit_on_eof: true}]
  outputs:
    - {name: http, alias: out, match: app, host: 127.0.0.1, port: ${port}, format: json_lines, storage.type: filesystem}
`;
}

interface Destination {
  readonly port: number;
  /** Numbers at the beginning of the lines that were accepted. */
  readonly seen: Set<string>;
  /** The status that requests get. */
  answer: number;
}

/** A server that is down until it is told otherwise. */
async function startDestination(t: TestContext): Promise<Destination> {
  const seen = new Set<string>();
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      if (destination.answer === 200) {
        for (const [, number] of body.matchAll(/"log":"(\d+) /g)) seen.add(number!);
      }
      response.writeHead(destination.answer).end();
    });
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has this kind of address.
  const { port } = server.address() as AddressInfo;
  const destination: Destination = { port, seen, answer: 503 };
  return destination;
}

/** Whether a process may mount a small file system for itself; if not, why. */
function whyNoSmallDisk(): string | false {
  if (!existsSync('/proc/self/root')) return 'a small disk takes Linux';
  const script = 'mount -t tmpfs -o size=1m none /mnt';
  const { status } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { stdio: 'ignore' });
  return status === 0 ? false : 'a small disk takes `unshare -rm` and `mount`, refused here';
}
