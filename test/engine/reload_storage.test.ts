import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { SimulatedClock } from '../neighbours/simulated_clock.ts';

const yaml = (output: string | undefined, filesystem = '') => `
service: {flush: 5ms, scheduler.base: 1s, scheduler.cap: 2s, grace: 500ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs:
    - {name: spare, match: none}
${output === undefined ? '' : `    - {name: one, alias: one, match: test, ${filesystem}${output}}\n`}`;

test('a disk buffer drops and counts what an output holds that a reload replaced', async () => {
  const input = scriptedInput();
  const output = scriptedOutput('one');
  output.answer = (_chunk, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve({ kind: 'retry', reason: 'down' }));
    });
  const disk = 'storage.type: filesystem, storage.when_full: drop_oldest, ';
  const limit = 'storage.total_limit_size: 4M, batch: {records: 1}, concurrency: 1, ';
  const text = (flush: number) => yaml(`flush: ${flush}ms`, disk + limit);
  const plugins = [input.plugin, output.plugin, scriptedOutput('spare').plugin];
  const pipeline = await startPipeline({ yaml: text(5), plugins });
  const { agent } = pipeline;
  const stage = () => agent.outputs.find(({ config }) => config.id === 'one')!.stage;
  const filler = 'x'.repeat(100_000);
  const emit = async (from: number, count: number) => {
    for (let n = from; n < from + count; n++) await input.emit([{ n, filler }]);
    await waitUntil('all is stored', () => input.settled() === from + count);
  };
  await emit(0, 30);
  const before = stage();
  assert.equal((await agent.reload(pipeline.load(text(6)))).ok, true);
  await emit(30, 60);
  const dropped = stage().counters.droppedTotal();
  const held = [before, stage()].map((one) => one.unsettled());
  const all = held.reduce((sum, { stored, inMemory }) => sum + stored + inMemory, dropped);
  assert.equal(all, 90, `${dropped} dropped, ${JSON.stringify(held)} held`);
  // What the disk keeps it can give.
  const bytes = held.reduce((sum, { stored }) => sum + stored, 0) * filler.length;
  assert.ok(bytes <= 4 << 20, `${bytes} bytes are said to be on a disk of 4 MiB`);
  await pipeline.stop({ drained: false });
});

test('an earlier instance of an output has two minutes at most once the output is removed', async () => {
  const input = scriptedInput();
  const output = scriptedOutput('one');
  output.answer = () => ({ kind: 'retry', reason: 'down' });
  const clock = new SimulatedClock();
  const plugins = [input.plugin, output.plugin, scriptedOutput('spare').plugin];
  const pipeline = await startPipeline({ yaml: yaml('flush: 5ms'), plugins, clock });
  const { agent } = pipeline;
  await input.emit([{ n: 0 }]);
  await clock.advance(1000);
  assert.equal((await agent.reload(pipeline.load(yaml('flush: 6ms')))).ok, true);
  // The output is still there: its earlier instance has all the time it needs.
  await clock.advance(100_000);
  assert.equal(agent.retired.size, 1);
  assert.equal((await agent.reload(pipeline.load(yaml(undefined)))).ok, true);
  await clock.advance(130_000);
  assert.equal(agent.retired.size, 0);
  const dropped = agent.metrics.value('sluice_records_dropped_total', {
    component: 'one',
    kind: 'output',
    reason: 'output_removed',
  });
  assert.equal(dropped, 1);
  const stopping = pipeline.stop({ drained: false });
  for (let step = 0; step < 20; step++) await clock.advance(100);
  await stopping;
});
