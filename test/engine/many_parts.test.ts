import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { scriptedOutput, startPipeline, waitUntil } from '../../core/testing/index.ts';
import { defineInput, pause } from '../../core/sdk/index.ts';

const parts = 12;

/** Waits at many places at once, as an input of many channels does. */
const waiting = defineInput<Record<never, never>>({
  name: 'waiting',
  summary: 'Waits.',
  stability: 'stable',
  schema: { type: 'object', properties: {} },
  example: '',
  create: (_options, { clock }) => ({
    run: async (_emitter, signal) => {
      await Promise.all(Array.from({ length: parts }, () => pause(clock, 3_600_000, signal)));
    },
  }),
});

test('many inputs and outputs, and inputs that wait at many places, warn of no leak', async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  t.after(() => process.off('warning', note));
  const output = scriptedOutput();
  const several = (text: string): string => Array.from({ length: parts }, () => text).join(', ');
  const yaml = `
service: {flush: 20ms}
pipeline:
  inputs: [${several('{name: waiting}')}]
  outputs: [${several("{name: scripted, match: '*'}")}]
`;
  const pipeline = await startPipeline({ yaml, plugins: [waiting, output.plugin] });
  await turn();
  await pipeline.stop();
  await waitUntil('warnings are said in a later turn', () => true);
  assert.deepEqual(
    warnings.map(({ message }) => message),
    [],
  );
});
