import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineOutput, type OutputPlugin } from '../../core/sdk/index.ts';
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

test('what a removed output leaves does not take away the metrics of the one that comes again', async () => {
  const input = scriptedInput();
  const spare = scriptedOutput('spare');
  const output = scriptedOutput('one');
  let answer = (): void => undefined;
  const isAnswered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  output.answer = async () => {
    await isAnswered;
    return { kind: 'accepted' };
  };
  const gate = { open: (): void => undefined, isReached: false };
  const slow = defineOutput<Record<string, never>>({
    name: 'slow',
    summary: 'Opens when it is told to.',
    stability: 'experimental',
    schema: { type: 'object', properties: {} },
    example: '',
    create: (options, context) => ({
      ...spare.plugin.create(options as never, context),
      open: () =>
        new Promise<void>((resolve) => {
          gate.open = resolve;
          gate.isReached = true;
        }),
    }),
  }) as unknown as OutputPlugin<never>;
  const plugins = [input.plugin, output.plugin, spare.plugin, slow];
  const pipeline = await startPipeline({ yaml: yaml('flush: 5ms'), plugins });
  const { agent, load } = pipeline;
  await input.emit([{ n: 0 }]);
  await waitUntil('the record is on its way', () => output.tries.length === 1);
  assert.ok((await agent.reload(load(yaml(undefined)))).ok);
  const both = `${yaml('flush: 5ms')}    - {name: slow, match: none}\n`;
  const reloading = agent.reload(load(both));
  await waitUntil('the next one opens', () => gate.isReached);
  answer();
  await waitUntil('the earlier one is gone', () => agent.retired.size === 0);
  gate.open();
  assert.ok((await reloading).ok);
  await input.emit([{ n: 1 }]);
  await waitUntil('it has the next record', () => output.accepted.length === 2);
  const labels = { component: 'one', kind: 'output' };
  assert.ok(agent.metrics.value('sluice_records_in_total', labels) >= 1);
  await pipeline.stop();
});
