import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { request } from 'undici';
import { scriptedOutput, startPipeline, waitUntil } from '../../core/testing/index.ts';
import { plugin as http } from '../../plugins/inputs/http/index.ts';

const lines = { 'content-type': 'application/x-ndjson' };

async function start(options = '') {
  const port = await freePort();
  const output = scriptedOutput();
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 20ms, scheduler.base: 5ms, scheduler.cap: 20ms, grace: 4s}
pipeline:
  inputs: [{name: http, port: ${port}${options}}]
  outputs: [{name: scripted, alias: out, match: '*'}]
`,
    plugins: [http, output.plugin] as never,
  });
  const post = async (body: string, headers: Record<string, string> = lines) => {
    const answer = await request(`http://127.0.0.1:${port}/app`, { method: 'POST', body, headers });
    return {
      status: answer.statusCode,
      body: (await answer.body.json()) as Record<string, unknown>,
    };
  };
  return { output, pipeline, post };
}

const records = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const ndjson = (count: number) =>
  records(count)
    .map((one) => JSON.stringify(one))
    .join('\n');

test('a request is answered when its records are delivered', async () => {
  const { output, pipeline, post } = await start();
  const answer = await post(ndjson(5000));
  assert.deepEqual(answer, { status: 200, body: { accepted: 5000 } });
  assert.deepEqual(output.accepted, records(5000));
  await pipeline.stop();
});

test('an array is taken record by record', async () => {
  const { output, pipeline, post } = await start();
  const answer = await post(JSON.stringify(records(5000)), { 'content-type': 'application/json' });
  assert.deepEqual(answer, { status: 200, body: { accepted: 5000 } });
  assert.deepEqual(output.accepted, records(5000));
  await pipeline.stop();
});

test('requests at the same time get answers of their own', async () => {
  const { output, pipeline, post } = await start();
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(ndjson(100))));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(output.accepted.length, 2000);
  await pipeline.stop();
});

test('while the output fails the answer waits, and comes when it works again', async () => {
  const { output, pipeline, post } = await start();
  output.answer = () => ({ kind: 'retry', reason: 'down' });
  let isAnswered = false;
  const answer = post(ndjson(3)).finally(() => {
    isAnswered = true;
  });
  await waitUntil('some tries', () => output.tries.length >= 3);
  assert.equal(isAnswered, false);
  output.answer = () => ({ kind: 'accepted' });
  assert.equal((await answer).status, 200);
  await pipeline.stop();
});

test('records that an output refuses for good are settled by the dead letters', async () => {
  const { output, pipeline, post } = await start();
  output.answer = () => ({ kind: 'rejected', reason: 'no' });
  assert.deepEqual(await post(ndjson(3)), { status: 200, body: { accepted: 3 } });
  await pipeline.stop();
});

test('with ack: accepted the answer does not wait for the output', async () => {
  const { output, pipeline, post } = await start(', ack: accepted');
  output.answer = () => ({ kind: 'retry', reason: 'down' });
  assert.deepEqual(await post(ndjson(3)), { status: 202, body: { accepted: 3 } });
  output.answer = () => ({ kind: 'accepted' });
  await waitUntil('delivery', () => output.accepted.length === 3);
  await pipeline.stop();
});

test('a stop delivers what was taken and answers who waits', async () => {
  const { output, pipeline, post } = await start();
  const answer = post(ndjson(10));
  await waitUntil('the records', () => output.tries.length > 0);
  await pipeline.stop();
  assert.equal((await answer).status, 200);
  assert.equal(output.accepted.length, 10);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
