import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { jsonLines } from '../cli/run_cli.ts';
import { place, skip } from './executable_place.ts';

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
