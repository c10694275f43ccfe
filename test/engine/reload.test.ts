import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineFilter, type FilterPlugin } from '../../core/sdk/index.ts';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';

const marker = defineFilter<{ mark: string }>({
  name: 'marker',
  summary: 'Marks events for a test.',
  stability: 'experimental',
  schema: {
    type: 'object',
    properties: { mark: { type: 'string', default: 'a', description: 'The mark.' } },
  },
  example: '',
  create: ({ mark }) => {
    if (mark === 'refused') throw new Error('this mark is refused');
    return { filter: (event) => event.set('mark', mark) };
  },
}) as unknown as FilterPlugin<never>;

function yaml(mark: string, outputs: string): string {
  return `
service: {flush: 10ms, scheduler.base: 5ms, scheduler.cap: 20ms, grace: 500ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  filters: [{name: marker, match: '*', mark: ${mark}}]
  outputs:
${outputs}`;
}

const one = '    - {name: one, match: "*"}\n';
const two = '    - {name: two, match: "*"}\n';

async function start() {
  const input = scriptedInput();
  const outputs = { one: scriptedOutput('one'), two: scriptedOutput('two') };
  const plugins = [input.plugin, marker, outputs.one.plugin, outputs.two.plugin];
  const pipeline = await startPipeline({ yaml: yaml('a', one), plugins });
  return { input, outputs, pipeline };
}

test('a reload changes a filter between two batches and keeps input and output', async () => {
  const { input, outputs, pipeline } = await start();
  const { agent } = pipeline;
  const before = { input: agent.inputs[0]!.stage, output: agent.outputs[0]!.stage };
  await input.emit([{ n: 0 }]);
  const result = await agent.reload(pipeline.load(yaml('b', one)));
  assert.deepEqual(result, { ok: true, changed: 1, message: 'Reloaded: 1 components changed.' });
  await input.emit([{ n: 1 }]);
  await waitUntil('settled', () => input.settled() === 2);
  assert.deepEqual(outputs.one.accepted, [
    { n: 0, mark: 'a' },
    { n: 1, mark: 'b' },
  ]);
  assert.equal(agent.inputs[0]!.stage, before.input);
  assert.equal(agent.outputs[0]!.stage, before.output);
  await pipeline.stop();
});

test('a failed reload leaves the old configuration running and says why', async () => {
  const { input, outputs, pipeline } = await start();
  const result = await pipeline.agent.reload(pipeline.load(yaml('refused', one + two)));
  assert.equal(result.ok, false);
  assert.match(result.message, /this mark is refused/);
  await input.emit([{ n: 0 }]);
  await waitUntil('settled', () => input.settled() === 1);
  assert.deepEqual(outputs.one.accepted, [{ n: 0, mark: 'a' }]);
  assert.deepEqual(outputs.two.accepted, []);
  await pipeline.stop();
});

test('an output that a reload adds gets what comes from then on', async () => {
  const { input, outputs, pipeline } = await start();
  await input.emit([{ n: 0 }]);
  assert.equal((await pipeline.agent.reload(pipeline.load(yaml('a', one + two)))).ok, true);
  await input.emit([{ n: 1 }]);
  await waitUntil('settled', () => input.settled() === 2);
  assert.equal(outputs.one.accepted.length, 2);
  assert.deepEqual(outputs.two.accepted, [{ n: 1, mark: 'a' }]);
  await pipeline.stop();
});

test('an output that a reload removes still brings away what it had', async () => {
  const { input, outputs, pipeline } = await start();
  assert.equal((await pipeline.agent.reload(pipeline.load(yaml('a', one + two)))).ok, true);
  outputs.two.answer = () => ({ kind: 'retry', reason: 'later' });
  await input.emit([{ n: 0 }]);
  await waitUntil('two was tried', () => outputs.two.tries.length > 0);
  assert.equal((await pipeline.agent.reload(pipeline.load(yaml('a', one)))).ok, true);
  await waitUntil('settled for those that are left', () => input.settled() === 1);
  outputs.two.answer = () => ({ kind: 'accepted' });
  await waitUntil('two has it', () => outputs.two.accepted.length === 1);
  await pipeline.stop();
});

test('what an output holds when a reload replaces it is delivered once, by the old instance', async () => {
  const { input, outputs, pipeline } = await start();
  await input.emit([{ n: 0 }]);
  // The record is in the open chunk, and a worker waits for it.
  const replaced = one.replace('match', 'flush: 11ms, match');
  assert.equal((await pipeline.agent.reload(pipeline.load(yaml('a', replaced)))).ok, true);
  await waitUntil('settled', () => input.settled() === 1);
  assert.deepEqual(outputs.one.accepted, [{ n: 0, mark: 'a' }]);
  await pipeline.stop();
});

test('an output that a reload removed and the next one adds again keeps its disk buffer', async () => {
  const { input, outputs, pipeline } = await start();
  const kept = '    - {name: two, alias: two, match: "*", storage.type: filesystem}\n';
  assert.equal((await pipeline.agent.reload(pipeline.load(yaml('a', one + kept)))).ok, true);
  outputs.two.answer = () => ({ kind: 'retry', reason: 'later' });
  await input.emit([{ n: 0 }]);
  await waitUntil('two was tried', () => outputs.two.tries.length > 0);
  for (const text of [one, one + kept, one, one + kept]) {
    const result = await pipeline.agent.reload(pipeline.load(yaml('a', text)));
    assert.equal(result.ok, true, result.message);
  }
  outputs.two.answer = () => ({ kind: 'accepted' });
  await waitUntil('two has it', () => outputs.two.accepted.length === 1);
  await pipeline.stop();
});

test('reloads that come at once are done one after the other; the last one stands', async () => {
  const { input, outputs, pipeline } = await start();
  const results = await Promise.all(
    ['b', 'c', 'd'].map((mark) => pipeline.agent.reload(pipeline.load(yaml(mark, one)))),
  );
  assert.ok(results.every(({ ok }) => ok));
  await input.emit([{ n: 0 }]);
  await waitUntil('settled', () => input.settled() === 1);
  assert.deepEqual(outputs.one.accepted, [{ n: 0, mark: 'd' }]);
  await pipeline.stop();
});

test('a reload without a difference touches nothing', async () => {
  const { pipeline } = await start();
  const result = await pipeline.agent.reload(pipeline.load(yaml('a', one)));
  assert.deepEqual(result, { ok: true, changed: 0, message: 'Nothing changed.' });
  await pipeline.stop();
});
