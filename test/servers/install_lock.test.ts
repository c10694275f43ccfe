import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { access, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { withInstallLock } from './install_lock.ts';

const silent = (): void => undefined;
const skip = process.platform === 'linux' ? false : 'reads /proc, which only Linux has';

async function lockPath(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  context.after(() => rm(directory, { recursive: true }));
  return join(directory, 'name.lock');
}

test('work under one lock never overlaps, and the lock leaves no file', { skip }, async (t) => {
  const path = await lockPath(t);
  let inside = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    assert.equal(inside, 1);
    await access(path);
    inside -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withInstallLock(path, silent, work)));
  assert.deepEqual(await readdir(join(path, '..')), []);
});

test('work that fails gives its lock back', { skip }, async (t) => {
  const path = await lockPath(t);
  const failing = withInstallLock(path, silent, () => Promise.reject(new Error('no')));
  await assert.rejects(failing, /no/);
  assert.equal(await withInstallLock(path, silent, async () => 1), 1);
});

const ended = spawnSync('true').pid;
const staleLocks = [
  ['of a process that ended', `${ended} 1`],
  ['of a process whose number another one has now', `${process.pid} 1`],
  ['without a holder', ''],
  ['with nonsense in it', 'what is this'],
] as const;

for (const [title, content] of staleLocks) {
  test(`a lock ${title} is taken over`, { skip }, async (t) => {
    const path = await lockPath(t);
    await writeFile(path, content);
    const held = await withInstallLock(path, silent, () => readFile(path, 'utf8'));
    assert.match(held, new RegExp(`^${process.pid} \\d+$`));
    assert.deepEqual(await readdir(join(path, '..')), []);
  });
}
