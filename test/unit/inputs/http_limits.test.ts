import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Secret } from '../../../core/config/secret.ts';
import { waitUntil } from '../../../core/testing/wait_until.ts';
import { type HttpRig, withRig } from './http_harness.ts';

const lines = { 'content-type': 'application/x-ndjson' };

const refused: readonly {
  name: string;
  status: number;
  method?: string;
  headers?: Record<string, string>;
}[] = [
  { name: 'another method', method: 'PATCH', status: 405 },
  { name: 'another content type', headers: { 'content-type': 'application/xml' }, status: 415 },
  {
    name: 'another charset',
    headers: { 'content-type': 'text/plain; charset=latin1' },
    status: 415,
  },
  { name: 'another encoding', headers: { ...lines, 'content-encoding': 'br' }, status: 415 },
  {
    name: 'a very long key',
    headers: { ...lines, 'idempotency-key': 'k'.repeat(1025) },
    status: 400,
  },
];

for (const { name, status, method = 'POST', headers = lines } of refused) {
  test(`a request with ${name} is answered with ${status}`, () =>
    withRig(async (rig) => {
      const answer = await rig.post('{"a":1}', headers, '/', method);
      assert.equal(answer.status, status);
      assert.equal(answer.body['accepted'], 0);
      assert.equal(rig.sent.length, 0);
    }));
}

test('credentials open the door, anything else does not', () =>
  withRig(
    async (rig) => {
      const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
      const cases: [string | undefined, number][] = [
        [undefined, 401],
        ['Bearer wrong', 401],
        ['secret', 401],
        [basic('me:wrong'), 401],
        ['Bearer secret', 200],
        ['bearer  secret', 200],
        [basic('me:pass'), 200],
      ];
      for (const [authorization, status] of cases) {
        const headers = authorization === undefined ? lines : { ...lines, authorization };
        const answer = await rig.post('{"a":1}', headers);
        assert.equal(answer.status, status, authorization);
        if (status === 401) assert.ok(answer.headers['www-authenticate']);
      }
    },
    { token: new Secret('secret'), http_user: 'me', http_passwd: new Secret('pass') },
  ));

test('a body at the limit is taken, one past it is refused, announced or not', () =>
  withRig(
    async (rig) => {
      const body = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
      assert.equal((await rig.post(body(1000), lines)).status, 200);
      assert.equal((await rig.post(body(1001), lines)).status, 413);
      const chunked = { ...lines, 'transfer-encoding': 'chunked' };
      assert.equal((await rig.post(body(1000), chunked)).status, 200);
      const answer = await rig.post(`{"a":1}\n${'x'.repeat(300_000)}`, chunked);
      assert.equal(answer.status, 413);
    },
    { decompressed_bytes_max: 1000 },
  ));

test('a gzip bomb is refused before it is large', () =>
  withRig(
    async (rig) => {
      const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
      const answer = await rig.post(bomb, { ...lines, 'content-encoding': 'gzip' });
      assert.equal(answer.status, 413);
      assert.match(String(answer.body['error']), /decompressed_bytes_max/);
    },
    { decompressed_bytes_max: 1_000_000 },
  ));

test('a compressed body has a limit of its own', () =>
  withRig(
    async (rig) => {
      const noise = Buffer.from(Array.from({ length: 3000 }, () => Math.random()).join('\n'));
      const chunked = {
        'content-type': 'text/plain',
        'content-encoding': 'gzip',
        'transfer-encoding': 'chunked',
      };
      const answer = await rig.post(gzipSync(noise), chunked);
      assert.equal(answer.status, 413);
      assert.match(String(answer.body['error']), /request_bytes_max/);
    },
    { request_bytes_max: 1000 },
  ));

test('an answer waits until the records are settled', () =>
  withRig(async (rig) => {
    rig.settles = false;
    let isAnswered = false;
    const answer = rig.post('{"a":1}\n{"a":2}\n', lines).finally(() => {
      isAnswered = true;
    });
    await waitUntil('the batch', () => rig.unsettled === 1);
    assert.equal(isAnswered, false);
    rig.settleAll();
    assert.equal((await answer).status, 200);
  }));

test('with ack: accepted it does not wait', () =>
  withRig(
    async (rig) => {
      rig.settles = false;
      const answer = await rig.post('{"a":1}', lines);
      assert.equal(answer.status, 202);
      assert.equal(rig.unsettled, 1);
    },
    { ack: 'accepted' },
  ));

test('status and headers of success are as configured', () =>
  withRig(
    async (rig) => {
      const answer = await rig.post('{"a":1}', lines);
      assert.equal(answer.status, 204);
      assert.equal(answer.headers['x-custom'], 'some value');
    },
    { successful_response_code: 204, success_header: ['X-Custom some value'] },
  ));

