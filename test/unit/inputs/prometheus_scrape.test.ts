import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { waitUntil } from '../../../core/testing/index.ts';
import { plugin } from '../../../plugins/inputs/prometheus_scrape/index.ts';
import { type InputRig, inputRig } from './metric_rig.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serverOf(t: TestContext, answer: Answer): Promise<number> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const text = 'text/plain; version=0.0.4';
const page =
  (body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': text, ...headers }).end(body);
  };

async function started(
  t: TestContext,
  port: number,
  options: Record<string, unknown> = {},
): Promise<InputRig> {
  const rig = inputRig(plugin, {
    targets: [`127.0.0.1:${port}`],
    scrape_interval: '1h',
    ...options,
  });
  await rig.start();
  t.after(() => rig.stop());
  return rig;
}

const named = (rig: InputRig, name: string) =>
  rig.emitter.seen.filter(({ record }) => record['name'] === name);
const upOf = (rig: InputRig) => named(rig, 'up').map(({ record }) => record['value']);

async function scrapedOnce(
  t: TestContext,
  answer: Answer,
  options: Record<string, unknown> = {},
): Promise<InputRig> {
  const rig = await started(t, await serverOf(t, answer), options);
  await waitUntil('a scrape', () => named(rig, 'scrape_samples_scraped').length > 0);
  return rig;
}

test('samples become records with job and instance; those of the target are kept', async (t) => {
  const body = '# TYPE a counter\na{job="own",instance="i",x="1"} 5 1700000000250\na{x="2"} 6\n';
  const port = await serverOf(t, page(body));
  const rig = await started(t, port, { job: 'web', labels: { cluster: 'north' } });
  await waitUntil('a scrape', () => rig.emitter.seen.length >= 5);
  const own = { cluster: 'north', job: 'web', instance: `127.0.0.1:${port}` };
  const [first, second] = named(rig, 'a');
  assert.deepEqual(first!.record, {
    name: 'a',
    type: 'counter',
    labels: { ...own, exported_job: 'own', exported_instance: 'i', x: '1' },
    value: 5,
  });
  assert.deepEqual([first!.seconds, first!.nanos], [1_700_000_000, 250_000_000]);
  assert.ok(second!.seconds > 1_700_000_000);
  assert.deepEqual(upOf(rig), [1]);
  assert.equal(named(rig, 'scrape_samples_scraped')[0]!.record['value'], 2);
  assert.deepEqual(named(rig, 'up')[0]!.record['labels'], own);
});

test('with honor_labels the target’s labels win; without honor_timestamps its times do not', async (t) => {
  const rig = await scrapedOnce(t, page('a{job="own"} 5 1000\n'), {
    honor_labels: true,
    honor_timestamps: false,
  });
  const [found] = named(rig, 'a');
  assert.equal((found!.record['labels'] as Record<string, string>)['job'], 'own');
  assert.ok(found!.seconds > 1_700_000_000);
});

test('credentials, path and query are sent', async (t) => {
  const seen: (string | undefined)[] = [];
  const port = await serverOf(t, (request, response) => {
    seen.push(request.url, request.headers.authorization);
    page('a 1\n')(request, response);
  });
  const rig = await started(t, port, {
    targets: [`http://127.0.0.1:${port}/probe?target=x`],
    bearer_token: 'secret',
  });
  await waitUntil('a scrape', () => upOf(rig).length === 1);
  assert.deepEqual(seen, ['/probe?target=x', 'Bearer secret']);
});

test('a compressed page is read', async (t) => {
  const rig = await scrapedOnce(t, page(gzipSync('a 1\n'), { 'content-encoding': 'gzip' }));
  assert.equal(named(rig, 'a').length, 1);
});

const failures: readonly {
  name: string;
  answer: Answer;
  options?: Record<string, unknown>;
  log: RegExp;
}[] = [
  {
    name: 'another status',
    answer: (_request, response) => void response.writeHead(503).end('starting'),
    log: /status 503: starting/,
  },
  {
    name: 'a page that is too large',
    answer: page('a 1\n'.repeat(100)),
    options: { body_bytes_max: 399 },
    log: /more than 399 bytes/,
  },
  {
    name: 'a page that is too large without its compression',
    answer: page(gzipSync('a 1\n'.repeat(1000)), { 'content-encoding': 'gzip' }),
    options: { body_bytes_max: 3999 },
    log: /more than 3999 bytes/,
  },
  {
    name: 'too many samples',
    answer: page('a 1\nb 2\nc 3\n'),
    options: { samples_max: 2 },
    log: /more than 2 samples/,
  },
  {
    name: 'broken gzip',
    answer: page('a 1\n', { 'content-encoding': 'gzip' }),
    log: /gzip is broken/,
  },
  {
    name: 'a page of something else',
    answer: page('<html>\n<body>\n'),
    log: /no metrics: line 1/,
  },
  {
    name: 'a connection that ends in the middle',
    answer: (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('a 1\n', () => response.destroy());
    },
    log: /closed before the answer/,
  },
];

