import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../../core/testing/index.ts';
import { plugin } from '../../../plugins/inputs/exec/index.ts';
import { jsonSpans, lineSpans } from '../../../plugins/inputs/exec/output_records.ts';
import { type InputRig, inputRig } from './metric_rig.ts';

const node = process.execPath;
const script = (code: string) => [node, '-e', code];

async function started(
  t: TestContext,
  command: readonly string[],
  options: Record<string, unknown> = {},
): Promise<InputRig> {
  const rig = inputRig(plugin, { command, interval: '1h', ...options });
  await rig.start();
  t.after(() => rig.stop());
  return rig;
}

const runs = (rig: InputRig) =>
  ['ok', 'failed', 'timeout', 'not_started'].reduce(
    (sum, result) => sum + rig.count('sluice_exec_runs_total', { result }),
    0,
  );

async function ranOnce(
  t: TestContext,
  command: readonly string[],
  options: Record<string, unknown> = {},
): Promise<InputRig> {
  const rig = await started(t, command, { oneshot: true, ...options });
  await waitUntil('a run', () => runs(rig) === 1);
  await rig.stop();
  return rig;
}

const recordsOf = (rig: InputRig) => rig.emitter.seen.map(({ record }) => record);

test('lines become records, without their ends; empty ones are left out', async (t) => {
  const rig = await ranOnce(t, script('process.stdout.write("one\\r\\n\\ntwo ü\\nthree")'));
  assert.deepEqual(recordsOf(rig), [{ exec: 'one' }, { exec: 'two ü' }, { exec: 'three' }]);
  assert.equal(rig.count('sluice_exec_runs_total', { result: 'ok' }), 1);
});

test('no shell sees the arguments', async (t) => {
  const rig = await ranOnce(t, [
    ...script('console.log(process.argv.slice(1).join("|"))'),
    '$HOME; echo "x"',
    '*',
  ]);
  assert.deepEqual(recordsOf(rig), [{ exec: '$HOME; echo "x"|*' }]);
});

test('the whole output is one record', async (t) => {
  const rig = await ranOnce(t, script('console.log("a\\n\\nb")'), { format: 'whole', key: 'text' });
  assert.deepEqual(recordsOf(rig), [{ text: 'a\n\nb' }]);
});

const json: readonly [name: string, output: string, texts: readonly string[], invalid: number][] = [
  ['an object over lines', '{\n "a": 1.0\n}\n', ['{\n "a": 1.0\n}\n'], 0],
  [
    'an array',
    ' [{"a":1}, {"n":12345678901234567890}]\n',
    ['{"a":1}', '{"n":12345678901234567890}'],
    0,
  ],
  ['objects a line', '{"a":1}\n\n{"b":2}', ['{"a":1}', '{"b":2}'], 0],
  ['an array with something else', '[{"a":1}, 2]', ['{"a":1}', '2'], 1],
  ['a line that is none', '{"a":1}\nWarning!\n', ['{"a":1}', 'Warning!'], 1],
  ['an array that is cut', '[{"a":1}, {"b"', ['[{"a":1}, {"b"'], 1],
  ['nothing', '\n', [], 0],
];

for (const [name, output, texts, invalid] of json) {
  test(`format json takes ${name}`, () => {
    const bytes = Buffer.from(output);
    const found = jsonSpans(bytes, 1000);
    assert.deepEqual(
      found.spans.map(({ start, end }) => bytes.toString('utf8', start, end)),
      texts,
    );
    assert.equal(found.invalid, invalid);
    assert.equal(found.spans.filter(({ isObject }) => !isObject).length, invalid);
  });
}

test('json objects become records byte for byte; the rest comes as text, counted', async (t) => {
  const code = 'console.log(JSON.stringify({a: 1})); console.log("oops")';
  const rig = await ranOnce(t, script(code), { format: 'json' });
  assert.deepEqual(recordsOf(rig), [{ a: 1 }, { exec: 'oops' }]);
  assert.equal(rig.count('sluice_exec_invalid_json_total'), 1);
});

test('a line of the largest size stays whole, one byte more makes two', () => {
  const spans = (bytes: number) => lineSpans(Buffer.alloc(bytes, 'x'), 100).length;
  assert.deepEqual([spans(100), spans(101)], [1, 2]);
});

test('an exit code and standard error are counted and said; the output is taken', async (t) => {
  const code = 'console.log("out"); console.error("disk is on fire"); process.exitCode = 3';
  const rig = await ranOnce(t, script(code));
  assert.deepEqual(recordsOf(rig), [{ exec: 'out' }]);
  assert.equal(rig.count('sluice_exec_runs_total', { result: 'failed' }), 1);
  assert.equal(rig.count('sluice_exec_exits_total', { code: '3' }), 1);
  assert.equal(rig.count('sluice_exec_stderr_bytes_total'), 'disk is on fire\n'.length);
  assert.match(rig.log.join(), /ended with an error.*disk is on fire/);
});

test('a program that is not there is counted and said, and tried again', async (t) => {
  const rig = await started(t, ['/no/such/program'], { interval: '100ms' });
  await waitUntil(
    'two runs',
    () => rig.count('sluice_exec_runs_total', { result: 'not_started' }) > 1,
  );
  assert.match(rig.log.join(), /ENOENT/);
  assert.equal(rig.log.length, 1);
});