test('records that nobody settles are answered with 503', () =>
  withRig(
    async (rig) => {
      rig.settles = false;
      const answer = await rig.post('{"a":1}', lines);
      assert.equal(answer.status, 503);
      assert.equal(answer.body['accepted'], 1);
      assert.ok(answer.headers['retry-after']);
    },
    { settle_timeout: 20 },
  ));

test('a full pipeline is answered with 429', () =>
  withRig(
    async (rig) => {
      rig.block();
      const answer = await rig.post('{"a":1}', lines);
      assert.equal(answer.status, 429);
      assert.equal(answer.headers['retry-after'], '1');
      assert.equal(rig.sent.length, 0);
    },
    { busy_timeout: 20 },
  ));

test('requests past requests_max are answered with 429', () =>
  withRig(
    async (rig) => {
      rig.settles = false;
      const first = rig.post('{"a":1}', lines);
      await waitUntil('the first', () => rig.unsettled === 1);
      assert.equal((await rig.post('{"a":2}', lines)).status, 429);
      rig.settleAll();
      assert.equal((await first).status, 200);
      assert.equal((await rig.post('{"a":3}', lines)).status, 200);
    },
    { requests_max: 1 },
  ));

test('unfinished records of all requests have one limit', () =>
  withRig(
    async (rig) => {
      assert.equal(
        (await rig.post('x'.repeat(200_000), { 'content-type': 'text/plain' })).status,
        429,
      );
      assert.equal((await rig.post('{"a":1}', lines)).status, 200);
    },
    { unfinished_bytes_max: 50_000 },
  ));

test('a client that goes away in the middle leaves nothing behind', () =>
  withRig(async (rig) => {
    const request = send(rig, lines);
    request.write('{"a":1}\n{"a":');
    await waitUntil('the first record', () => rig.sent.length === 1);
    request.destroy();
    await waitUntil('the end of the source', () => rig.openSources === 0);
    assert.equal(rig.sent.length, 1);
  }));

test('records of a long request go on before it ends', () =>
  withRig(async (rig) => {
    const request = send(rig, lines);
    request.write('{"a":1}\n');
    await waitUntil('the first record', () => rig.sent.length === 1);
    request.end('{"a":2}\n');
    const [response] = await once(request, 'response');
    assert.equal(response.statusCode, 200);
    response.resume();
  }));

test('silence in the middle of a body ends the request', () =>
  withRig(
    async (rig) => {
      const request = send(rig, lines);
      request.write('{"a":1}\n{"a"');
      const [response] = await once(request, 'response');
      assert.equal(response.statusCode, 408);
      response.resume();
      request.destroy();
    },
    { idle_timeout: 50 },
  ));

test('a client that asks first is told to go on, or why not', () =>
  withRig(async (rig) => {
    const good = send(rig, { ...lines, expect: '100-continue' });
    good.flushHeaders();
    await once(good, 'continue');
    good.end('{"a":1}');
    assert.equal((await once(good, 'response'))[0].statusCode, 200);
    const bad = send(rig, { 'content-type': 'image/png', expect: '100-continue' });
    bad.flushHeaders();
    assert.equal((await once(bad, 'response'))[0].statusCode, 415);
    bad.destroy();
  }));

test('a stop lets requests in progress end, and takes no new ones', () =>
  withRig(async (rig) => {
    rig.settles = false;
    const waiting = rig.post('{"a":1}', lines);
    await waitUntil('the batch', () => rig.unsettled === 1);
    const idle = connect(rig.input.port, '127.0.0.1');
    await once(idle, 'connect');
    rig.abort();
    idle.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    const [text] = (await once(idle, 'data')) as [Buffer];
    assert.match(text.toString(), /^HTTP\/1.1 503/);
    idle.destroy();
    await assert.rejects(rig.post('{"a":2}', lines));
    rig.settleAll();
    assert.equal((await waiting).status, 200);
  }));

test('a stop does not wait for ever', () =>
  withRig(
    async (rig) => {
      rig.settles = false;
      const waiting = rig.post('{"a":1}', lines);
      await waitUntil('the batch', () => rig.unsettled === 1);
      await rig.stop();
      const answer = await waiting;
      assert.equal(answer.status, 503);
      assert.equal(answer.body['accepted'], 1);
    },
    { drain_timeout: 20 },
  ));

test('a port that is taken is a plain error', () =>
  withRig(async (rig) => {
    await assert.rejects(
      withRig(async () => {}, { port: rig.input.port }),
      /cannot listen on/,
    );
  }));

function send(rig: HttpRig, headers: Record<string, string>) {
  const request = httpRequest({
    host: '127.0.0.1',
    port: rig.input.port,
    method: 'POST',
    headers,
    agent: false,
  });
  request.on('error', () => undefined);
  return request;
}
