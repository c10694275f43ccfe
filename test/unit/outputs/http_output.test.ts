import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Secret } from '../../../core/config/secret.ts';
import type { DeliveryOutcome, Output } from '../../../core/sdk/contracts.ts';
import { type HttpOutputOptions, schema } from '../../../plugins/outputs/http/config.ts';
import { outcomeOf } from '../../../plugins/shared/http_client/response_outcome.ts';
import { plugin } from '../../../plugins/outputs/http/index.ts';
import { chunkOf, optionsOf, outputContext, type TestEvent } from '../shared/output_harness.ts';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Receiver {
  readonly port: number;
  readonly received: Received[];
  /** Statuses of the answers to come; 200 when it is empty. */
  readonly statuses: number[];
  readonly headers: Record<string, string>;
}

async function receiver(t: TestContext): Promise<Receiver> {
  const received: Received[] = [];
  const statuses: number[] = [];
  const headers: Record<string, string> = {};
  const server: Server = createServer((request, response) => {
    buffer(request).then((body) => {
      const { method = '', url = '' } = request;
      received.push({ method, url, headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 200, headers).end('said\nthe server');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received, statuses, headers };
}

type Given = Partial<HttpOutputOptions>;

async function outputOf(t: TestContext, given: Given): Promise<Output> {
  const options = optionsOf<HttpOutputOptions>(schema, given);
  assert.deepEqual(plugin.check?.(options), []);
  const output = plugin.create(options, outputContext());
  await output.open?.();
  t.after(() => output.close?.());
  return output;
}

function deliver(
  output: Output,
  events: readonly TestEvent[],
  id?: string,
): Promise<DeliveryOutcome> {
  const delivery = { signal: new AbortController().signal, attempt: 1 };
  return output.deliver(chunkOf(output, events, id === undefined ? {} : { id }), delivery);
}

const two: TestEvent[] = [
  { json: { a: 1 }, seconds: 1_709_985_600, nanos: 123_456_789 },
  { json: '{"b":[\n2]}', seconds: 1_709_985_601 },
];

const bodies: [Given, string, string][] = [
  [
    {},
    'application/json',
    '[{"a":1,"date":1709985600.123456789},{"b":[\n2],"date":1709985601.000000000}]',
  ],
  [
    { format: 'json_lines', json_date_format: 'epoch' },
    'application/x-ndjson',
    '{"a":1,"date":1709985600}\n{"b":[ 2],"date":1709985601}\n',
  ],
  [
    { format: 'json_stream', json_date_format: 'epoch_ms' },
    'application/json',
    '{"a":1,"date":1709985600123}{"b":[\n2],"date":1709985601000}',
  ],
  [
    { format: 'json_lines', json_date_key: 't', json_date_format: 'iso8601' },
    'application/x-ndjson',
    '{"a":1,"t":"2024-03-09T12:00:00.123456789Z"}\n{"b":[ 2],"t":"2024-03-09T12:00:01.000000000Z"}\n',
  ],
  [
    { format: 'json_lines', json_date_format: 'java_sql_timestamp' },
    'application/x-ndjson',
    '{"a":1,"date":"2024-03-09 12:00:00.123456789"}\n{"b":[ 2],"date":"2024-03-09 12:00:01.000000000"}\n',
  ],
  [{ format: 'json_lines', json_date_key: false }, 'application/x-ndjson', '{"a":1}\n{"b":[ 2]}\n'],
  [{ json_date_key: 'a' }, 'application/json', '[{"a":1},{"b":[\n2],"a":1709985601.000000000}]'],
];

for (const [given, contentType, expected] of bodies) {
  test(`with ${JSON.stringify(given)} the body is as that says`, async (t) => {
    const { port, received } = await receiver(t);
    const output = await outputOf(t, { port, uri: '/in?x=1', ...given });
    assert.deepEqual(await deliver(output, two), { kind: 'accepted' });
    const [request] = received;
    assert.deepEqual([request?.method, request?.url], ['POST', '/in?x=1']);
    assert.equal(request?.headers['content-type'], contentType);
    assert.equal(request?.body.toString(), expected);
  });
}

test('a compressed request says so', async (t) => {
  const { port, received } = await receiver(t);
  const output = await outputOf(t, { port, compress: 'gzip', http_method: 'PUT' });
  await deliver(output, two);
  assert.equal(received[0]?.method, 'PUT');
  assert.equal(received[0]?.headers['content-encoding'], 'gzip');
  assert.match(gunzipSync(received[0]!.body).toString(), /^\[\{"a":1/);
});

test('headers of the file are sent, and win over ours', async (t) => {
  const { port, received } = await receiver(t);
  const header = ['X-One a b', 'X-Two: c', 'x-one d', 'Content-Type text/x', 'X-Empty'];
  await deliver(await outputOf(t, { port, header }), two);
  await deliver(await outputOf(t, { port, header, allow_duplicated_headers: false }), two);
  const [twice, once] = received.map((request) => request.headers);
  assert.deepEqual(
    [twice?.['x-one'], twice?.['x-two'], twice?.['content-type'], twice?.['x-empty']],
    ['a b, d', 'c', 'text/x', ''],
  );
  assert.equal(once?.['x-one'], 'd');
});

test('credentials are sent, a user before a token', async (t) => {
  const { port, received } = await receiver(t);
  const token = new Secret('tok');
  await deliver(await outputOf(t, { port, http_bearer_token: token }), two);
  const user = { http_user: 'u', http_passwd: new Secret('p') };
  await deliver(await outputOf(t, { port, http_bearer_token: token, ...user }), two);
  const sent = received.map((request) => request.headers.authorization);
  assert.deepEqual(sent, ['Bearer tok', 'Basic dTpw']);
});

test('every try of a chunk has the same Idempotency-Key', async (t) => {
  const { port, received } = await receiver(t);
  const output = await outputOf(t, { port });
  await deliver(output, two, 'chunk-1');
  await deliver(output, two, 'chunk-1');
  const keys = received.map((request) => request.headers['idempotency-key']);
  assert.deepEqual(keys, ['chunk-1', 'chunk-1']);
});

const tagged: TestEvent[] = [
  { json: { n: 0 }, tag: 'one' },
  { json: { n: 1 }, tag: 'zwei ü' },
  { json: { n: 2 }, tag: 'one' },
  { json: { n: 3 }, tag: 'three' },
];

test('records of different tags go in requests of their own, with the tag', async (t) => {
  const { port, received } = await receiver(t);
  const given: Given = { port, header_tag: 'X-Tag', format: 'json_lines', json_date_key: false };
  assert.deepEqual(await deliver(await outputOf(t, given), tagged, 'c'), { kind: 'accepted' });
  const seen = received.map(({ headers, body }) => [
    headers['x-tag'],
    headers['idempotency-key'],
    body.toString(),
  ]);
  assert.deepEqual(seen, [
    ['one', 'c.s0', '{"n":0}\n{"n":2}\n'],
    ['zwei %C3%BC', 'c.s1', '{"n":1}\n'],
    ['three', 'c.s2', '{"n":3}\n'],
  ]);
});

// Records count through the sections: one has 0 and 1, zwei 2, three 3.
const partly: [string, number[], (string | number[])[], number][] = [
  ['a refused tag is rejected alone', [200, 422], ['partial', [], [2]], 3],
  ['a failing server is not pressed further', [200, 503], ['partial', [2, 3], []], 2],
  ['a server that fails at once gets it all again', [503], ['retry'], 1],
  ['a tag that is too large comes again alone', [413, 200, 200], ['partial', [0, 1], []], 3],
  ['tags that are all too large are halved', [413, 413, 413], ['split'], 3],
  ['tags that are all refused are rejected', [400, 400, 400], ['partial', [], [0, 1, 2, 3]], 3],
];

for (const [what, statuses, expected, requests] of partly) {
  test(`of several tags, ${what}`, async (t) => {
    const server = await receiver(t);
    server.statuses.push(...statuses);
    const outcome = await deliver(
      await outputOf(t, { port: server.port, header_tag: 'X-Tag' }),
      tagged,
    );
    const shape =
      outcome.kind === 'partial'
        ? ['partial', outcome.retry, outcome.rejected.map((record) => record.index)]
        : [outcome.kind];
    assert.deepEqual(shape, expected);
    assert.equal(server.received.length, requests);
  });
}

const own = { generation: 'ab'.repeat(16) };

test('with body_key every record has a request, with its own headers beside ours', async (t) => {
  const server = await receiver(t);
  const given: Given = {
    port: server.port,
    body_key: '$request["body"]',
    headers_key: '$request["headers"]',
    header: ['X-One ours', 'X-Two ours'],
    allow_duplicated_headers: false,
    header_tag: 'X-Tag',
    compress: 'gzip',
  };
  const headers = { 'Content-Type': 'text/x', 'x-one': 'theirs', 'X-Three': 'ü', Host: 'h', n: 1 };
  const events: TestEvent[] = [
    { json: { request: { body: 'ä\n', headers }, date: 5 }, tag: 'a' },
    { json: { request: { body: '', headers: {} } }, tag: 'b' },
  ];
  assert.deepEqual(await deliver(await outputOf(t, given), events), { kind: 'accepted' });
  const seen = server.received.map(({ headers: all, body }) => [
    gunzipSync(body).toString(),
    all['content-type'],
    all['x-one'],
    all['x-three'],
    all['x-tag'],
    all['idempotency-key'],
  ]);
  const key = '00112233445566778899aabbccddeeff';
  assert.deepEqual(seen, [
    ['ä\n', 'text/x', 'ours', 'ü', 'a', `${key}.0.0`],
    ['', undefined, 'ours', undefined, 'b', `${key}.1.0`],
  ]);
});

test('without headers_key the body has the content type of the format', async (t) => {
  const server = await receiver(t);
  const output = await outputOf(t, { port: server.port, body_key: 'b', format: 'json_lines' });
  await deliver(output, [{ json: { b: '{"x":1}' } }]);
  assert.deepEqual(
    server.received.map(({ headers, body }) => [headers['content-type'], body.toString()]),
    [['application/x-ndjson', '{"x":1}']],
  );
});

test('of records with requests of their own, the refused and unfit are dead letters', async (t) => {
  const server = await receiver(t);
  server.statuses.push(200, 413, 422, 503);
  const output = await outputOf(t, { port: server.port, body_key: 'b', headers_key: 'h' });
  const records: unknown[] = [
    { b: 'x', h: {} },
    { b: 1, h: {} },
    { b: 'x' },
    { b: 'x', h: [] },
    { b: 'x', h: { 'a b': 'c' } },
    { b: 'x', h: { a: 'b\r\nc: d' } },
    { b: 'large', h: {} },
    { b: 'bad', h: {} },
    { b: 'busy', h: {} },
    { b: 'next', h: {} },
  ];
  const outcome = await deliver(
    output,
    records.map((json) => ({ json })),
  );
  assert.ok(outcome.kind === 'partial');
  assert.deepEqual(outcome.retry, [8, 9]);
  assert.deepEqual(
    outcome.rejected.map(({ index, status }) => [index, status]),
    [
      [1, undefined],
      [2, undefined],
      [3, undefined],
      [4, undefined],
      [5, undefined],
      [6, 413],
      [7, 422],
    ],
  );
  assert.match(outcome.rejected[0]!.reason, /no text under body_key \(b\)/);
  assert.equal(server.received.length, 4);
});

const formats = ['json', 'json_lines', 'json_stream'] as const;
const dates = ['double', 'epoch', 'epoch_ms', 'iso8601', 'java_sql_timestamp'] as const;
const dated: readonly string[] = [
  '{}',
  '{"a":1}',
  '{"date":1709985600.123456789}',
  '{"a":1,"date":1709985600}',
  '{"a":1,"date":1709985600123}',
  '{"a":1,"date":"2024-03-09T12:00:00.123456789Z"}',
  '{"a":1,"date":"2024-03-09 12:00:00.123456789"}',
  '{"date":1709985600,"a":"date\\":5"}',
  '{"a":{"date":1}}',
  '{"a":1, "date" : 1709985600}',
  '{"a":1,"d\\u0061te":1709985600}',
  '{"a":1,"date":{"b":1}}',
];

for (const format of formats) {
  for (const json_date_format of dates) {
    test(`a dead letter is the record without its added date: ${format}, ${json_date_format}`, async (t) => {
      const { port, received } = await receiver(t);
      const output = await outputOf(t, { port, format, json_date_format });
      const events = dated.map((json) => ({ json, seconds: 1_709_985_600, nanos: 123_456_789 }));
      const chunk = chunkOf(output, events, own);
      const letters = dated.map((_, index) => output.encoder.recordJson(chunk.recordAt(index)));
      assert.deepEqual(letters, dated);
      const delivery = { signal: new AbortController().signal, attempt: 1 };
      await output.deliver(chunk, delivery);
      const body = received[0]!.body.toString();
      const sent = format === 'json' ? body : `[${body.trim().replace(/\} ?\n?(?=\{)/g, '},')}]`;
      for (const record of JSON.parse(sent) as object[])
        assert.ok('date' in record || 'a' in record);
    });
  }
}

const statuses: [number[], DeliveryOutcome['kind']][] = [
  [[200, 201, 202, 204], 'accepted'],
  [[301, 302, 307, 308], 'retry'],
  [[400, 405, 409, 410, 411, 415, 422], 'rejected'],
  [[401, 403, 404, 407, 408, 425, 429], 'retry'],
  [[413], 'split'],
  [[500, 501, 502, 503, 504, 507], 'retry'],
];

for (const [list, kind] of statuses) {
  test(`the statuses ${list.join(', ')} mean ${kind}`, () => {
    for (const status of list) {
      const facts = { status, body: Buffer.alloc(0), retryAfterMs: undefined, location: '/x' };
      assert.equal(outcomeOf({ ...facts, showBody: true }).kind, kind, String(status));
    }
  });
}

test('the reason has what the server said, unless that is not to be shown', async (t) => {
  const server = await receiver(t);
  server.statuses.push(503, 503);
  server.headers['retry-after'] = '3';
  const shown = await deliver(await outputOf(t, { port: server.port }), two);
  assert.deepEqual(shown, {
    kind: 'retry',
    reason: 'status 503: said the server',
    status: 503,
    afterMs: 3000,
  });
  const given = { port: server.port, log_response_payload: false };
  const hidden = await deliver(await outputOf(t, given), two);
  assert.equal(hidden.kind === 'retry' && hidden.reason, 'status 503');
});

test('a server that cannot be reached is tried again', async (t) => {
  const outcome = await deliver(await outputOf(t, { port: 1 }), two);
  assert.equal(outcome.kind, 'retry');
  assert.match(outcome.kind === 'retry' ? outcome.reason : '', /127\.0\.0\.1:1: cannot connect/);
});

const wrong: [Given, string][] = [
  [{ host: 'a b' }, 'host'],
  [{ uri: '/a b' }, 'uri'],
  [{ header: ['Bad(Name) x'] }, 'header.0'],
  [{ header: ['X-A ok', 'Content-Length 3'] }, 'header.1'],
  [{ header: ['X-A a\u0000b'] }, 'header.0'],
  [{ header: ['Content-Encoding br'], compress: 'gzip' }, 'header.0'],
  [{ header_tag: 'Host' }, 'header_tag'],
  [{ headers_key: 'h' }, 'headers_key'],
];

for (const [given, path] of wrong) {
  test(`the options ${JSON.stringify(given)} are refused before anything starts`, () => {
    const problems = plugin.check?.(optionsOf<HttpOutputOptions>(schema, given)) ?? [];
    assert.deepEqual(
      problems.map((problem) => problem.path.join('.')),
      [path],
    );
  });
}