test('output beyond output_bytes_max is thrown away and counted', async (t) => {
  const rig = await ranOnce(t, script('process.stdout.write("x".repeat(5_000_000))'), {
    output_bytes_max: 1000,
  });
  assert.deepEqual(recordsOf(rig), [{ exec: 'x'.repeat(1000) }]);
  assert.equal(rig.count('sluice_exec_dropped_bytes_total'), 4_999_000);
  assert.match(rig.log.join(), /longer than output_bytes_max/);
});

test('text that is not UTF-8 is replaced and counted', async (t) => {
  const rig = await ranOnce(t, script('process.stdout.write(Buffer.from([0x61, 0xff, 0x62]))'));
  assert.deepEqual(recordsOf(rig), [{ exec: 'a\ufffdb' }]);
  assert.equal(rig.count('sluice_input_invalid_utf8_lines_total'), 1);
});

test('a run past its deadline ends with its children, and gives no records', {
  skip: process.platform === 'win32' ? 'process groups' : false,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-exec-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const pids = join(directory, 'pids');
  // The child ignores SIGTERM: only the kill of the whole group ends it.
  await writeFile(
    join(directory, 'run.sh'),
    `trap '' TERM\nsh -c "trap '' TERM; echo \\$\\$ >> ${pids}; sleep 1000" &\necho partial\nsleep 1000\n`,
  );
  const rig = await started(t, ['sh', join(directory, 'run.sh')], { timeout: '300ms' });
  await waitUntil('the deadline', () => runs(rig) === 1);
  assert.equal(rig.count('sluice_exec_runs_total', { result: 'timeout' }), 1);
  assert.equal(rig.count('sluice_collector_timeout_total', { collector: 'exec.0' }), 1);
  assert.deepEqual(recordsOf(rig), []);
  const pid = Number((await readFile(pids, 'utf8')).trim());
  await waitUntil('the child is gone', () => !isAlive(pid));
});

test('children that keep the output open do not hold up the end of a run', {
  skip: process.platform === 'win32' ? 'process groups' : false,
}, async (t) => {
  const rig = await ranOnce(t, ['sh', '-c', 'echo done; sleep 1000 &']);
  assert.deepEqual(recordsOf(rig), [{ exec: 'done' }]);
});

test('stopping the agent ends the command', {
  skip: process.platform === 'win32' ? 'process groups' : false,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-exec-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'pid');
  const rig = await started(t, ['sh', '-c', `echo $$ > ${file}; sleep 1000`]);
  const read = async () => Number((await readFile(file, 'utf8').catch(() => '')).trim());
  await waitUntil('the start', async () => (await read()) > 0);
  const pid = await read();
  await rig.stop();
  await waitUntil('its end', () => !isAlive(pid));
});

test('environment and working directory are given', async (t) => {
  const rig = await ranOnce(t, script('console.log(process.env.WORD + " " + process.cwd())'), {
    environment: { WORD: 'hello' },
    working_directory: '/',
  });
  assert.deepEqual(recordsOf(rig), [{ exec: 'hello /' }]);
});

test('it runs at its interval', async (t) => {
  const rig = await started(t, ['echo', 'tick'], { interval: '100ms' });
  await waitUntil('three runs', () => rig.emitter.seen.length >= 3);
});

test('several commands run apart from each other, each with its tag', async (t) => {
  const rig = inputRig(
    plugin,
    {
      oneshot: true,
      commands: [
        { name: 'hangs', command: script('setInterval(() => {}, 1000)'), timeout: 700 },
        { name: 'missing', command: ['/no/such/program'] },
        { name: 'one', command: ['echo', 'first'] },
        { name: 'two', command: ['echo', 'second'], priority: 'high' },
      ],
      normal_workers: 2,
      normal_queue: 1,
    },
    { tag: 'check.*' },
  );
  await rig.start();
  t.after(() => rig.stop());
  await waitUntil('all runs', () => runs(rig) === 4);
  await rig.stop();
  const seen = rig.emitter.seen.map(({ tag, record }) => `${tag} ${record['exec']}`);
  assert.deepEqual(seen.sort(), ['check.one first', 'check.two second']);
  assert.equal(rig.count('sluice_collector_timeout_total', { collector: 'hangs' }), 1);
  assert.equal(rig.count('sluice_collector_failures_total', { collector: 'missing' }), 1);
});

test('a lane full of hung commands leaves the high lane on time', async (t) => {
  const hung = ['a', 'b', 'c'].map((name) => ({
    name,
    command: script('setInterval(() => {}, 1000)'),
  }));
  const rig = await started(t, ['echo'], {
    command: undefined,
    commands: [...hung, { name: 'tick', command: ['echo', 'tick'], priority: 'high' }],
    interval: '100ms',
    normal_workers: 1,
    normal_queue: 1,
  });
  await waitUntil('three ticks', () => rig.emitter.seen.length >= 3);
  const skipped = hung.map(({ name }) =>
    rig.count('sluice_collector_skipped_total', { collector: name, reason: 'queue_full' }),
  );
  assert.ok(Math.max(...skipped) > 0);
});

test('one command or several, with names of their own', () => {
  const echo = { name: 'a', command: ['echo'] };
  const problems = (options: object) =>
    // What check reads.
    (plugin.check?.({ commands: [], ...options } as never) ?? []).map(({ path }) => path.join('.'));
  assert.deepEqual(problems({}), ['command']);
  assert.deepEqual(problems({ command: ['echo'], commands: [echo] }), ['commands']);
  assert.deepEqual(problems({ commands: [echo, echo] }), ['commands.1.name']);
  assert.deepEqual(problems({ commands: [echo, { ...echo, name: 'b' }] }), []);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
