import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../../core/testing/index.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { HelperProcess } from '../../../plugins/shared/windows_native/helper_process.ts';

const silent = { error() {}, warn() {}, info() {}, debug() {} };

function helperOf(t: TestContext, graceMs = 50) {
  const lost = { hung: { value: 0 }, crashed: { value: 0 } };
  const program = {
    name: 'hanging_helper',
    module: new URL('./hanging_helper.js', import.meta.url),
  };
  const helper = new HelperProcess({
    ...{ program, threads: 8, clock: systemClock, log: silent, lost, graceMs },
  });
  t.after(() => helper.close());
  const ask = async (word: string, signal = new AbortController().signal): Promise<number> => {
    const answer = (await helper.request({ wql: word }, signal)) as {
      readonly rows: readonly { readonly properties: string }[];
    };
    return JSON.parse(answer.rows[0]!.properties).pid as number;
  };
  return { helper, lost, ask };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a call that hangs in the kernel is given up, its process killed, and a new one takes over', async (t) => {
  const { lost, ask } = helperOf(t);
  const first = await ask('well');
  const stop = new AbortController();
  const hung = ask('hang', stop.signal);
  assert.equal(await ask('beside it'), first, 'others go on in the same process');
  stop.abort();
  await assert.rejects(hung, /given up/);
  await waitUntil('it is ended', () => !isAlive(first));
  assert.equal(lost.hung.value, 1);
  assert.notEqual(await ask('after it'), first);
  assert.equal(lost.crashed.value, 0);
});

test('a process with a hung call ends only when the others in it are through', async (t) => {
  const { lost, ask } = helperOf(t);
  const first = await ask('well');
  const [stop, end] = [new AbortController(), new AbortController()];
  const hung = ask('hang', stop.signal);
  const slow = ask('slow', end.signal).catch(() => undefined);
  stop.abort();
  await assert.rejects(hung);
  await waitUntil('it is found out', () => lost.hung.value === 1);
  assert.notEqual(await ask('a new one'), first);
  assert.ok(isAlive(first));
  end.abort();
  await slow;
  await waitUntil('it is ended', () => !isAlive(first));
});

test('a call that ends soon after it was given up costs no process', async (t) => {
  const { lost, ask } = helperOf(t, 5000);
  const first = await ask('well');
  const stop = new AbortController();
  const slow = ask('slow', stop.signal);
  stop.abort();
  await assert.rejects(slow);
  assert.equal(await ask('again'), first);
  assert.equal(lost.hung.value, 0);
});

test('a crash fails what is under way, is counted, and the next request starts a new process', async (t) => {
  const { lost, ask } = helperOf(t);
  await assert.rejects(ask('crash'), /the helper process ended/);
  assert.equal(lost.crashed.value, 1);
  assert.ok((await ask('again')) > 0);
});

test('a failure keeps its code, and closing ends what hangs', async (t) => {
  const { helper, ask } = helperOf(t);
  await assert.rejects(ask('denied'), { message: 'access is denied', code: 0x80041003 });
  const pid = await ask('well');
  const hung = assert.rejects(ask('hang'));
  await helper.close();
  await hung;
  assert.ok(!isAlive(pid));
});
