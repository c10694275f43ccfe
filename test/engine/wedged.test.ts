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

test('a batch that a filter never gives back turns readiness red after a minute', async () => {
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
  skippedMs = 61_000;
  assert.match(agent.wedged()[0]!.reason, /^wedged: a batch is with the filters for 6\d s$/);
  assert.match(agent.problems()[0]!.component, /^input /);
  letGo();
  await emitted;
  assert.deepEqual(agent.wedged(), []);
  await stop();
});
