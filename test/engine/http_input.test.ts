import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent, request } from 'undici';
import { scriptedOutput, startPipeline, waitUntil } from '../../core/testing/index.ts';
import { plugin as http } from '../../plugins/inputs/http/index.ts';
import { type Certificate, makeCertificate } from './certificates.ts';

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
  return { output, pipeline, post, port };
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

async function startTls(certificates: string, options = '') {
  const started = await start(
    `, tls: true, tls.crt_file: ${certificates}/server.pem, tls.key_file: ${certificates}/server.key${options}`,
  );
  const postWith = async (connect: object) => {
    const dispatcher = new Agent({ connect: { maxVersion: 'TLSv1.3', ...connect } });
    try {
      const url = `https://localhost:${started.port}/app`;
      const sent = { method: 'POST', body: ndjson(10), headers: lines, dispatcher } as const;
      const answer = await request(url, sent);
      await answer.body.dump();
      return answer.statusCode;
    } finally {
      await dispatcher.destroy();
    }
  };
  return { ...started, postWith };
}

async function withCertificates(
  work: (directory: string, authority: Certificate) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-certificates-'));
  try {
    const authority = makeCertificate('test authority');
    const server = makeCertificate('localhost', authority);
    await writeFile(join(directory, 'ca.pem'), authority.certificate);
    await writeFile(join(directory, 'server.pem'), server.certificate);
    await writeFile(join(directory, 'server.key'), server.key);
    await work(directory, authority);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('tls.min_version, tls.max_version and tls.ciphers say what is accepted', () =>
  withCertificates(async (directory, authority) => {
    const ca = authority.certificate;
    const newest = await startTls(directory, ', tls.min_version: TLSv1.3');
    assert.equal(await newest.postWith({ ca }), 200);
    await assert.rejects(newest.postWith({ ca, maxVersion: 'TLSv1.2' }));
    await newest.pipeline.stop();
    const cipher = 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384';
    const one = await startTls(directory, `, tls.max_version: TLSv1.2, tls.ciphers: '${cipher}'`);
    assert.equal(await one.postWith({ ca, ciphers: cipher }), 200);
    await assert.rejects(one.postWith({ ca, minVersion: 'TLSv1.3' }));
    const other = 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256';
    await assert.rejects(one.postWith({ ca, maxVersion: 'TLSv1.2', ciphers: other }));
    await one.pipeline.stop();
  }));

test('records come over TLS, to clients that trust the certificate only, and never in the clear', () =>
  withCertificates(async (directory, authority) => {
    const { output, pipeline, post, postWith } = await startTls(directory);
    const ca = authority.certificate;
    assert.equal(await postWith({ ca }), 200);
    assert.equal(await postWith({ ca, maxVersion: 'TLSv1.2' }), 200);
    assert.deepEqual(output.accepted, [...records(10), ...records(10)]);
    await assert.rejects(postWith({}), /certificate|issuer/);
    await assert.rejects(postWith({ ca: makeCertificate('test authority').certificate }));
    await assert.rejects(postWith({ ca, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
    await assert.rejects(post(ndjson(1)));
    assert.equal(output.accepted.length, 20);
    await pipeline.stop();
  }));

test('with tls.verify_client_cert only clients of the authority may send', () =>
  withCertificates(async (directory, authority) => {
    const { output, pipeline, postWith } = await startTls(
      directory,
      `, tls.ca_file: ${directory}/ca.pem, tls.verify_client_cert: true`,
    );
    const ca = authority.certificate;
    const client = makeCertificate('client', authority);
    const stranger = makeCertificate('client', makeCertificate('test authority'));
    assert.equal(await postWith({ ca, cert: client.certificate, key: client.key }), 200);
    await assert.rejects(postWith({ ca }));
    await assert.rejects(postWith({ ca, cert: stranger.certificate, key: stranger.key }));
    assert.deepEqual(output.accepted, records(10));
    await pipeline.stop();
  }));
