import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Secret } from '../../../core/config/secret.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { parseAddress } from '../../../plugins/shared/http_client/address.ts';
import {
  basicAuthorization,
  tokenAuthorization,
} from '../../../plugins/shared/http_client/authorization.ts';
import { gzipBody } from '../../../plugins/shared/http_client/compression.ts';
import { HostSet } from '../../../plugins/shared/http_client/host_set.ts';
import {
  HttpClient,
  type HttpClientOptions,
  type HttpRequest,
} from '../../../plugins/shared/http_client/http_client.ts';
import {
  HttpFailure,
  type HttpFailureKind,
} from '../../../plugins/shared/http_client/http_failure.ts';
import { parseRetryAfter } from '../../../plugins/shared/http_client/retry_after.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(t: TestContext, answer: Answer): Promise<{ server: Server; origin: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function clientOf(
  t: TestContext,
  origin: string,
  more: Partial<HttpClientOptions> = {},
): HttpClient {
  const client = new HttpClient({
    origin,
    connectTimeoutMs: 5000,
    responseTimeoutMs: 5000,
    connectionsMax: 4,
    clock: systemClock,
    ...more,
  });
  t.after(() => client.close());
  return client;
}

const get: HttpRequest = {
  method: 'GET',
  path: '/',
  headers: [],
  signal: new AbortController().signal,
  responseBytesMax: 1000,
};

async function failureOf(work: Promise<unknown>): Promise<HttpFailureKind> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof HttpFailure, String(error));
    return error.kind;
  }
  throw new Error('The request did not fail.');
}

test('a body arrives as it is, with its headers, twice where they are given twice', async (t) => {
  const { origin } = await listen(t, (request, response) => {
    buffer(request).then((body) => {
      response.setHeader(
        'x-seen',
        JSON.stringify([request.method, request.url, request.rawHeaders]),
      );
      response.end(body);
    });
  });
  const client = clientOf(t, origin);
  const body = Buffer.from([0, 1, 255, 10]);
  const headers = ['x-a', '1', 'X-A', '2'];
  const answer = await client.request({ ...get, method: 'PUT', path: '/p?q=1', headers, body });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, body);
  const [method, url, raw] = JSON.parse(answer.headers.get('x-seen')!) as [
    string,
    string,
    string[],
  ];
  assert.deepEqual([method, url], ['PUT', '/p?q=1']);
  assert.deepEqual(
    raw.filter((_, at) => /^x-a$/i.test(raw[at - (at % 2)]!)),
    ['x-a', '1', 'X-A', '2'],
  );
});

test('an answer is cut off at its limit, and not at one byte less', async (t) => {
  const { origin } = await listen(t, (_request, response) => response.end('x'.repeat(11)));
  const client = clientOf(t, origin);
  const cut = await client.request({ ...get, responseBytesMax: 10 });
  assert.deepEqual([cut.body.length, cut.truncated], [10, true]);
  const whole = await client.request({ ...get, responseBytesMax: 11 });
  assert.deepEqual([whole.body.length, whole.truncated], [11, false]);
});

