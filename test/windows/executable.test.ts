import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { jsonLines, workplace } from '../cli/run_cli.ts';

const made = join(process.cwd(), 'sluice.exe');
const skip =
  (process.platform !== 'win32' && 'runs in Node for Windows: npm run test:windows') ||
  (!existsSync(made) && 'no executable was made: its Node would not run in this Wine');

/** Runs a copy in a place with nothing else. */
function place(t: TestContext, files: Readonly<Record<string, string>>) {
  const directory = workplace(t, files);
  const executable = join(directory, 'sluice.exe');
  copyFileSync(made, executable);
  const run = (...args: string[]) =>
    new Promise<{ code: number | string; out: string; err: string }>((resolve) => {
      const options = { cwd: directory, timeout: 60_000 };
      execFile(executable, args, options, (error, out, err) =>
        resolve({ code: error === null ? 0 : (error.code ?? 'signal'), out, err }),
      );
    });
  return { directory, executable, run };
}

const pipeline = `
service: {flush: 50ms, storage.path: data, workers: 2}
pipeline:
  inputs: [{name: tail, path: in.log, read_from_head: true, exit_on_eof: true, tag: a}]
  filters: [{name: grok, match: a, pattern: '%{COMBINEDAPACHELOG}'}]
  outputs: [{name: file, match: '*', path: out, file: records.ndjson, storage.type: filesystem, alias: kept}]
`;
const line =
  '10.0.0.1 - - [10/Oct/2023:13:55:36 +0000] "GET /x HTTP/1.1" 200 12 "-" "Mozilla/5.0"\n';

test('the executable says its version, checks files and runs a pipeline on its workers', {
  skip,
}, async (t) => {
  const wrong = 'pipeline: {inputs: [{name: tial}]}\n';
  const files = { 'wrong.yaml': wrong, 'p.yaml': pipeline, 'in.log': line + line };
  const { directory, run } = place(t, files);
  assert.match((await run('version')).out, /^sluice \d.*win32/);
  assert.equal((await run('check', 'wrong.yaml')).code, 78);
  const { code, err } = await run('run', 'p.yaml');
  assert.equal(code, 0, err);
  assert.match(err, /"kernel":true,"workers":2/, 'both are inside');
  const records = jsonLines(readFileSync(join(directory, 'out', 'records.ndjson'), 'utf8'));
  assert.deepEqual(
    records.map((one) => (one as { clientip?: unknown }).clientip),
    ['10.0.0.1', '10.0.0.1'],
  );
});

test('it is the helper process of WMI and of counters by itself', { skip }, async (t) => {
  const text = `
service: {flush: 50ms, storage.path: data}
pipeline:
  inputs:
    - {name: wmi, tag: wmi, interval: 1h, classes: Win32_OperatingSystem}
    - {name: perfcounter, tag: counters, interval: 1h, counters: ['\\Processor(_Total)\\% Processor Time', '\\Nothing(*)\\Like It']}
  outputs: [{name: file, match: wmi, path: out, file: wmi.ndjson}]
`;
  const { directory, executable } = place(t, { 'p.yaml': text });
  const log = join(directory, 'log.txt');
  const to = openSync(log, 'w');
  const child = spawn(executable, ['run', 'p.yaml'], {
    cwd: directory,
    stdio: ['ignore', to, to],
  });
  closeSync(to);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const logged = (): string => readFileSync(log, 'utf8');
  try {
    const rows = join(directory, 'out', 'wmi.ndjson');
    await waitUntil(
      'rows',
      () => existsSync(rows) && /"Caption"/.test(readFileSync(rows, 'utf8')),
      60_000,
    );
    // Wine's own library has hardly a counter, and says so.
    await waitUntil('the library of counters answers', () => /0xc0000bb9/.test(logged()), 60_000);
  } finally {
    child.kill();
    await ended;
    t.diagnostic(logged().slice(-1500));
    // Its helper processes, which stand in the directory, end when they see that it is gone.
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
});

test('the executable is a service by itself: koffi is inside', { skip }, async (t) => {
  const text = `
service: {storage.path: state}
pipeline:
  inputs: [{name: dummy, rate: 10}]
  outputs: [{name: 'null', match: '*'}]
`;
  const { directory, run } = place(t, { 'p.yaml': text });
  const name = `SluiceExe${Date.now()}`;
  const data = join(directory, 'data');
  const service = (verb: string, ...args: string[]) =>
    run('service', verb, '--name', name, ...args);
  try {
    assert.equal(
      (await service('install', '--start-type', 'manual', '--directory', data, 'p.yaml')).code,
      0,
    );
    const started = await service('start');
    assert.equal(started.code, 0, started.err);
    const { out } = await service('status');
    assert.match(out, /: running/);
    assert.match(out, /sluice\.exe run --service /);
    assert.equal((await service('stop')).code, 0);
    assert.match(readFileSync(join(data, 'sluice.log'), 'utf8'), /The agent stopped/);
  } finally {
    assert.equal((await service('uninstall')).code, 0);
  }
});
