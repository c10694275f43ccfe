import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServiceLog } from '../../cli/service/windows/service_log.ts';
import {
  commandWord,
  planText,
  windowsPlan,
  type WindowsPlanOptions,
} from '../../cli/service/windows/windows_plan.ts';

const options: WindowsPlanOptions = {
  name: 'logs',
  program: ['C:\\Program Files\\Sluice\\sluice.exe'],
  pipelineFiles: ['C:\\etc\\p.yaml'],
  graceMs: 25_000,
  programData: 'C:\\ProgramData',
};

test('a plan has an account of its own, a directory of its own and a late start', () => {
  const plan = windowsPlan(options);
  assert.equal(plan.account, 'NT SERVICE\\logs');
  assert.equal(plan.directory, 'C:\\ProgramData\\logs');
  assert.equal(plan.start, 'delayed');
  assert.equal(plan.shutdownMs, 35_000);
  assert.equal(
    plan.commandLine,
    '"C:\\Program Files\\Sluice\\sluice.exe" run --service logs --directory C:\\ProgramData\\logs C:\\etc\\p.yaml',
  );
  assert.match(planText(plan), /^account: {7}NT SERVICE\\logs$/m);
});

const wrong: readonly [string, Partial<WindowsPlanOptions>, RegExp][] = [
  ['a way to start', { start: 'soon' }, /delayed, auto, manual/],
  ['an account', { account: 'a|b' }, /is no account/],
  ['an account that is empty', { account: '' }, /is no account/],
];
for (const [what, given, message] of wrong) {
  test(`${what} that is none is refused`, () => {
    assert.throws(() => windowsPlan({ ...options, ...given }), message);
  });
}

test('every word of a command line is read back as it was written', () => {
  const word = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '\t', 'é') });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      assert.deepEqual(argumentsOf(words.map(commandWord).join(' ')), words);
    }),
  );
});

/** Reads a command line as CommandLineToArgvW does its arguments. */
function argumentsOf(line: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    while (line[at] === ' ' || line[at] === '\t') at++;
    if (at >= line.length) break;
    let word = '';
    let isQuoted = false;
    for (; at < line.length && (isQuoted || (line[at] !== ' ' && line[at] !== '\t')); at++) {
      let slashes = 0;
      while (line[at] === '\\') {
        slashes++;
        at++;
      }
      if (line[at] !== '"') {
        word += '\\'.repeat(slashes);
        at--;
        if (slashes === 0) word += line[++at];
        continue;
      }
      word += '\\'.repeat(slashes >> 1);
      if (slashes % 2 === 1) word += '"';
      else isQuoted = !isQuoted;
    }
    words.push(word);
  }
  return words;
}

test('the log of a service turns at its size and keeps its last lines', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'sluice.log');
  const log = new ServiceLog(path, 10);
  for (const line of ['1234\n', '5678\n', 'abc\n', 'a line that is longer than the limit\n']) {
    log.write(line);
  }
  assert.equal(readFileSync(path, 'utf8'), 'a line that is longer than the limit\n');
  assert.equal(readFileSync(`${path}.1`, 'utf8'), 'abc\n');
  assert.match(log.recent, /^1234\n.*limit\n$/s);
  log.end();
});
