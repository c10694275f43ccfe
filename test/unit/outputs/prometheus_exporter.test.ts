import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { plugin } from '../../../plugins/outputs/prometheus_exporter/index.ts';
import { ExporterOutput } from '../../../plugins/outputs/prometheus_exporter/exporter_output.ts';
import { parseExposition } from '../../../plugins/shared/metrics/exposition_parser.ts';
import { ManualClock } from '../collect/manual_clock.ts';
import { chunkOf, delivery, outputOf, problemsOf, type TestEvent } from './chunk_harness.ts';

interface Page {
  readonly status: number;
  readonly text: string;
}

interface Rig {
  readonly clock: ManualClock;
  deliver(events: readonly TestEvent[]): Promise<{ rejected: string[]; unencoded: string[] }>;
  get(path?: string, host?: string, method?: string): Promise<Page>;
  count(name: string): number;
}

async function rigOf(t: TestContext, options: Record<string, unknown> = {}): Promise<Rig> {
  const clock = new ManualClock();
  const { output, counters } = outputOf(plugin, { port: 0, ...options }, { clock });
  assert.ok(output instanceof ExporterOutput);
  await output.open();
  t.after(() => output.close());
  return {
    clock,
    async deliver(events) {
      const { chunk, rejected: unencoded } = chunkOf(output.encoder, events);
      const outcome =
        chunk.count === 0 ? { kind: 'accepted' as const } : await output.deliver(chunk);
      assert.ok(outcome.kind === 'accepted' || outcome.kind === 'partial');
      const rejected = outcome.kind === 'partial' ? outcome.rejected : [];
      return {
        rejected: rejected.map(({ reason }) => reason),
        unencoded: [...unencoded.values()],
      };
    },
    get: (path = '/metrics', host = 'localhost', method = 'GET') =>
      fetchPage(output.port, path, host, method),
    count: (name) => counters.get(name)?.value ?? 0,
  };
}

