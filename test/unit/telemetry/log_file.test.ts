import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LogFile } from '../../../core/telemetry/log_file.ts';

test('lines go on in a new file once the old one was renamed', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'agent.log');
  let now = 5000;
  const fallback: string[] = [];
  const file = new LogFile(path, { write: (line) => fallback.push(line) }, () => now);
  t.after(() => file.close());
  file.write('one\n');
  renameSync(path, `${path}.1`);
  now += 2000;
  file.write('two\n');
  assert.equal(readFileSync(`${path}.1`, 'utf8'), 'one\n');
  assert.equal(readFileSync(path, 'utf8'), 'two\n');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(fallback, []);
});

test('lines that the file does not take go to the fallback', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'agent.log');
  let now = 5000;
  const fallback: string[] = [];
  const file = new LogFile(path, { write: (line) => fallback.push(line) }, () => now);
  t.after(() => file.close());
  rmSync(path);
  mkdirSync(path);
  now += 2000;
  file.write('one\n');
  assert.deepEqual(fallback, ['one\n']);
  rmSync(path, { recursive: true });
  now += 2000;
  file.write('two\n');
  assert.equal(readFileSync(path, 'utf8'), 'two\n');
});

test('a log file in a directory that is missing is refused with its name', () => {
  const path = join(tmpdir(), 'sluice-no-such-directory', 'agent.log');
  assert.throws(() => new LogFile(path, { write: () => undefined }, () => 0), {
    code: 'SLUICE_OPTION_INVALID',
    message: /log_file.*ENOENT/,
  });
});
