import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineFilter } from '../../core/sdk/index.ts';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { systemClock } from '../../core/time/clock.ts';
import { SimulatedClock } from '../neighbours/simulated_clock.ts';

test('a batch that a filter never gives back turns readiness red, and liveness after a minute', async () => {
  let skippedMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + skippedMs };
  let letGo = (): void => {};
  let isHeld = false;
  const hanging = defineFilter({
    name: 'hanging',
    summary: 'Keeps each batch until it is told.',
    stability: 'experimental',
    schema: { type: 'object', properties: {} },
    example: '',
    create: () => ({
      process: () =>
        new Promise<void>((resolve) => {
          letGo = resolve;
          isHeld = true;
        }),
    }),
  });
  const input = scriptedInput();
  const output = scriptedOutput();
  const { agent, stop } = await startPipeline({
    yaml: `
service: {flush: 20ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  filters: [{name: hanging, match: '*'}]
  outputs: [{name: scripted, alias: out, match: '*'}]
`,
    plugins: [input.plugin, output.plugin, hanging],
    clock,
  });
  const emitted = input.emit([{ n: 1 }]);
  await waitUntil('the filter has the batch', () => isHeld);
  assert.deepEqual(agent.wedged(), []);
  skippedMs = 25_000;
  assert.match(agent.problems()[0]!.component, /^input /);
  assert.deepEqual(agent.wedged(), [], 'alive for the time being');
  skippedMs = 61_000;
  assert.match(agent.wedged()[0]!.reason, /^wedged: a batch is with the filters for 6\d s$/);
  assert.match(agent.problems()[0]!.component, /^input /);
  letGo();
  await emitted;
  assert.deepEqual(agent.wedged(), []);
  await stop();
});

test('a batch that waits for an output which a reload replaced is not wedged', async () => {
  const clock = new SimulatedClock();
  const input = scriptedInput();
  const output = scriptedOutput();
  output.answer = () => ({ kind: 'retry', reason: 'down' });
  const text = (flush: number) => `
service: {flush: 20ms, memory_limit: 16777216, grace: 1s, scheduler.base: 1s, scheduler.cap: 5s}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs: [{name: scripted, alias: out, match: '*', flush: ${flush}ms}]
`;
  const plugins = [input.plugin, output.plugin];
  const { agent, load, stop } = await startPipeline({ yaml: text(20), plugins, clock });
  let isRefused = false;
  const work = (async () => {
    for (;;) await input.emit([{ text: 'x'.repeat(400_000) }]);
  })().catch(() => {
    isRefused = true;
  });
  while (agent.inputs[0]!.stage.underWayMs() < 500) await clock.advance(100);
  assert.ok((await agent.reload(load(text(30)))).ok);
  for (let step = 0; step < 13; step++) await clock.advance(5000);
  assert.ok(agent.outputs[0]!.stage.hasRoom());
  assert.deepEqual(agent.wedged(), []);
  let isStopped = false;
  const stopping = stop({ drained: false }).then(() => {
    isStopped = true;
  });
  while (!isStopped) await clock.advance(100);
  await Promise.all([stopping, work]);
  assert.ok(isRefused);
});
