import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, k) => ({ n: from + k }));
/** Records of about 10 KB each. */
const large = (from: number, to: number) =>
  numbers(from, to).map((record) => ({ ...record, text: 'x'.repeat(10_000) }));
const numbersOf = (records: readonly Record<string, unknown>[]) => records.map(({ n }) => n);

function yaml(output = ''): string {
  return `
service: {flush: 20ms, scheduler.base: 5ms, scheduler.cap: 20ms, grace: 2s}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs:
    - name: scripted
      alias: out
      match: '*'
${output}`;
}

async function start(text = yaml()) {
  const input = scriptedInput();
  const output = scriptedOutput();
  const pipeline = await startPipeline({ yaml: text, plugins: [input.plugin, output.plugin] });
  return { input, output, pipeline };
}

test('records arrive in order and their source is told', async () => {
  const { input, output, pipeline } = await start();
  await input.emit(numbers(0, 100));
  await waitUntil('all settled', () => input.settled() === 100);
  assert.deepEqual(numbersOf(output.accepted), numbersOf(numbers(0, 100)));
  await pipeline.stop();
});

test('a retry sends the same bytes, and the source waits for it', async () => {
  const { input, output, pipeline } = await start();
  let failures = 3;
  output.answer = () =>
    failures-- > 0 ? { kind: 'retry', reason: 'not now' } : { kind: 'accepted' };
  await input.emit(numbers(0, 5));
  await waitUntil('all settled', () => input.settled() === 5);
  assert.equal(output.tries.length, 4);
  assert.equal(new Set(output.tries.map(({ body }) => body)).size, 1);
  assert.equal(new Set(output.tries.map(({ id }) => id)).size, 1);
  await pipeline.stop();
});

test('an unreachable output turns readiness red with the reason and green again', async () => {
  const { input, output, pipeline } = await start();
  output.answer = () => Promise.reject(new Error('connection refused'));
  await input.emit(numbers(0, 1));
  await waitUntil('red', () => pipeline.agent.problems().length > 0);
  assert.deepEqual(pipeline.agent.problems()[0]?.reason, 'connection refused');
  output.answer = () => ({ kind: 'accepted' });
  await waitUntil('green', () => pipeline.agent.problems().length === 0);
  await pipeline.stop();
});

test('of a partial outcome only what must be retried is retried', async () => {
  const { input, output, pipeline } = await start();
  output.answer = (_chunk, { attempt }) =>
    attempt > 1
      ? { kind: 'accepted' }
      : {
          kind: 'partial',
          retry: [1, 3],
          rejected: [{ index: 2, reason: 'no such field' }],
          reason: 'some failed',
        };
  await input.emit(numbers(0, 5));
  await waitUntil('all settled', () => input.settled() === 5);
  assert.deepEqual(numbersOf(output.accepted), [0, 4, 1, 3]);
  assert.equal(output.tries[1]?.body, '{"n":1}\n{"n":3}\n');
  const { counters } = pipeline.agent.outputs[0]!.stage;
  assert.equal(counters.deadLettered.value, 1);
  await pipeline.stop();
});

test('what is too large is split until it fits; a single record goes to the dead letters', async () => {
  const { input, output, pipeline } = await start();
  output.answer = (chunk) =>
    chunk.bytes > 16 || chunk.body().includes('"n":3')
      ? { kind: 'split', reason: 'too large' }
      : { kind: 'accepted' };
  await input.emit(numbers(0, 8));
  await waitUntil('all settled', () => input.settled() === 8);
  assert.deepEqual(numbersOf(output.accepted), [0, 1, 2, 4, 5, 6, 7]);
  await pipeline.stop();
});

test('a bounded number of retries ends in the dead letters', async () => {
  const { input, output, pipeline } = await start(yaml('      retry_limit: 2\n'));
  output.answer = () => ({ kind: 'retry', reason: 'never' });
  await input.emit(numbers(0, 4));
  await waitUntil('all settled', () => input.settled() === 4);
  assert.equal(output.tries.length, 3);
  assert.equal(pipeline.agent.outputs[0]!.stage.counters.deadLettered.value, 4);
  await pipeline.stop();
});

test('an acknowledgement never passes a chunk that is still out', async () => {
  const { input, output, pipeline } = await start(yaml('      concurrency: 4\n'));
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  output.answer = async (chunk) => {
    if (chunk.body().includes('"n":0}')) await held;
    return { kind: 'accepted' };
  };
  await input.emit(numbers(0, 10));
  await waitUntil('first is out', () => output.tries.length === 1);
  await input.emit(numbers(10, 20));
  await waitUntil('second arrived', () => output.accepted.length === 10);
  assert.equal(input.settled(), 0);
  release();
  await waitUntil('all settled', () => input.settled() === 20);
  await pipeline.stop();
});

