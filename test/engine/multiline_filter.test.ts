import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FilterPlugin } from '../../core/sdk/index.ts';
import {
  assertConservation,
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { plugin as multiline } from '../../plugins/filters/multiline/index.ts';
import { builtInMultilineNames } from '../../plugins/shared/multiline/index.ts';

interface Setup {
  readonly options?: string;
  readonly directory?: string;
}

const java = 'multiline.parser: java';

function yaml(options: string): string {
  return `
service: {flush: 5ms, scheduler.base: 5ms, scheduler.cap: 20ms, grace: 500ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  filters: [{name: multiline, match: '*', ${options}}]
  outputs: [{name: out, match: '*'}]
`;
}

async function start({ options = `${java}, flush_ms: 60s`, directory }: Setup = {}) {
  const input = scriptedInput();
  const output = scriptedOutput('out');
  const pipeline = await startPipeline({
    yaml: yaml(options),
    plugins: [input.plugin, multiline as unknown as FilterPlugin<never>, output.plugin],
    builtInMultilineNames,
    ...(directory === undefined ? {} : { directory }),
  });
  return { input, output, pipeline };
}

const trace = [
  'Exception in thread "main" java.lang.Error: "é"',
  '\tat a.b(C.java:1)',
  'Caused by: x',
  '\t... 3 more',
];
const joined = trace.join('\n');
const lines = (...texts: string[]) => texts.map((log, n) => ({ n, log }));

test('lines of a trace become its first record, others stay as they are', async () => {
  const { input, output, pipeline } = await start();
  await input.emit([...lines('one', ...trace, 'two'), { n: 6 }, { n: 7, log: 5 }]);
  await waitUntil('settled', () => input.settled() === 8);
  assert.deepEqual(output.accepted, [
    { n: 0, log: 'one' },
    { n: 1, log: joined },
    { n: 5, log: 'two' },
    { n: 6 },
    { n: 7, log: 5 },
  ]);
  await pipeline.stop();
});

test('a trace may come in several batches, and stands where it began', async () => {
  const { input, output, pipeline } = await start();
  await input.emit([{ n: 0, log: trace[0]!, extra: 1.5 }]);
  await input.emit(lines(trace[1]!, trace[2]!).map((one) => ({ ...one, n: 9 })));
  await input.emit(lines(trace[3]!, 'after'));
  await waitUntil('settled', () => input.settled() === 5);
  assert.deepEqual(output.accepted, [
    { n: 0, extra: 1.5, log: joined },
    { n: 1, log: 'after' },
  ]);
  await pipeline.stop();
});

test('what is held is not acknowledged, and is delivered at a stop', async () => {
  const { input, output, pipeline } = await start();
  await input.emit(lines('one', trace[0]!));
  await input.emit(lines(trace[1]!));
  await waitUntil('the first record', () => output.accepted.length === 1);
  await waitUntil('settled', () => input.settled() === 1);
  assert.equal(pipeline.agent.inputs.length, 1);
  await pipeline.stop();
  assert.deepEqual(output.accepted[1], { n: 1, log: `${trace[0]}\n${trace[1]}` });
  assert.equal(input.settled(), 3);
});

test('an unfinished record goes on after flush_ms without another record', async () => {
  const { input, output, pipeline } = await start({ options: `${java}, flush_ms: 20ms` });
  await input.emit(lines(trace[0]!, trace[1]!));
  await waitUntil('flushed', () => output.accepted.length === 1);
  await waitUntil('settled', () => input.settled() === 2);
  assert.deepEqual(output.accepted, [{ n: 0, log: `${trace[0]}\n${trace[1]}` }]);
  await pipeline.stop();
});

test('an output that refuses keeps a joined record unacknowledged from its first line on', async () => {
  const { input, output, pipeline } = await start({ options: `${java}, flush_ms: 10ms` });
  output.answer = () => ({ kind: 'retry', reason: 'not yet' });
  await input.emit(lines(trace[0]!, trace[1]!));
  await waitUntil('a try', () => output.tries.length > 1);
  assert.equal(input.settled(), 0);
  output.answer = () => ({ kind: 'accepted' });
  await waitUntil('settled', () => input.settled() === 2);
  await pipeline.stop();
});

test('a reload passes on what the old filter held', async () => {
  const { input, output, pipeline } = await start();
  await input.emit(lines(trace[0]!));
  const next = pipeline.load(yaml(`${java}, flush_ms: 30s`));
  assert.equal((await pipeline.agent.reload(next)).ok, true);
  await input.emit(lines(trace[1]!, 'after'));
  await waitUntil('settled', () => input.settled() === 3);
  assert.deepEqual(
    output.accepted.map(({ log }) => log),
    [trace[0], trace[1], 'after'],
  );
  await pipeline.stop();
});

test('without a buffer records are joined within their batch', async () => {
  const { input, output, pipeline } = await start({ options: `${java}, buffer: false` });
  await input.emit(lines(trace[0]!, trace[1]!));
  await input.emit(lines(trace[2]!));
  await waitUntil('settled', () => input.settled() === 3);
  assert.deepEqual(
    output.accepted.map(({ log }) => log),
    [`${trace[0]}\n${trace[1]}`, trace[2]],
  );
  await pipeline.stop();
});

test('tags are told apart, and records leave in the order in which they began', async () => {
  const { input, output, pipeline } = await start({ options: `${java}, flush_ms: 30ms` });
  await input.emit(lines(trace[0]!), 'a');
  await input.emit(lines(trace[0]!), 'b');
  await input.emit(lines(trace[1]!), 'a');
  await input.emit(lines('plain'), 'b');
  await waitUntil('settled', () => input.settled() === 4);
  assert.deepEqual(
    output.accepted.map(({ log }) => log),
    [trace[0], 'plain', `${trace[0]}\n${trace[1]}`],
  );
  await pipeline.stop();
});

test('more than emitter_mem_buf_limit leaves in pieces and is counted', async () => {
  const options = `${java}, flush_ms: 60s, emitter_mem_buf_limit: 100`;
  const { input, output, pipeline } = await start({ options });
  await input.emit(lines(trace[0]!));
  await input.emit(lines(trace[1]!, ...Array.from({ length: 9 }, () => trace[1]!)));
  await input.emit(lines('after'));
  await waitUntil('settled', () => input.settled() === 12);
  const all = output.accepted.map(({ log }) => log).join('\n');
  assert.equal(all, [trace[0], ...Array.from({ length: 10 }, () => trace[1]), 'after'].join('\n'));
  assert.ok(output.accepted.length > 2);
  const labels = { component: 'multiline.0', kind: 'filter' };
  assert.ok(pipeline.agent.metrics.counter('sluice_multiline_limit_total', labels).value > 0);
  await pipeline.stop();
});

test('parts of a message are joined by the fields of a container runtime', async () => {
  const { input, output, pipeline } = await start({ options: 'mode: partial_message' });
  const part = (id: string, log: string, last: string) => ({
    log,
    partial_message: 'true',
    partial_id: id,
    partial_ordinal: '1',
    partial_last: last,
  });
  await input.emit([part('x', 'a', 'false'), { log: 'whole' }, part('y', '1', 'false')]);
  await input.emit([part('x', 'b', 'true'), part('y', '2', 'true'), part('z', 'only', 'true')]);
  await waitUntil('settled', () => input.settled() === 6);
  assert.deepEqual(output.accepted, [
    { log: 'whole' },
    { log: 'ab' },
    { log: '12' },
    { log: 'only' },
  ]);
  await pipeline.stop();
});

test('records are the same however they are cut into batches', async () => {
  const line = fc.constantFrom('plain', 'java.lang.Error: x', '\tat a.b(C)', 'Caused by: y', '');
  const check = fc.asyncProperty(
    fc.array(fc.record({ log: line, ends: fc.boolean() }), { minLength: 1, maxLength: 24 }),
    async (script) => {
      const deliver = async (cut: boolean): Promise<unknown[]> => {
        const { input, output, pipeline } = await start();
        let batch: { n: number; log: string }[] = [];
        for (const [n, { log, ends }] of script.entries()) {
          batch.push({ n, log });
          if ((!cut || !ends) && n < script.length - 1) continue;
          await input.emit(batch);
          batch = [];
        }
        const { metrics } = pipeline.agent;
        await pipeline.stop();
        assertConservation(metrics, { drained: true });
        assert.equal(input.settled(), script.length);
        return output.accepted.map(({ n, log }) => [n, log]);
      };
      assert.deepEqual(await deliver(true), await deliver(false));
    },
  );
  await fc.assert(check, { numRuns: 12 });
});
