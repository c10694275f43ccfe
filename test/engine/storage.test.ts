import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryFileSystem } from '../unit/buffer/memory_file_system.ts';
import { inspectDiskBuffer } from '../../core/buffer/verify.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import { readDeadLetters } from '../../core/dead_letter/dead_letter_reader.ts';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, k) => ({ n: from + k }));
const numbersOf = (records: readonly Record<string, unknown>[]) => records.map(({ n }) => n);

const yaml = `
service: {flush: 10ms, scheduler.base: 5ms, scheduler.cap: 20ms, grace: 200ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs:
    - {name: scripted, alias: out, match: '*', storage.type: filesystem}
`;

async function start(directory: string, text = yaml) {
  const input = scriptedInput();
  const output = scriptedOutput();
  const pipeline = await startPipeline({
    yaml: text,
    directory,
    plugins: [input.plugin, output.plugin],
  });
  return { input, output, pipeline };
}

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('a disk buffer frees the source while its output is down', () =>
  inDirectory(async (directory) => {
    const { input, output, pipeline } = await start(directory);
    output.answer = () => ({ kind: 'retry', reason: 'down' });
    await input.emit(numbers(0, 50));
    await waitUntil('stored', () => input.settled() === 50);
    assert.deepEqual(output.accepted, []);
    await pipeline.stop({ drained: false, keep: true });
  }));

test('what a stopped agent stored is delivered by the next one, in order and once', () =>
  inDirectory(async (directory) => {
    const first = await start(directory);
    first.output.answer = () => ({ kind: 'retry', reason: 'down' });
    await first.input.emit(numbers(0, 50));
    await waitUntil('stored', () => first.input.settled() === 50);
    await first.input.emit(numbers(50, 80));
    await waitUntil('stored', () => first.input.settled() === 80);
    await first.pipeline.stop({ drained: false, keep: true });

    const second = await start(directory);
    await waitUntil('delivered', () => second.output.accepted.length >= 80);
    await second.input.emit(numbers(80, 90));
    await waitUntil('delivered', () => second.output.accepted.length >= 90);
    assert.deepEqual(numbersOf(second.output.accepted), numbersOf(numbers(0, 90)));
    const ids = new Set(second.output.tries.map(({ id }) => id));
    assert.ok(first.output.tries.every(({ id }) => ids.has(id)));
    await second.pipeline.stop({ keep: true });
  }));

test('a stored chunk vouches for its source when the checkpoint is older', () =>
  inDirectory(async (directory) => {
    const first = await start(directory);
    first.output.answer = () => ({ kind: 'retry', reason: 'down' });
    await first.input.emit(numbers(0, 50));
    await waitUntil('stored', () => first.input.settled() === 50);
    // What a crash at this moment would leave behind.
    await cp(join(directory, 'data'), join(directory, 'crashed', 'data'), { recursive: true });
    await first.pipeline.stop({ drained: false, keep: true });

    await rm(join(directory, 'crashed', 'data', 'lock'));
    await rm(join(directory, 'crashed', 'data', 'buffers', 'out', 'lock'));
    await rm(join(directory, 'crashed', 'data', 'dead_letters', 'out', 'lock'));
    const second = await start(join(directory, 'crashed'));
    await waitUntil('delivered', () => second.output.accepted.length >= 50);
    assert.equal(second.input.position(), 50);
    assert.deepEqual(numbersOf(second.output.accepted), numbersOf(numbers(0, 50)));
    await second.pipeline.stop({ keep: true });
  }));

test('a chunk that was delivered before its lines had a checkpoint still vouches for them', () =>
  inDirectory(async (directory) => {
    const first = await start(directory);
    const data = join(directory, 'data');
    const crashed = join(directory, 'crashed', 'data');
    await first.input.emit(numbers(0, 10));
    await cp(join(data, 'checkpoints'), join(crashed, 'checkpoints'));
    await first.input.emit(numbers(10, 50));
    await waitUntil('delivered', () => first.output.accepted.length === 50);
    const kept = join(data, 'buffers', 'out');
    await waitUntil('the delivery is noted', async () => {
      const { records, pendingRecords } = await inspectDiskBuffer(kept);
      return records > 0 && pendingRecords === 0;
    });
    // What a crash at this moment would leave behind.
    await cp(join(data, 'buffers'), join(crashed, 'buffers'), { recursive: true });
    await rm(join(crashed, 'buffers', 'out', 'lock'));
    await first.pipeline.stop({ keep: true });

    const second = await start(join(directory, 'crashed'));
    await waitUntil('resumed', () => second.input.position() === 50);
    assert.deepEqual(second.output.accepted, []);
    await second.pipeline.stop({ keep: true });
  }));