for (const { name, answer, options = {}, log } of failures) {
  test(`${name} is up 0, without samples, and said`, async (t) => {
    const rig = await scrapedOnce(t, answer, options);
    assert.deepEqual(upOf(rig), [0]);
    assert.equal(named(rig, 'a').length, 0);
    assert.match(rig.log.join('\n'), log);
  });
}

test('nobody there is up 0', async (t) => {
  const rig = await started(t, 1);
  await waitUntil('a scrape', () => upOf(rig).length === 1);
  assert.deepEqual(upOf(rig), [0]);
});

test('a target that never answers is up 0 at the deadline, and holds up no other', async (t) => {
  const silent = await serverOf(t, () => undefined);
  const good = await serverOf(t, page('a 1\n'));
  const rig = await started(t, good, {
    targets: [`127.0.0.1:${silent}`, `127.0.0.1:${good}`],
    scrape_timeout: '200ms',
  });
  await waitUntil('both', () => upOf(rig).length === 2);
  assert.deepEqual(upOf(rig), [1, 0]);
  const collector = `127.0.0.1:${silent}`;
  assert.equal(rig.count('sluice_collector_timeout_total', { collector }), 1);
});

test('targets that hang in the normal lane leave those of high priority on time', async (t) => {
  const silent = await serverOf(t, () => undefined);
  const good = await serverOf(t, page('a 1\n'));
  const rig = await started(t, good, {
    targets: ['/a', '/b', '/c'].map((path) => `http://127.0.0.1:${silent}${path}`),
    high_targets: [`127.0.0.1:${good}`],
    scrape_interval: '100ms',
    normal_workers: 1,
    normal_queue: 1,
  });
  await waitUntil('three scrapes', () => upOf(rig).length >= 3);
  assert.deepEqual(upOf(rig).slice(0, 3), [1, 1, 1]);
  const labels = { collector: `127.0.0.1:${silent}`, reason: 'queue_full' };
  await waitUntil('a full queue', () => rig.count('sluice_collector_skipped_total', labels) > 0);
});

test('a scrape may take what its lane allows, and says so', async (t) => {
  const asked: (string | undefined)[] = [];
  const port = await serverOf(t, (request, response) => {
    asked.push(String(request.headers['x-prometheus-scrape-timeout-seconds']));
    page('a 1\n')(request, response);
  });
  for (const options of [{}, { priority: 'high' }, { scrape_timeout: '5s' }]) {
    const rig = await started(t, port, options);
    await waitUntil('a scrape', () => upOf(rig).length === 1);
  }
  assert.deepEqual(asked, ['60', '30', '5']);
});

test('a failed scrape does not repeat the values of the one before', async (t) => {
  let requests = 0;
  const port = await serverOf(t, (request, response) => {
    if (++requests === 1) page('a 1\n')(request, response);
    else response.writeHead(500).end();
  });
  const rig = await started(t, port, { scrape_interval: '100ms' });
  await waitUntil('three scrapes', () => upOf(rig).length >= 3);
  assert.deepEqual(upOf(rig).slice(0, 3), [1, 0, 0]);
  assert.equal(named(rig, 'a').length, 1);
});

test('lines that are no samples are counted and named; the others are taken', async (t) => {
  const rig = await scrapedOnce(t, page('a 1\nb two\nc 3\n'));
  assert.deepEqual(upOf(rig), [1]);
  assert.equal(named(rig, 'c').length, 1);
  assert.equal(rig.count('sluice_scrape_invalid_lines_total'), 1);
  assert.match(rig.log.join(), /line 2: its value is no number/);
});

test('a target that is no address is an error of the file', () => {
  const options = { targets: ['good:9100', 'ftp://x', ''], high_targets: [], port: 9100 };
  // What check reads.
  const problems = plugin.check?.(options as never) ?? [];
  assert.deepEqual(
    problems.map(({ path }) => path),
    [
      ['targets', '1'],
      ['targets', '2'],
    ],
  );
});
