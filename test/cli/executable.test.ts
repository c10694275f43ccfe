import assert from 'node:assert/strict';
import { execFile, execFileSync, fork } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type TestContext, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { helperCommand } from '../../plugins/shared/windows_native/helper_program.ts';
import type { FromHelper } from '../../plugins/shared/windows_native/helper_messages.ts';
import { cli, jsonLines, program, workplace } from './run_cli.ts';

interface Access {
  readonly clientip?: unknown;
}

const packaging = fileURLToPath(new URL('../../scripts/package.js', import.meta.url));
const made = join(program, '..', '..', 'package', 'sluice');

function hasPostject(): boolean {
  try {
    createRequire(import.meta.url).resolve('postject/package.json');
    return true;
  } catch {
    return false;
  }
}

const skip =
  (process.platform !== 'linux' && 'the executable of Linux') ||
  (!hasPostject() && 'postject is not installed');

describe('the single executable, in a place with nothing else and with an empty environment', {
  skip,
}, () => {
  before(() => {
    execFileSync(process.execPath, [packaging], { stdio: 'ignore', timeout: 120_000 });
  });

  /** Runs a copy: nothing may be found beside where it was made. */
  function sluice(t: TestContext, files: Readonly<Record<string, string>>) {
    const directory = workplace(t, files);
    const executable = join(directory, 'sluice');
    copyFileSync(made, executable);
    const run = (...args: string[]) =>
      new Promise<{ code: number | string; out: string; err: string }>((resolve) => {
        execFile(
          executable,
          args,
          { cwd: directory, env: {}, timeout: 60_000 },
          (error, out, err) =>
            resolve({ code: error === null ? 0 : (error.code ?? 'signal'), out, err }),
        );
      });
    return { directory, executable, run };
  }

  const pipeline = `
service: {flush: 50ms, storage.path: data}
pipeline:
  inputs: [{name: tail, path: in.log, read_from_head: true, exit_on_eof: true, tag: a, generic.encoding: GBK}]
  filters:
    - {name: grok, match: a, pattern: '%{COMBINEDAPACHELOG}'}
    - {name: enrich, match: a, user_agent: {key: agent, target: browser}}
  outputs: [{name: file, match: '*', path: out, file: records.ndjson, storage.type: filesystem, alias: kept}]
`;
  const line = (n: number) =>
    `10.0.0.${n} - - [10/Oct/2023:13:55:36 +0000] "GET /x${n} HTTP/1.1" 200 12 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:118.0) Gecko/20100101 Firefox/118.0"\n`;

  test('it says the version and checks a file as the installed program does', async (t) => {
    const wrong = 'pipeline: {inputs: [{name: tial, path: x}]}\n';
    const { directory, run } = sluice(t, { 'wrong.yaml': wrong });
    assert.match((await run('version')).out, /^sluice \d/);
    const { code, err } = await run('check', 'wrong.yaml');
    assert.equal(code, 78);
    assert.equal(err, (await cli(['check', 'wrong.yaml'], { cwd: directory })).err);
  });

  test('it takes a file through grok, user agents and a disk buffer into a file', async (t) => {
    const files = { 'p.yaml': pipeline, 'in.log': line(1) + line(2) + line(3) };
    const { directory, run } = sluice(t, files);
    assert.equal((await run('check', 'p.yaml')).err, '');
    const { code, err } = await run('run', 'p.yaml');
    assert.equal(code, 0, err);
    assert.match(err, /"kernel":true/, 'the kernel is inside');
    const records = jsonLines(readFileSync(join(directory, 'out', 'records.ndjson'), 'utf8'));
    assert.equal(records.length, 3);
    assert.match(JSON.stringify(records[0]), /"browser":\{[^}]*"Firefox"/);
    assert.ok(existsSync(join(directory, 'data', 'checkpoints')));
  });

  test('its workers run out of it', async (t) => {
    const text = pipeline.replace('service: {', 'service: {workers: 2, ');
    const lines = Array.from({ length: 5000 }, (_, n) => line(n % 250)).join('');
    const { directory, run } = sluice(t, { 'p.yaml': text, 'in.log': lines });
    const { code, err } = await run('run', 'p.yaml');
    assert.equal(code, 0, err);
    assert.match(err, /"workers":2/);
    const records = jsonLines(readFileSync(join(directory, 'out', 'records.ndjson'), 'utf8'));
    assert.equal(records.length, 5000);
    assert.ok(records.every((one, n) => (one as Access).clientip === `10.0.0.${n % 250}`));
  });

  test('it is its own helper process, for calls that only Windows has', async (t) => {
    const { executable, run } = sluice(t, {});
    assert.equal((await run('helper', 'wmi_helper')).code, 1, 'no command for people');
    for (const name of ['wmi_helper', 'pdh_helper']) {
      const child = fork(helperCommand, [name], { execPath: executable, execArgv: [], env: {} });
      t.after(() => child.kill('SIGKILL'));
      const answer = new Promise((resolve) => child.once('message', resolve));
      child.send({ kind: 'request', id: 7, body: {} });
      const { id, error } = (await answer) as FromHelper;
      assert.equal(id, 7);
      // It got as far as the library that calls Windows, which the executable of Linux lacks.
      assert.match(error!.message, /koffi/);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    }
  });

  test('libraries that are bundled load; what is not inside is said with what to do', async (t) => {
    const outputs = `
pipeline:
  inputs: [{name: dummy, samples: 1}]
  outputs:
    - {name: clickhouse, match: '*', table: t}
`;
    const database = `
pipeline:
  inputs: [{name: dummy, samples: 1}]
  outputs: [{name: duckdb, match: '*', path: a.db, table: t}]
`;
    const { run } = sluice(t, { 'outputs.yaml': outputs, 'database.yaml': database });
    // A probe loads the library, and finds nobody there.
    assert.match(
      (await run('check', '--probe', 'outputs.yaml')).err,
      /127\.0\.0\.1|localhost|refused/i,
    );
    const { code, err } = await run('run', 'database.yaml');
    assert.equal(code, 78);
    assert.match(err, /@duckdb\/node-api.*install it/);
  });
});