test('a full output makes its source wait, and the source goes on by itself', async () => {
  const { input, output, pipeline } = await start(
    yaml().replace('grace: 2s', 'grace: 2s, memory_limit: 16MiB'),
  );
  output.answer = () => ({ kind: 'retry', reason: 'down' });
  let emitted = 0;
  const emitting = (async () => {
    for (; emitted < 60; emitted++) await input.emit(large(emitted * 40, emitted * 40 + 40));
  })();
  await waitUntil('the source waits', () => !pipeline.agent.outputs[0]!.stage.hasRoom());
  assert.ok(emitted < 60, `emitted ${emitted} batches into a full output`);
  assert.ok(pipeline.agent.budget.usedBytes < 18 * 1024 * 1024);
  output.answer = () => ({ kind: 'accepted' });
  await emitting;
  await waitUntil('all settled', () => input.settled() === 2400);
  assert.deepEqual(numbersOf(output.accepted), numbersOf(numbers(0, 2400)));
  await pipeline.stop();
});

test('one output down does not delay another until its own limit is reached', async () => {
  const input = scriptedInput();
  const down = scriptedOutput('down');
  const healthy = scriptedOutput('healthy');
  down.answer = () => ({ kind: 'retry', reason: 'down' });
  const pipeline = await startPipeline({
    plugins: [input.plugin, down.plugin, healthy.plugin],
    yaml: `
service: {flush: 20ms, scheduler.base: 5ms, scheduler.cap: 20ms, grace: 100ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs:
    - {name: down, match: '*'}
    - {name: healthy, match: '*'}
`,
  });
  for (let k = 0; k < 10; k++) await input.emit(numbers(k * 10, k * 10 + 10));
  await waitUntil('the healthy one has all', () => healthy.accepted.length === 100);
  assert.equal(input.settled(), 0);
  assert.deepEqual(input.position(), 100);
  await pipeline.stop({ drained: false });
});

test('drop_oldest drops, counts and flows on', async () => {
  const { input, output, pipeline } = await start(
    yaml('      storage.when_full: drop_oldest\n').replace(
      'grace: 2s',
      'grace: 100ms, memory_limit: 16MiB',
    ),
  );
  output.answer = () => ({ kind: 'retry', reason: 'down' });
  for (let k = 0; k < 60; k++) await input.emit(large(k * 40, k * 40 + 40));
  const { counters } = pipeline.agent.outputs[0]!.stage;
  assert.ok(counters.droppedTotal() > 0);
  assert.ok(pipeline.agent.budget.usedBytes < 22 * 1024 * 1024);
  await pipeline.stop({ drained: false });
});

test('records that no output wants are counted and settled', async () => {
  const { input, pipeline } = await start(yaml().replace("match: '*'", 'match: other.*'));
  await input.emit(numbers(0, 7));
  await waitUntil('all settled', () => input.settled() === 7);
  const labels = { component: 'router', kind: 'router' };
  assert.equal(pipeline.agent.metrics.value('sluice_records_unmatched_total', labels), 7);
  await pipeline.stop();
});

test('`when` and tags decide which output gets a record', async () => {
  const input = scriptedInput();
  const errors = scriptedOutput('errors');
  const rest = scriptedOutput('rest');
  const pipeline = await startPipeline({
    plugins: [input.plugin, errors.plugin, rest.plugin],
    yaml: `
service: {flush: 20ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs:
    - {name: errors, match: 'a.*', when: level >= "ERROR"}
    - {name: rest, match_regex: '^a\\.', when: not level >= "ERROR"}
`,
  });
  await input.emit([{ level: 'error' }, { level: 'info' }, { level: 'FATAL' }], 'a.b');
  await input.emit([{ level: 'error' }], 'b.a');
  await waitUntil('all settled', () => input.settled() === 4);
  assert.deepEqual(errors.accepted, [{ level: 'error' }, { level: 'FATAL' }]);
  assert.deepEqual(rest.accepted, [{ level: 'info' }]);
  await pipeline.stop();
});

test('outputs that are down never use up what a healthy one needs', async () => {
  const input = scriptedInput();
  const other = scriptedInput('other');
  const down = Array.from({ length: 15 }, (_, k) => scriptedOutput(`down_${k}`));
  for (const output of down) output.answer = () => ({ kind: 'retry', reason: 'down' });
  const healthy = scriptedOutput('healthy');
  const pipeline = await startPipeline({
    plugins: [input.plugin, other.plugin, healthy.plugin, ...down.map(({ plugin }) => plugin)],
    yaml: `
service: {flush: 20ms, scheduler.base: 5ms, scheduler.cap: 20ms, grace: 100ms, memory_limit: 16MiB}
pipeline:
  inputs: [{name: scripted, tag: a}, {name: other, tag: b}]
  outputs:
    - {name: healthy, match: b}
${down.map((_, k) => `    - {name: down_${k}, match: a}`).join('\n')}
`,
  });
  // Fills every output that is down; the last batch waits for room that never comes.
  const filling = (async () => {
    for (let k = 0; k < 200; k++) await input.emit(large(k * 8, k * 8 + 8), 'a');
  })().catch(() => undefined);
  const { outputs } = pipeline.agent;
  await waitUntil('one of them is full', () => outputs.some(({ stage }) => !stage.hasRoom()));
  await other.emit(numbers(0, 10), 'b');
  await waitUntil('the healthy one has its records', () => healthy.accepted.length === 10);
  await pipeline.stop({ drained: false });
  await filling;
});
