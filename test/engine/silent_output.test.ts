import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { systemClock } from '../../core/time/clock.ts';

test('an output whose destination says nothing turns readiness red long before its deadline', async () => {
  let skippedMs = 0;
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + skippedMs };
  const input = scriptedInput();
  const output = scriptedOutput();
  let answer = (): void => undefined;
  output.answer = async () => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return { kind: 'accepted' };
  };
  const { agent, stop } = await startPipeline({
    yaml: `
service: {flush: 5ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs: [{name: scripted, alias: out, match: '*'}]
`,
    plugins: [input.plugin, output.plugin],
    clock,
  });
  await input.emit([{ n: 1 }]);
  await waitUntil('the try', () => output.tries.length === 1);
  skippedMs = 15_000;
  assert.deepEqual(agent.problems(), []);
  skippedMs = 25_000;
  const [problem] = agent.problems();
  assert.equal(problem?.component, 'output out');
  assert.match(problem.reason, /^its destination has not answered for 2\d s$/);
  answer();
  await waitUntil('settled', () => input.settled() === 1);
  assert.deepEqual(agent.problems(), []);
  await stop();
});