function fetchPage(port: number, path: string, host: string, method: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers: { host }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

const metric = (name: string, value: unknown, more: object = {}, seconds = 1): TestEvent => ({
  root: { name, type: 'gauge', labels: {}, value, ...more },
  seconds,
});

test('the page has each family once, with its type, in the order of names', async (t) => {
  const rig = await rigOf(t, { add_label: ['cluster north', 'b own'] });
  const cpu = (mode: string, value: number) =>
    metric('cpu_seconds_total', value, { type: 'counter', labels: { mode, b: 'mine' } });
  await rig.deliver([metric('z', 1.5), cpu('user', 3), metric('a', '+Inf'), cpu('idle', 1e300)]);
  assert.deepEqual(await rig.get(), {
    status: 200,
    text: `# TYPE a gauge
a{b="own",cluster="north"} +Inf
# TYPE cpu_seconds_total counter
cpu_seconds_total{b="mine",cluster="north",mode="idle"} 1e+300
cpu_seconds_total{b="mine",cluster="north",mode="user"} 3
# TYPE z gauge
z{b="own",cluster="north"} 1.5
`,
  });
});

test('a histogram’s samples share their family, buckets in their order', async (t) => {
  const rig = await rigOf(t);
  const sample = (name: string, value: number, labels = {}) =>
    metric(name, value, { type: 'histogram', labels });
  await rig.deliver([
    sample('t_seconds_bucket', 1, { le: '0.5' }),
    sample('t_seconds_bucket', 2, { le: '10' }),
    sample('t_seconds_bucket', 3, { le: '+Inf' }),
    sample('t_seconds_sum', 42),
    sample('t_seconds_count', 3),
  ]);
  assert.equal(
    (await rig.get()).text,
    `# TYPE t_seconds histogram
t_seconds_bucket{le="0.5"} 1
t_seconds_bucket{le="10"} 2
t_seconds_bucket{le="+Inf"} 3
t_seconds_sum 42
t_seconds_count 3
`,
  );
});

test('label values with quotes, backslashes and line ends come back as they were', async (t) => {
  const rig = await rigOf(t);
  const path = 'C:\\dir "x"\nnext';
  await rig.deliver([metric('m', 1, { labels: { path, empty: '' } })]);
  const { metrics } = parseExposition((await rig.get()).text, {
    isOpenMetrics: false,
    samplesMax: 10,
  });
  assert.deepEqual(metrics[0]?.labels, { path });
});

test('the newest record of a series is shown; an older one changes nothing', async (t) => {
  const rig = await rigOf(t, { add_timestamp: true });
  await rig.deliver([metric('m', 2, {}, 20)]);
  await rig.deliver([metric('m', 1, {}, 10)]);
  assert.match((await rig.get()).text, /^m 2 20000$/m);
  assert.equal(rig.count('sluice_prometheus_exporter_older_total'), 1);
});

test('a series without new records is no longer shown', async (t) => {
  const rig = await rigOf(t, { expire_after: '60s' });
  await rig.deliver([metric('old', 1), metric('kept', 1)]);
  await rig.clock.advance(50_000);
  await rig.deliver([metric('kept', 2)]);
  await rig.clock.advance(10_000);
  assert.equal((await rig.get()).text, '# TYPE kept gauge\nkept 2\n');
});

test('as many series are held as series_max; the next goes to the dead letters', async (t) => {
  const rig = await rigOf(t, { series_max: 2, expire_after: '60s' });
  const first = await rig.deliver([metric('a', 1), metric('b', 1)]);
  assert.deepEqual(first.rejected, []);
  const { rejected } = await rig.deliver([metric('c', 1), metric('a', 2)]);
  assert.match(rejected.join(), /There are 2 series already/);
  assert.match((await rig.get()).text, /^a 2$/m);
  assert.equal(rig.count('sluice_prometheus_exporter_series_refused_total'), 1);
  // What expired makes room.
  await rig.clock.advance(60_000);
  assert.deepEqual((await rig.deliver([metric('c', 1)])).rejected, []);
});

test('with series_limit_action drop, series too many are counted only', async (t) => {
  const rig = await rigOf(t, { series_max: 1, series_limit_action: 'drop' });
  assert.deepEqual((await rig.deliver([metric('a', 1), metric('b', 1)])).rejected, []);
  assert.equal(rig.count('sluice_prometheus_exporter_series_refused_total'), 1);
});

test('a metric that changes its type is refused', async (t) => {
  const rig = await rigOf(t);
  const { rejected } = await rig.deliver([metric('m', 1), metric('m', 2, { type: 'counter' })]);
  assert.match(rejected.join(), /shown with another type than counter/);
});

const wrong: readonly [name: string, root: object, reason: RegExp][] = [
  ['a log line', { log: 'hello' }, /it has no text "name"/],
  ['a name with a dot', { name: 'a.b', value: 1 }, /"a\.b" is no name of a metric/],
  ['no value', { name: 'a' }, /its value is missing/],
  ['a word for a value', { name: 'a', value: 'much' }, /its value is "much"/],
  ['an unknown type', { name: 'a', type: 'meter', value: 1 }, /its type is "meter"/],
  ['labels in a list', { name: 'a', value: 1, labels: ['x'] }, /its labels are no object/],
  ['a label with a dash', { name: 'a', value: 1, labels: { 'a-b': 'x' } }, /no name of a label/],
  ['a label that is an object', { name: 'a', value: 1, labels: { a: {} } }, /is no text/],
];

for (const [name, root, reason] of wrong) {
  test(`a record with ${name} goes to the dead letters, its neighbours stay`, async (t) => {
    const rig = await rigOf(t);
    const { unencoded } = await rig.deliver([metric('before', 1), { root }, metric('behind', 2)]);
    assert.match(unencoded.join(), reason);
    assert.match((await rig.get()).text, /^before 1$[\s\S]*^behind 2$/m);
  });
}

test('a record needs neither type nor labels', async (t) => {
  const rig = await rigOf(t);
  await rig.deliver([{ root: { name: 'a', value: 1, host: 'x' } }]);
  assert.equal((await rig.get()).text, '# TYPE a untyped\na 1\n');
});

const requests: readonly [what: string, args: [string?, string?, string?], status: number][] = [
  ['a name of another machine in Host', ['/metrics', 'evil.example'], 421],
  ['loopback with a port in Host', ['/metrics', '127.0.0.1:2021'], 200],
  ['IPv6 loopback in Host', ['/metrics', '[::1]:2021'], 200],
  ['a name that is allowed', ['/metrics', 'Metrics.example:80'], 200],
  ['another path', ['/'], 404],
  ['a query', ['/metrics?x=1'], 200],
  ['POST', ['/metrics', 'localhost', 'POST'], 405],
];

for (const [what, args, status] of requests) {
  test(`a request with ${what} is answered with ${status}`, async (t) => {
    const rig = await rigOf(t, { allowed_hosts: ['metrics.example'] });
    assert.equal((await rig.get(...args)).status, status);
  });
}

test('a port that is taken is said so', async (t) => {
  const { output } = outputOf(plugin, { port: 0 });
  assert.ok(output instanceof ExporterOutput);
  await output.open();
  t.after(() => output.close());
  const second = outputOf(plugin, { port: output.port });
  await assert.rejects(
    second.output.open?.() ?? Promise.resolve(),
    /cannot listen on 127\.0\.0\.1/,
  );
  await second.output.close?.();
});

test('a label that no metric can have is an error of the file', () => {
  const problems = problemsOf(plugin, { add_label: ['good x', 'not-good x'] });
  assert.deepEqual(
    problems.map(({ path }) => path),
    [['add_label', '1']],
  );
});

test('an aborted delivery takes no time', async (t) => {
  const { output } = outputOf(plugin, { port: 0 });
  await output.open?.();
  t.after(() => output.close?.());
  const { chunk } = chunkOf(output.encoder, [metric('a', 1)]);
  const outcome = await output.deliver(chunk, delivery(AbortSignal.abort()));
  assert.equal(outcome.kind, 'accepted');
});