test('a stored chunk holds whole batches where it can, and vouches for all of them', () =>
  inDirectory(async (directory) => {
    const text = yaml.replace('filesystem}', 'filesystem, flush: 1h, batch: {records: 25}}');
    const { input, output, pipeline } = await start(directory, text);
    await input.emit(numbers(0, 10));
    const data = join(directory, 'data');
    const crashed = join(directory, 'crashed', 'data');
    await cp(join(data, 'checkpoints'), join(crashed, 'checkpoints'));
    for (let from = 10; from < 60; from += 10) await input.emit(numbers(from, from + 10));
    const sizes = () => output.tries.map(({ body }) => body.trim().split('\n').length);
    await waitUntil('two are delivered', () => output.accepted.length >= 40);
    assert.deepEqual(sizes(), [20, 20]);
    // A batch that is larger than a chunk is divided, and one that fills it to the last waits for none.
    await input.emit(numbers(60, 120));
    await input.emit(numbers(120, 135));
    await waitUntil('the full ones are delivered', () => output.accepted.length === 135);
    assert.deepEqual(sizes(), [20, 20, 20, 25, 25, 25]);
    // What a crash at this moment would leave behind.
    await cp(join(data, 'buffers'), join(crashed, 'buffers'), { recursive: true });
    await rm(join(crashed, 'buffers', 'out', 'lock'));
    await pipeline.stop({ keep: true });
    const second = await start(join(directory, 'crashed'), text);
    await waitUntil('resumed', () => second.input.position() === 135);
    await second.pipeline.stop({ keep: true });
  }));

test('without a disk buffer a restarted source resumes where its records were settled', () =>
  inDirectory(async (directory) => {
    const text = yaml.replace(', storage.type: filesystem', '');
    const first = await start(directory, text);
    await first.input.emit(numbers(0, 30));
    await waitUntil('settled', () => first.input.settled() === 30);
    first.output.answer = () => ({ kind: 'retry', reason: 'down' });
    await first.input.emit(numbers(30, 60));
    await first.pipeline.stop({ drained: false, keep: true });

    const second = await start(directory, text);
    await waitUntil('resumed', () => second.input.position() === 30);
    await second.input.emit(numbers(30, 60));
    await waitUntil('settled', () => second.input.settled() === 60);
    assert.deepEqual(numbersOf(second.output.accepted), numbersOf(numbers(30, 60)));
    await second.pipeline.stop({ keep: true });
  }));

test('refused records are kept with their reason, origin, tag and time', () =>
  inDirectory(async (directory) => {
    const { input, output, pipeline } = await start(directory);
    output.answer = (chunk) =>
      chunk.count === 3
        ? {
            kind: 'partial',
            retry: [],
            rejected: [{ index: 1, reason: 'field [n] is not a date', status: 400 }],
            reason: 'one failed',
          }
        : { kind: 'accepted' };
    await input.emit(numbers(0, 3), 'web.access');
    await waitUntil('delivered', () => output.accepted.length === 2);
    await waitUntil('idle', () => pipeline.agent.outputs[0]!.stage.isIdle);
    await pipeline.stop({ keep: true });
    const letters = [];
    const store = join(directory, 'data', 'dead_letters', 'out');
    for await (const item of readDeadLetters(store, { salvage: false }))
      if (item.kind === 'letter') letters.push(item.letter);
    assert.equal(letters.length, 1);
    const [letter] = letters;
    assert.equal(letter!.record.toString(), '{"n":1}');
    assert.equal(letter!.reason, 'field [n] is not a date');
    assert.equal(letter!.status, 400);
    assert.equal(letter!.tag, 'web.access');
    assert.equal(letter!.origin.offset, 1);
    assert.deepEqual(letter!.time, { seconds: 1_700_000_000, nanos: 123_456_789 });
  }));