test('a redirect is an answer like any other', async (t) => {
  let requests = 0;
  const { origin } = await listen(t, (_request, response) => {
    requests++;
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  const answer = await clientOf(t, origin).request(get);
  assert.deepEqual(
    [answer.status, answer.headers.get('location'), requests],
    [302, '/elsewhere', 1],
  );
});

test('a server that nobody listens at cannot be connected to, and has seen nothing', async (t) => {
  const { server, origin } = await listen(t, () => undefined);
  await new Promise((resolve) => server.close(resolve));
  const client = clientOf(t, origin);
  const error: unknown = await client.request(get).catch((thrown) => thrown);
  assert.ok(error instanceof HttpFailure && error.kind === 'connect' && error.neverSent);
  assert.match(error.message, /cannot connect \(connect ECONNREFUSED/);
});

test('a server that takes connections and never shakes hands cannot be connected to', async (t) => {
  const silent = createTcpServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const origin = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const client = clientOf(t, origin, { connectTimeoutMs: 30 });
  assert.equal(await failureOf(client.request(get)), 'connect');
});

test('requests in turn share a connection, and more at once than allowed wait for one', async (t) => {
  const ports = new Set<number>();
  const { origin } = await listen(t, (request, response) => {
    ports.add(request.socket.remotePort!);
    response.end('ok');
  });
  const client = clientOf(t, origin, { connectionsMax: 2 });
  for (let i = 0; i < 3; i++) await client.request(get);
  assert.equal(ports.size, 1);
  await Promise.all(Array.from({ length: 9 }, () => client.request(get)));
  assert.equal(ports.size, 2);
});

test('without keeping connections every request has its own, from the address that is given', async (t) => {
  const peers: string[] = [];
  const { origin } = await listen(t, ({ socket }, response) => {
    peers.push(`${socket.remoteAddress}:${socket.remotePort}`);
    response.end();
  });
  const client = clientOf(t, origin, { keepsConnections: false, sourceAddress: '127.0.0.2' });
  for (let i = 0; i < 3; i++) await client.request(get);
  assert.equal(new Set(peers).size, 3);
  assert.ok(
    peers.every((peer) => peer.startsWith('127.0.0.2:')),
    peers.join(),
  );
});

test('a request has one host and the length of its body, or none without a body', async (t) => {
  const seen: unknown[] = [];
  const { origin } = await listen(t, ({ headers }, response) => {
    seen.push([headers.host, headers['content-length'], headers['transfer-encoding']]);
    response.end();
  });
  const client = clientOf(t, origin);
  await client.request({ ...get, method: 'POST', body: Buffer.from('abc') });
  await client.request({ ...get, method: 'POST', headers: ['Host', 'virtual.example'] });
  await client.request(get);
  const { host } = new URL(origin);
  assert.deepEqual(seen, [
    [host, '3', undefined],
    ['virtual.example', '0', undefined],
    [host, undefined, undefined],
  ]);
});

test('an answer that changes the protocol is a failure', async (t) => {
  const { server, origin } = await listen(t, () => undefined);
  server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  });
  const headers = ['connection', 'upgrade', 'upgrade', 'x'];
  assert.equal(await failureOf(clientOf(t, origin).request({ ...get, headers })), 'reset');
});

test('a name that does not exist cannot be connected to', async (t) => {
  const client = clientOf(t, 'http://no.such.host.invalid:1');
  assert.equal(await failureOf(client.request(get)), 'connect');
});

test('a server that closes in the middle resets', async (t) => {
  const { origin } = await listen(t, (request) => request.socket.destroy());
  assert.equal(await failureOf(clientOf(t, origin).request(get)), 'reset');
});

test('a server that does not speak HTTP is told apart', async (t) => {
  const tcp = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  t.after(() => tcp.close());
  const origin = `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`;
  assert.equal(await failureOf(clientOf(t, origin).request(get)), 'protocol');
});

test('a server that does not answer, or not to the end, times out', async (t) => {
  const { origin } = await listen(t, (request, response) => {
    if (request.url === '/half') response.write('x');
  });
  const client = clientOf(t, origin, { responseTimeoutMs: 50 });
  assert.equal(await failureOf(client.request(get)), 'timeout');
  assert.equal(await failureOf(client.request({ ...get, path: '/half' })), 'timeout');
});

test('a request ends when its signal aborts, before and while it waits', async (t) => {
  const controller = new AbortController();
  const { origin } = await listen(t, () => controller.abort());
  const client = clientOf(t, origin);
  const request = { ...get, signal: controller.signal };
  assert.equal(await failureOf(client.request(request)), 'aborted');
  assert.equal(await failureOf(client.request(request)), 'aborted');
});

test('closing is safe before the first request, and twice', async (t) => {
  const client = clientOf(t, 'http://127.0.0.1:1');
  await client.close();
  await client.close();
});

test('plain http goes through a proxy with the whole URL and its credentials', async (t) => {
  const seen: unknown[] = [];
  const { origin: proxy } = await listen(t, (request, response) => {
    seen.push([request.url, request.headers.host, request.headers['proxy-authorization']]);
    response.end('from proxy');
  });
  const client = clientOf(t, 'http://es.example:9200', {
    proxy: proxy.replace('http://', 'http://us%20er:pw@'),
  });
  const answer = await client.request({ ...get, path: '/_bulk' });
  assert.equal(answer.body.toString(), 'from proxy');
  const basic = `Basic ${Buffer.from('us er:pw').toString('base64')}`;
  assert.deepEqual(seen, [['http://es.example:9200/_bulk', 'es.example:9200', basic]]);
});

test('https goes through a CONNECT tunnel', async (t) => {
  const { server, origin: proxy } = await listen(t, () => undefined);
  const asked: (string | undefined)[] = [];
  const target = createTcpServer((socket) => socket.end('no TLS here'));
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  t.after(() => target.close());
  server.on('connect', (request, socket) => {
    asked.push(request.url);
    const inner = connect((target.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      inner.pipe(socket).pipe(inner);
    });
    socket.on('error', () => inner.destroy());
    inner.on('error', () => socket.destroy());
  });
  const client = clientOf(t, 'https://es.example:9243', { proxy });
  assert.equal(await failureOf(client.request(get)), 'tls');
  assert.deepEqual(asked, ['es.example:9243']);
});

test('several hosts are used in turn, and one that is down is passed over', async (t) => {
  const counts = [0, 0];
  const clients = await Promise.all(
    counts.map(async (_, at) => {
      const { origin } = await listen(t, (_request, response) => {
        counts[at]!++;
        response.end();
      });
      return clientOf(t, origin);
    }),
  );
  const down = clientOf(t, 'http://127.0.0.1:1');
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const hosts = new HostSet([down, ...clients], clock);
  for (let k = 0; k < 8; k++) assert.equal((await hosts.request(get)).status, 200);
  assert.equal(counts[0]! + counts[1]!, 8);
  assert.ok(counts[0]! >= 3 && counts[1]! >= 3, String(counts));
  nowMs = 10_000;
  assert.equal((await hosts.request(get)).status, 200);
});

test('when every host is down the failure is told, and hosts are tried again', async (t) => {
  const hosts = new HostSet(
    [clientOf(t, 'http://127.0.0.1:1'), clientOf(t, 'http://127.0.0.1:2')],
    systemClock,
  );
  assert.equal(await failureOf(hosts.request(get)), 'connect');
  assert.equal(await failureOf(hosts.request(get)), 'connect');
});

test('a request that may have been seen does not go to a second host', async (t) => {
  let seen = 0;
  const make = async (): Promise<HttpClient> => {
    const { origin } = await listen(t, (request) => {
      seen++;
      request.socket.destroy();
    });
    return clientOf(t, origin);
  };
  const hosts = new HostSet([await make(), await make()], systemClock);
  assert.equal(await failureOf(hosts.request({ ...get, method: 'POST' })), 'reset');
  assert.equal(seen, 1);
});

const waits: [string | undefined, number | undefined][] = [
  [undefined, undefined],
  ['0', 0],
  [' 12 ', 12_000],
  ['99999', 600_000],
  ['Sat, 09 Mar 2024 12:00:10 GMT', 10_000],
  ['Sat, 09 Mar 2024 11:00:00 GMT', 0],
  ['Mon, 09 Mar 2099 12:00:00 GMT', 600_000],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
];

for (const [value, expected] of waits) {
  test(`Retry-After ${JSON.stringify(value)} means ${expected} ms`, () => {
    assert.equal(parseRetryAfter(value, Date.parse('2024-03-09T12:00:00Z')), expected);
  });
}

const addresses: [string, boolean, string, string][] = [
  ['es', false, 'http://es:9200', ''],
  ['es', true, 'https://es:9200', ''],
  ['es:80', false, 'http://es', ''],
  ['es:9201', true, 'https://es:9201', ''],
  ['10.0.0.1', false, 'http://10.0.0.1:9200', ''],
  ['::1', false, 'http://[::1]:9200', ''],
  ['[::1]:9201', false, 'http://[::1]:9201', ''],
  ['https://es.example', false, 'https://es.example', ''],
  ['http://es.example:9200/prefix/', true, 'http://es.example:9200', '/prefix'],
];

for (const [text, isTls, origin, path] of addresses) {
  test(`the address ${text} ${isTls ? 'with' : 'without'} TLS is ${origin}${path}`, () => {
    const found = parseAddress(text, { port: 9200, isTls });
    assert.deepEqual([found.origin, found.path], [origin, path]);
    assert.equal(found.isTls, origin.startsWith('https'));
  });
}

for (const text of ['', 'a b', 'ftp://x', 'http://u:p@x', 'http://x/?q', 'es:port', 'http://']) {
  test(`the address ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parseAddress(text, { port: 9200, isTls: false }), {
      code: 'SLUICE_OPTION_INVALID',
    });
  });
}

test('credentials become headers, and none without a user', () => {
  assert.equal(basicAuthorization('u', new Secret('p:ü')), 'Basic dTpwOsO8');
  assert.equal(basicAuthorization('u', undefined), 'Basic dTo=');
  assert.equal(basicAuthorization(undefined, new Secret('p')), undefined);
  assert.equal(tokenAuthorization('ApiKey', new Secret(' abc=\n')), 'ApiKey abc=');
  assert.throws(() => tokenAuthorization('Bearer', new Secret('a\nb')), /token/);
});

test('a compressed body is what it was', async () => {
  const body = Buffer.from('line\n'.repeat(1000));
  const compressed = await gzipBody(body);
  assert.ok(compressed.length < body.length / 10);
  assert.deepEqual(gunzipSync(compressed), body);
});
