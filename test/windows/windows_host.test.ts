import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { waitUntil } from '../../core/testing/index.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';

type Row = Readonly<Record<string, unknown>>;

interface PipelineFile {
  pipeline: { outputs: { alias: string; match: string }[] };
}

/** The shipped pipeline as a user runs it, out of the bundle, but for where its records go: into
 *  files. */
function started(t: TestContext): (output: string) => Row[] {
  const directory = mkdtempSync(join(tmpdir(), 'windows-host-'));
  const shipped = join(process.cwd(), 'pipelines', 'windows-host', 'pipeline.yaml');
  // Ours.
  const file = parse(readFileSync(shipped, 'utf8')) as PipelineFile;
  const outputs = file.pipeline.outputs.map(({ alias, match }) => {
    return { name: 'file', alias, match, path: directory, file: `${alias}.ndjson` };
  });
  const own = join(directory, 'pipeline.yaml');
  writeFileSync(own, stringify({ ...file, pipeline: { ...file.pipeline, outputs } }));
  const program = join(process.cwd(), 'dist', 'bundle', 'sluice.js');
  const log = openSync(join(directory, 'log.txt'), 'w');
  const child = spawn(process.execPath, [program, 'run', own], {
    stdio: ['ignore', log, log],
    env: { ...process.env, INTERVAL: '1s', SLUICE_DATA: join(directory, 'data') },
  });
  closeSync(log);
  t.after(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.kill('SIGKILL')) await ended;
    t.diagnostic(readFileSync(join(directory, 'log.txt'), 'utf8').slice(-2000));
    // Its helper processes end when they see that it is gone.
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  return (output) => {
    const path = join(directory, `${output}.ndjson`);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Row);
  };
}

test('windows-host gives metrics of the kernel and rows of WMI, out of the bundle', {
  skip,
}, async (t) => {
  const rowsOf = started(t);
  const queries = (): Set<unknown> => new Set(rowsOf('inventory_rows').map(({ query }) => query));
  await waitUntil(
    'rows of WMI',
    () => ['services', 'disks', 'system', 'computer'].every((name) => queries().has(name)),
    60_000,
  );
  await waitUntil(
    'metrics',
    () => rowsOf('metrics').some(({ name }) => name === 'windows_cpu_time_total'),
    60_000,
  );
  const metric = rowsOf('metrics').find(({ name }) => name === 'windows_cpu_time_total')!;
  assert.equal(typeof metric['host'], 'string');
  const disk = rowsOf('inventory_rows').find(({ query }) => query === 'disks')!;
  assert.match(String((disk['properties'] as Row)['DeviceID']), /^[A-Z]:$/);
});
