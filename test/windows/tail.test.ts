import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scriptedOutput, startPipeline, waitUntil } from '../../core/testing/index.ts';
import { plugin as tail } from '../../plugins/inputs/tail/index.ts';
import { workplace } from '../cli/run_cli.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';

/** What another program does to files, with Windows' own commands. */
function elsewhere(directory: string, ...words: string[]): void {
  execFileSync('cmd', ['/d', '/c', ...words], { cwd: directory, stdio: 'ignore' });
}

async function follow(path: string, more = '') {
  const output = scriptedOutput();
  const yaml = `
service: {flush: 20ms}
pipeline:
  inputs: [{name: tail, path: '${path}', tag: a, read_from_head: true, refresh_interval: 100ms${more}}]
  outputs: [{name: scripted, match: '*'}]
`;
  const pipeline = await startPipeline({ yaml, plugins: [tail, output.plugin] });
  const lines = (): unknown[] => output.accepted.map(({ log }) => log);
  return { pipeline, lines };
}

test('a file that is read can be renamed and deleted by others, and its successor is read', {
  skip,
}, async (t) => {
  const directory = workplace(t, { 'app.log': 'one\n' });
  const { pipeline, lines } = await follow(join(directory, 'app.log'));
  try {
    await waitUntil('the first line', () => lines().length === 1);
    appendFileSync(join(directory, 'app.log'), 'two\n');
    elsewhere(directory, 'ren', 'app.log', 'app.old');
    writeFileSync(join(directory, 'app.log'), 'three\n');
    await waitUntil('the lines of both files', () => lines().length === 3);
    elsewhere(directory, 'del', 'app.old');
    appendFileSync(join(directory, 'app.log'), 'four\n');
    await waitUntil('the last line', () => lines().length === 4);
    assert.deepEqual([...lines()].sort(), ['four', 'one', 'three', 'two']);
  } finally {
    await pipeline.stop();
  }
});

const busyWriter = `
const file = require('node:fs').openSync('busy.log', 'a');
const say = (line) => require('node:fs').writeSync(file, line + '\\r\\n');
say('first');
process.stdin.on('end', () => say('second')).resume();
`;

test('a file in use by a program that writes it is read meanwhile', { skip }, async (t) => {
  const directory = workplace(t);
  const writer = spawn(process.execPath, ['-e', busyWriter], { cwd: directory });
  const { pipeline, lines } = await follow(join(directory, '*.log'));
  try {
    await waitUntil('the first line', () => lines().length === 1);
    writer.stdin.end();
    await waitUntil('both lines', () => lines().length === 2);
    assert.deepEqual(lines(), ['first', 'second']);
  } finally {
    writer.kill();
    await pipeline.stop();
  }
});

const names = ['Grüße é', 'журнал', '日志 文件', 'emoji 😀'];
for (const name of names) {
  test(`a path with ${name} is followed, its text in UTF-16`, { skip }, async (t) => {
    const directory = join(workplace(t), name);
    mkdirSync(directory);
    const path = join(directory, `${name}.log`);
    writeFileSync(path, Buffer.from(`\ufeff${name} eins\r\n`, 'utf16le'));
    const pattern = join(directory, '*.log');
    const { pipeline, lines } = await follow(pattern, ', generic.encoding: UTF-16LE');
    try {
      await waitUntil('the line there was', () => lines().length === 1);
      appendFileSync(path, Buffer.from('zwei\r\n', 'utf16le'));
      await waitUntil('the line that came', () => lines().length === 2);
      assert.deepEqual(lines(), [`${name} eins`, 'zwei']);
    } finally {
      await pipeline.stop();
    }
  });
}

test('a path longer than Windows’ old limit of 260 characters is followed', { skip }, async (t) => {
  const directory = join(workplace(t), ...Array.from({ length: 8 }, () => 'd'.repeat(40)));
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'deep.log');
  assert.ok(path.length > 300);
  writeFileSync(path, 'one\n');
  const { pipeline, lines } = await follow(join(directory, '*.log'));
  try {
    await waitUntil('the first line', () => lines().length === 1);
    appendFileSync(path, 'two\n');
    await waitUntil('both lines', () => lines().length === 2);
  } finally {
    await pipeline.stop();
  }
});