test('two agents never share their storage', () =>
  inDirectory(async (directory) => {
    const { pipeline } = await start(directory);
    await assert.rejects(start(directory), { code: 'SLUICE_STORAGE_LOCKED' });
    await pipeline.stop({ keep: true });
  }));

test('a new source waits for a disk that cannot note it, and the input goes on', async () => {
  const fileSystem = new MemoryFileSystem();
  fileSystem.bytesFree = 0;
  const input = scriptedInput();
  const output = scriptedOutput();
  const pipeline = await startPipeline({
    yaml: yaml.replace(', storage.type: filesystem', ''),
    directory: '/agent',
    fileSystem,
    plugins: [input.plugin, output.plugin],
  });
  const emitted = input.emit(numbers(0, 10));
  const isRed = () => pipeline.agent.problems().some((one) => one.component === 'checkpoints');
  await waitUntil('/readyz is red', isRed);
  assert.deepEqual(output.accepted, []);
  fileSystem.bytesFree = Number.POSITIVE_INFINITY;
  await emitted;
  await waitUntil('delivered', () => output.accepted.length === 10);
  assert.deepEqual(pipeline.agent.problems(), []);
  await pipeline.stop({ keep: true });
});

for (const answer of ['rejected', 'partial'] as const)
  test(`a full disk buffer is named by itself, and no longer once there is room (${answer})`, () =>
    inDirectory(async (directory) => {
      const small = yaml.replace(
        'storage.type: filesystem',
        'storage.type: filesystem, storage.total_limit_size: 64K, batch: {records: 1}',
      );
      const { input, output, pipeline } = await start(directory, small);
      const components = () => pipeline.agent.problems().map(({ component }) => component);
      output.answer = () => ({ kind: 'retry', reason: 'down' });
      const text = 'x'.repeat(10_000);
      await input.emit(numbers(0, 10).map((record) => ({ ...record, text })));
      await waitUntil('both are named', () =>
        ['buffer out', 'output out'].every((one) => components().includes(one)),
      );
      // A server that answers is up, even if it refuses.
      output.answer = () =>
        answer === 'rejected'
          ? { kind: 'rejected', reason: 'no' }
          : { kind: 'partial', rejected: [{ index: 0, reason: 'no' }], retry: [], reason: 'no' };
      await waitUntil('ready', () => components().length === 0);
      await waitUntil('all are refused', () => pipeline.agent.outputs[0]!.stage.isIdle);
      await pipeline.stop({ keep: true, drained: true });
    }));

/** Counts what is opened for reading. */
class ReadCountingFileSystem extends MemoryFileSystem {
  reads = 0;

  override open(...call: Parameters<MemoryFileSystem['open']>) {
    if (call[1] === 'read' && call[0].endsWith('.seg')) this.reads++;
    return super.open(...call);
  }
}

async function startWithLittleMemory(clock?: Clock) {
  const fileSystem = new ReadCountingFileSystem();
  const input = scriptedInput();
  const output = scriptedOutput();
  const text = yaml.replace('grace: 200ms', 'grace: 200ms, memory_limit: 8MiB');
  const pipeline = await startPipeline({
    yaml: text,
    plugins: [input.plugin, output.plugin],
    fileSystem,
    ...(clock === undefined ? {} : { clock }),
  });
  const padding = 'x'.repeat(100_000);
  const records = (from: number, to: number) => numbers(from, to).map(({ n }) => ({ n, padding }));
  return { fileSystem, input, output, pipeline, records, text };
}

