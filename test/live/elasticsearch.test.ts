import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, type TestContext, test } from 'node:test';
import { Secret } from '../../core/config/secret.ts';
import type { DeliveryOutcome, Output } from '../../core/sdk/contracts.ts';
import { type ElasticsearchOptions, schema } from '../../plugins/outputs/elasticsearch/config.ts';
import { plugin } from '../../plugins/outputs/elasticsearch/index.ts';
import { type RunningServer, servers } from '../servers/index.ts';
import {
  type ChunkOptions,
  chunkOf,
  type HarnessContext,
  type HarnessOptions,
  outputContext,
  optionsOf,
  type TestEvent,
} from '../unit/shared/output_harness.ts';

type Given = Partial<ElasticsearchOptions>;

interface Opened {
  readonly output: Output;
  readonly context: HarnessContext;
  deliver(events: readonly TestEvent[], options?: ChunkOptions): Promise<DeliveryOutcome>;
}

async function ask(
  server: RunningServer,
  path: string,
  body?: unknown,
  method = body === undefined ? 'GET' : 'POST',
): Promise<{ status: number; body: string }> {
  const url = new URL(path, server.url);
  const ca = server.caPath === undefined ? undefined : await readFile(server.caPath);
  const options = {
    agent: false as const,
    method,
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(30_000),
    ...(server.username === undefined ? {} : { auth: `${server.username}:${server.password}` }),
  };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:' ? requestHttps(url, { ...options, ca }) : requestHttp(url, options);
    request.once('error', reject);
    request.once('response', (response) => {
      const status = response.statusCode ?? 0;
      text(response).then((received) => resolve({ status, body: received }), reject);
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

interface Hit {
  readonly _index: string;
  readonly _id: string;
  readonly _source: Record<string, unknown>;
  readonly sort: unknown[];
}

/** Every document of some indices, in the order of `sort`. */
async function documents(
  server: RunningServer,
  indices: string,
  sort: string | object = '_doc',
): Promise<Hit[]> {
  await ask(server, `/${indices}/_refresh`, undefined, 'POST');
  const answer = await ask(server, `/${indices}/_search`, { size: 1000, sort: [sort] });
  assert.equal(answer.status, 200, answer.body);
  return (JSON.parse(answer.body) as { hits: { hits: Hit[] } }).hits.hits;
}

async function openOutput(given: Given, harness: HarnessOptions = {}): Promise<Opened> {
  const options = optionsOf<ElasticsearchOptions>(schema, given);
  assert.deepEqual(plugin.check?.(options), []);
  const context = outputContext(harness);
  const output = plugin.create(options, context);
  await output.open?.();
  const delivery = { signal: AbortSignal.timeout(60_000), attempt: 1 };
  return {
    output,
    context,
    deliver: (events, chunk) => output.deliver(chunkOf(output, events, chunk), delivery),
  };
}

/** Opens an output for the length of some work. */
async function withOutput(
  given: Given,
  work: (opened: Opened) => Promise<void>,
  harness: HarnessOptions = {},
): Promise<void> {
  const opened = await openOutput(given, harness);
  try {
    await work(opened);
  } finally {
    await opened.output.close?.();
  }
}

function assertRetry(outcome: DeliveryOutcome, reason: RegExp): void {
  assert.equal(outcome.kind, 'retry', JSON.stringify(outcome));
  assert.match(outcome.kind === 'retry' ? outcome.reason : '', reason);
}

const numbered = (from: number, to: number): TestEvent[] =>
  Array.from({ length: to - from }, (_, k) => ({ json: { n: from + k } }));

const limits = 'indexing_pressure.memory.limit: 1mb\nhttp.max_content_length: 2mb';

for (const name of ['elasticsearch8', 'elasticsearch9'] as const) {
  const verdict = await servers[name].canRun();
  const skip = verdict.ok ? false : `${name}: ${verdict.why}`;

  describe(name, { skip }, () => {
    let server: RunningServer;
    let port = 0;

    before(async () => {
      await servers[name].install(() => undefined);
      server = await servers[name].start({ extraSettings: limits });
      port = server.port;
    });
    after(() => server?.stop());

    test('the server is of the version that is tested against', async () => {
      const answer = JSON.parse((await ask(server, '/')).body) as { version: { number: string } };
      assert.equal(answer.version.number, servers[name].version);
    });

    test('one refused record of three is rejected with the reason, the others are stored', async () => {
      await withOutput({ port, index: 'mixed' }, async ({ deliver }) => {
        assert.deepEqual(await deliver([{ json: { n: 1 } }]), { kind: 'accepted' });
        const events = [{ json: { n: 2 } }, { json: { n: 'many' } }, { json: { n: 3 } }];
        const outcome = await deliver(events, { firstOffset: 10 });
        assert.equal(outcome.kind, 'partial');
        if (outcome.kind !== 'partial') return;
        assert.deepEqual(outcome.retry, []);
        const [rejected] = outcome.rejected;
        assert.deepEqual([rejected?.index, rejected?.status], [1, 400]);
        assert.match(rejected?.reason ?? '', /^document_parsing_exception: .*field \[n\]/);
        const hits = await documents(server, 'mixed', 'n');
        assert.deepEqual(
          hits.map((hit) => hit._source['n']),
          [1, 2, 3],
        );
      });
    });

    test('a chunk that is sent again leaves every document once', async () => {
      await withOutput({ port, index: 'once', compress: 'gzip' }, async ({ deliver, context }) => {
        const events = numbered(0, 500);
        for (let k = 0; k < 3; k++) assert.deepEqual(await deliver(events), { kind: 'accepted' });
        const more = [...events, ...numbered(500, 510)];
        assert.deepEqual(await deliver(more), { kind: 'accepted' });
        assert.equal((await documents(server, 'once')).length, 510);
        const counter = context.counters.get('sluice_elasticsearch_id_conflicts_total');
        assert.equal(counter?.value, 1500);
        // Beside a refusal too, although the results are then asked for by a second request.
        const refused = { json: { n: 'many' } };
        const outcome = await deliver([...numbered(0, 10), refused]);
        assert.equal(outcome.kind === 'partial' && outcome.rejected[0]?.index, 10);
        assert.equal(counter?.value, 1510);
      });
    });

    test('with index the later document stays, and without ids every try is a document', async () => {
      const index = 'replaced';
      const given: Given = { port, index, write_operation: 'index', id_key: 'id' };
      await withOutput(given, async ({ deliver }) => {
        for (const v of [1, 2]) await deliver([{ json: { id: 'a', v } }]);
      });
      const [hit, ...others] = await documents(server, index);
      assert.deepEqual([hit?._id, hit?._source['v'], others.length], ['a', 2, 0]);
      await withOutput({ port, index: 'unnamed', generate_id: false }, async ({ deliver }) => {
        for (let k = 0; k < 2; k++) {
          assert.deepEqual(await deliver(numbered(0, 3)), { kind: 'accepted' });
        }
      });
      assert.equal((await documents(server, 'unnamed')).length, 6);
    });

    test('update changes documents that are there, upsert makes the others, each refusal alone', async () => {
      const shared: Given = { port, index: 'changed', id_key: 'id', time_key: 'at' };
      const stored = async () =>
        (await documents(server, 'changed', 'id.keyword')).map(
          ({ _source: { at, ...rest } }) => rest,
        );
      await withOutput({ ...shared, write_operation: 'upsert' }, async ({ deliver }) => {
        const first = [{ json: { id: 'a', n: 1, o: { x: 1 } } }, { json: { id: 'b', n: 1 } }];
        assert.deepEqual(await deliver(first), { kind: 'accepted' });
        assert.deepEqual(await deliver(first), { kind: 'accepted' }, 'sent again');
        assert.deepEqual(await deliver([{ json: { id: 'a', o: { y: 2 } } }]), { kind: 'accepted' });
        const twice = [{ json: { id: 'b', n: 2 } }, { json: { id: 'b', m: 3 } }];
        assert.deepEqual(await deliver(twice), { kind: 'accepted' });
      });
      assert.deepEqual(await stored(), [
        { id: 'a', n: 1, o: { x: 1, y: 2 } },
        { id: 'b', n: 2, m: 3 },
      ]);
      await withOutput({ ...shared, write_operation: 'update' }, async ({ deliver, output }) => {
        const events = [
          { id: 'a', n: 'no number' },
          { id: 'none', n: 1 },
          { id: 'b', n: 4 },
          { n: 5 },
        ];
        const outcome = await deliver(events.map((json) => ({ json })));
        assert.ok(outcome.kind === 'partial', JSON.stringify(outcome));
        assert.deepEqual(outcome.retry, []);
        assert.deepEqual(
          outcome.rejected.map(({ index, status }) => [index, status]),
          [
            [0, 400],
            [1, 404],
            [3, 404],
          ],
        );
        assert.match(outcome.rejected[0]!.reason, /failed to parse field \[n\]/);
        assert.match(outcome.rejected[1]!.reason, /document missing/);
        const chunk = chunkOf(output, [{ json: { id: 'none', n: 1, at: 2 } }]);
        assert.equal(output.encoder.recordJson(chunk.recordAt(0)), '{"id":"none","n":1,"at":2}');
      });
      assert.deepEqual(await stored(), [
        { id: 'a', n: 1, o: { x: 1, y: 2 } },
        { id: 'b', n: 4, m: 3 },
      ]);
    });

    test('a data stream comes from its template, and keeps nanoseconds in their order', async (t) => {
      const directory = await mkdtemp(join(tmpdir(), 'sluice-es-'));
      t.after(() => rm(directory, { recursive: true }));
      const properties = { '@timestamp': { type: 'date_nanos' } };
      const template = {
        index_patterns: ['stream-*'],
        data_stream: {},
        template: { mappings: { properties } },
      };
      await writeFile(join(directory, 'template.json'), JSON.stringify(template));
      const given: Given = {
        port,
        data_stream: 'stream-%{app}',
        template_name: 'streams',
        template_file: 'template.json',
      };
      const events = [3, 1, 2].map((nanos) => ({ json: { app: 'Web', nanos }, nanos }));
      for (let k = 0; k < 2; k++) {
        await withOutput(
          given,
          async ({ deliver }) => assert.deepEqual(await deliver(events), { kind: 'accepted' }),
          { baseDirectory: directory },
        );
      }
      // As numbers they would be too large for JSON.parse.
      const format = 'strict_date_optional_time_nanos';
      const hits = await documents(server, 'stream-web', { '@timestamp': { format } });
      assert.deepEqual(
        hits.map((hit) => [hit._source['nanos'], hit.sort[0]]),
        [1, 2, 3].map((nanos) => [nanos, `2024-03-09T12:00:00.00000000${nanos}Z`]),
      );
      assert.match(hits[0]!._index, /^\.ds-stream-web-/);
    });

    test('a date mapping takes nine digits too, and finds by them', async () => {
      await withOutput({ port, index: 'dates' }, async ({ deliver }) => {
        const event = { json: { a: 1 }, nanos: 123_456_789 };
        assert.deepEqual(await deliver([event]), { kind: 'accepted' });
      });
      const [hit] = await documents(server, 'dates', '@timestamp');
      assert.equal(hit?._source['@timestamp'], '2024-03-09T12:00:00.123456789Z');
      assert.deepEqual(hit?.sort, [1_709_985_600_123]);
    });

    test('whatever records say, their indices stay below the prefix', async () => {
      await ask(server, '/secret/_doc/1', { kept: true }, 'PUT');
      const values = [
        '../secret',
        'a,secret',
        '*',
        'x"}}\n{"delete":{"_index":"secret","_id":"1"}}',
      ];
      values.push(
        '<now>',
        '',
        'Ü'.repeat(300),
        'a:b',
        '.',
        '..',
        'İ',
        '\u0000',
        '-',
        'remote:x',
        '\ud800',
      );
      const injected = '{"a":[\n{"delete":{"_index":"secret","_id":"1"}}\n]}';
      const events = [...values.map((app) => ({ json: { app } })), { json: injected }];
      await withOutput({ port, index: 'apps-%{app}' }, async ({ deliver }) => {
        assert.deepEqual(await deliver(events), { kind: 'accepted' });
      });
      const hits = await documents(server, 'apps-*');
      assert.equal(hits.length, events.length);
      const all = JSON.parse((await ask(server, '/_cat/indices?format=json&h=index')).body) as {
        index: string;
      }[];
      const known =
        /^(?:apps-|mixed$|changed$|once$|dates$|secret$|replaced$|unnamed$|\.ds-stream-|piped$)/;
      for (const { index } of all) assert.match(index, known);
      assert.equal((await documents(server, 'secret')).length, 1);
    });

    test('a pipeline that is missing holds records back, and one that is there takes them', async () => {
      await withOutput({ port, index: 'piped', pipeline: 'later' }, async ({ deliver, output }) => {
        assertRetry(await deliver(numbered(0, 2)), /pipeline with id \[later\] does not exist/);
        await assert.rejects(async () => output.probe?.(AbortSignal.timeout(30_000)), {
          code: 'SLUICE_OUTPUT_UNREACHABLE',
        });
        await ask(server, '/_ingest/pipeline/later', { processors: [] }, 'PUT');
        assert.deepEqual(await deliver(numbered(0, 2)), { kind: 'accepted' });
        await output.probe?.(AbortSignal.timeout(30_000));
      });
    });

    test('a node that is too busy for the body gets it again, halved where that can help', async () => {
      const m = 'x'.repeat(800_000);
      await withOutput({ port, index: 'busy' }, async ({ deliver }) => {
        const outcome = await deliver([{ json: { m } }, { json: { m } }]);
        assert.equal(outcome.kind, 'split', JSON.stringify(outcome));
        assertRetry(await deliver([{ json: { m: m + m } }]), /^429 es_rejected_execution_exc/);
      });
    });

    test('a body over the limit of HTTP is halved', async () => {
      await withOutput({ port, index: 'large' }, async ({ deliver }) => {
        const outcome = await deliver([{ json: { m: 'x'.repeat(3_000_000) } }]);
        assert.equal(outcome.kind, 'split', JSON.stringify(outcome));
      });
    });

    test('with one of two hosts down every chunk is delivered', async () => {
      const given = { hosts: ['127.0.0.1:1', `127.0.0.1:${port}`], index: 'once' };
      await withOutput(given, async ({ deliver }) => {
        for (let k = 0; k < 3; k++) {
          assert.deepEqual(await deliver(numbered(0, 3)), { kind: 'accepted' });
        }
      });
    });
  });
}

test('a server that nobody listens at is tried again', async () => {
  await withOutput({ port: 1 }, async ({ deliver, output }) => {
    assertRetry(await deliver(numbered(0, 1)), /127\.0\.0\.1:1: cannot connect/);
    await assert.rejects(async () => output.probe?.(AbortSignal.timeout(30_000)), {
      code: 'SLUICE_OUTPUT_UNREACHABLE',
    });
  });
});

const secured = servers.elasticsearch9;
const verdict = await secured.canRun();
const skip = verdict.ok ? false : `${secured.name}: ${verdict.why}`;

test('TLS is verified, and a password and an API key open the door', { skip }, async (t) => {
  await secured.install((line) => t.diagnostic(line));
  const server = await secured.start({ security: true, tls: true });
  t.after(() => server.stop());
  const { port, username, password, caPath } = server;
  const user: Given = {
    port,
    index: 'safe',
    http_user: username,
    http_passwd: new Secret(password!),
  };
  const trusted: HarnessOptions = { tls: { enabled: true, caFile: caPath } };

  await t.test('a user with a password', () =>
    withOutput(
      user,
      async ({ deliver, output }) => {
        assert.deepEqual(await deliver(numbered(0, 2)), { kind: 'accepted' });
        await output.probe?.(AbortSignal.timeout(30_000));
      },
      trusted,
    ),
  );

  await t.test('an API key that may create documents, and nothing elsewhere', async () => {
    const privileges = ['create_doc', 'auto_configure'];
    const role = { cluster: [], indices: [{ names: ['safe*'], privileges }] };
    const made = await ask(server, '/_security/api_key', {
      name: 'output',
      role_descriptors: { role },
    });
    const { encoded } = JSON.parse(made.body) as { encoded: string };
    const key: Given = { port, api_key: new Secret(encoded) };
    const work = async ({ deliver }: Opened): Promise<void> => {
      assert.deepEqual(await deliver(numbered(0, 2)), { kind: 'accepted' });
    };
    await withOutput({ ...key, index: 'safe-key' }, work, trusted);
    const closed = async ({ deliver }: Opened): Promise<void> =>
      assertRetry(await deliver(numbered(0, 2)), /^403 security_exception/);
    await withOutput({ ...key, index: 'elsewhere' }, closed, trusted);
  });

  await t.test('a wrong password is no reason to lose a record', () =>
    withOutput(
      { ...user, http_passwd: new Secret('wrong') },
      async ({ deliver, output }) => {
        assertRetry(await deliver(numbered(0, 2)), /^401 security_exception/);
        await assert.rejects(async () => output.probe?.(AbortSignal.timeout(30_000)));
      },
      trusted,
    ),
  );

  await t.test(
    'a certificate that is not trusted, or of another name, ends the connection',
    async () => {
      const refused = async ({ deliver }: Opened): Promise<void> =>
        assertRetry(await deliver(numbered(0, 2)), /TLS failed/);
      await withOutput(user, refused, { tls: { enabled: true } });
      await withOutput(user, refused, {
        tls: { enabled: true, caFile: caPath, vhost: 'other.example' },
      });
    },
  );

  await t.test('verification can be turned off, in whole or for the name alone', async () => {
    const accepted = async ({ deliver }: Opened): Promise<void> => {
      assert.deepEqual(await deliver(numbered(0, 2)), { kind: 'accepted' });
    };
    await withOutput(user, accepted, { tls: { enabled: true, verify: false } });
    await withOutput(user, accepted, {
      tls: { enabled: true, caFile: caPath, vhost: 'other.example', verifyHostname: false },
    });
  });

  await t.test('a proxy that tunnels is no obstacle, and is not trusted', async (inner) => {
    const { url, tunnels } = await tunnelProxy(inner);
    const work = async ({ deliver, output }: Opened): Promise<void> => {
      assert.deepEqual(await deliver(numbered(0, 2)), { kind: 'accepted' });
      await output.probe?.(AbortSignal.timeout(30_000));
    };
    await withOutput({ ...user, proxy: url }, work, trusted);
    assert.deepEqual(new Set(tunnels), new Set([`127.0.0.1:${port}`]));
    const refused = async ({ deliver }: Opened): Promise<void> =>
      assertRetry(await deliver(numbered(0, 2)), /TLS failed/);
    await withOutput({ ...user, proxy: url }, refused, { tls: { enabled: true } });
  });

  assert.equal((await documents(server, 'safe')).length, 2);
});

/** A proxy that knows CONNECT alone, and where it was asked to go. */
async function tunnelProxy(t: TestContext): Promise<{ url: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const sockets = new Set<Duplex>();
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const inner = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      inner.pipe(socket).pipe(inner);
    });
    for (const [one, other] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, tunnels };
}