test('stored chunks are delivered from memory while their output keeps up', async () => {
  // On a busy machine the patience with a delivery may end although it goes on: here it never does.
  const patient: Clock = {
    ...systemClock,
    after: (delayMs, run) => (delayMs === 100 ? () => {} : systemClock.after(delayMs, run)),
  };
  const { fileSystem, input, output, pipeline, records } = await startWithLittleMemory(patient);
  output.answer = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return { kind: 'accepted' };
  };
  for (let n = 0; n < 300; n += 10) await input.emit(records(n, n + 10));
  await waitUntil('delivered', () => output.accepted.length === 300);
  assert.equal(fileSystem.reads, 0);
  await pipeline.stop({ keep: true });
});

test('where an output stands still, the disk takes over what is beyond memory, and gives it back in order', async () => {
  const { fileSystem, input, output, pipeline, records } = await startWithLittleMemory();
  let isDown = true;
  output.answer = () => (isDown ? { kind: 'retry', reason: 'down' } : { kind: 'accepted' });
  for (let n = 0; n < 300; n += 10) await input.emit(records(n, n + 10));
  await waitUntil('stored', () => input.settled() === 300);
  isDown = false;
  await waitUntil('delivered', () => output.accepted.length === 300);
  assert.deepEqual(numbersOf(output.accepted), numbersOf(numbers(0, 300)));
  assert.ok(fileSystem.reads > 0);
  await pipeline.stop({ keep: true });
});

test('what a lone output kept in memory makes room when a reload gives it a neighbour', async () => {
  const { input, output, pipeline, records, text } = await startWithLittleMemory();
  output.answer = () => ({ kind: 'retry', reason: 'down' });
  for (let n = 0; n < 60; n += 10) await input.emit(records(n, n + 10));
  await waitUntil('stored', () => input.settled() === 60);
  const neighbour = "    - {name: scripted, alias: other, match: '*', storage.type: filesystem}\n";
  assert.equal((await pipeline.agent.reload(pipeline.load(text + neighbour))).ok, true);
  for (let n = 60; n < 160; n += 10) await input.emit(records(n, n + 10));
  await waitUntil('stored', () => input.settled() === 160);
  await pipeline.stop({ drained: false, keep: true });
});

test('a reload changes limit, policy and durability of a disk buffer in use, and loses nothing', () =>
  inDirectory(async (directory) => {
    const withOptions = (options: string) =>
      yaml.replace('storage.type: filesystem', `storage.type: filesystem, ${options}`);
    const large = (from: number, to: number) =>
      numbers(from, to).map((record) => ({ ...record, text: 'x'.repeat(10_000) }));
    const small = withOptions('storage.total_limit_size: 64K, batch: {records: 1}');
    const { input, output, pipeline } = await start(directory, small);
    output.answer = () => ({ kind: 'retry', reason: 'down' });
    await input.emit(large(0, 10));
    await waitUntil('full', () =>
      pipeline.agent.problems().some(({ reason }) => /buffer is full/.test(reason)),
    );
    const settled = input.settled();
    assert.ok(settled < 10);

    const more = 'storage.total_limit_size: 1M, storage.durability: os, batch: {records: 1}';
    const raised = await pipeline.agent.reload(pipeline.load(withOptions(more)));
    assert.deepEqual(raised.ok, true, raised.message);
    await waitUntil('stored', () => input.settled() === 10);

    const dropping =
      'storage.total_limit_size: 1M, storage.when_full: drop_newest, batch: {records: 1}';
    const changed = await pipeline.agent.reload(pipeline.load(withOptions(dropping)));
    assert.deepEqual(changed.ok, true, changed.message);
    for (let at = 10; at < 150; at += 20) await input.emit(large(at, at + 20));
    await waitUntil('dropped', () => input.settled() === 150);

    const refused = await pipeline.agent.reload(
      pipeline.load(yaml.replace(', storage.type: filesystem', '')),
    );
    assert.match(refused.message, /storage.type and storage.path/);
    output.answer = () => ({ kind: 'accepted' });
    await waitUntil('delivered', () => pipeline.agent.outputs[0]!.stage.isIdle);
    await pipeline.stop({ keep: true, drained: true });
    // The instances before and after a reload deliver side by side.
    const arrived = new Set(numbersOf(output.accepted));
    for (let n = 0; n < 10; n++) assert.ok(arrived.has(n), `record ${n}`);
    assert.ok(output.accepted.length < 150);
  }));
