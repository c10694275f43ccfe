import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { startPipeline, waitUntil } from '../../core/testing/index.ts';
import { plugin as hostMetrics } from '../../plugins/inputs/host_metrics/index.ts';
import { plugin as exporter } from '../../plugins/outputs/prometheus_exporter/index.ts';
import { plugin } from '../../plugins/outputs/prometheus_remote_write/index.ts';
import { type RunningServer, servers } from '../servers/index.ts';
import { freePort } from '../servers/running_server.ts';
import { chunkOf, delivery, outputOf, type TestEvent } from '../unit/outputs/chunk_harness.ts';

// Prometheus takes what is written to it, and scrapes what is shown.

const verdict = await servers.prometheus.canRun();
const skip = verdict.ok ? false : `prometheus: ${verdict.why}`;
let server: RunningServer;
let shownPort = 0;

before(async () => {
  if (skip !== false) return;
  shownPort = await freePort();
  server = await servers.prometheus.start({ scrapes: [shownPort] });
});

after(async () => {
  if (skip === false) await server.stop();
});

interface Found {
  readonly metric: Record<string, string>;
  readonly values: readonly [seconds: number, text: string][];
}

async function query(selector: string): Promise<Found[]> {
  const url = new URL('/api/v1/query', server.url);
  url.searchParams.set('query', `${selector}[1h]`);
  const answer = await fetch(url);
  assert.equal(answer.status, 200, await answer.clone().text());
  // The shape of Prometheus' query API.
  const { data } = (await answer.json()) as { data: { result: Found[] } };
  return data.result;
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

function sample(name: string, value: unknown, seconds: number, labels = {}): TestEvent {
  return { root: { name, type: 'gauge', labels, value }, seconds, nanos: 250_000_000 };
}

async function write(t: TestContext, events: readonly TestEvent[], options = {}) {
  const { output } = outputOf(plugin, { port: server.port, ...options });
  await output.open?.();
  t.after(() => output.close?.());
  const { chunk } = chunkOf(output.encoder, events);
  return output.deliver(chunk, delivery());
}

test('what is written stands in Prometheus, to the label, value and millisecond', {
  skip,
}, async (t) => {
  const seconds = nowSeconds() - 60;
  const labels = { path: 'C:\\x "y"\n', city: 'Zürich 🏔' };
  const outcome = await write(
    t,
    [
      sample('sluice_written', 0.1, seconds, labels),
      sample('sluice_written', 1e300, seconds + 1, labels),
      sample('sluice_written', '-Inf', seconds + 2, labels),
      sample('sluice_other', 7, seconds),
    ],
    { add_label: ['instance web-1'] },
  );
  assert.deepEqual(outcome, { kind: 'accepted' });
  assert.deepEqual(await query('sluice_written'), [
    {
      metric: { __name__: 'sluice_written', instance: 'web-1', ...labels },
      values: [
        [seconds + 0.25, '0.1'],
        [seconds + 1.25, '1e+300'],
        [seconds + 2.25, '-Inf'],
      ],
    },
  ]);
});

test('a chunk that comes twice is stored once; older samples of a series are refused then', {
  skip,
}, async (t) => {
  const seconds = nowSeconds() - 60;
  const one = [sample('sluice_twice', 1, seconds)];
  assert.equal((await write(t, one)).kind, 'accepted');
  assert.equal((await write(t, one)).kind, 'accepted');
  const two = [sample('sluice_twice', 2, seconds + 1), sample('sluice_twice', 3, seconds + 2)];
  assert.equal((await write(t, two)).kind, 'accepted');
  const again = await write(t, two);
  assert.deepEqual(again.kind === 'partial' && again.rejected.map(({ index }) => index), [0]);
  assert.equal((await query('sluice_twice'))[0]?.values.length, 3);
});

test('samples that Prometheus refuses are named; their neighbours are stored', {
  skip,
}, async (t) => {
  const seconds = nowSeconds() - 60;
  await write(t, [sample('sluice_order', 5, seconds + 5)]);
  const outcome = await write(t, [
    sample('sluice_before', 1, seconds),
    sample('sluice_order', 4, seconds + 4),
    sample('sluice_behind', 2, seconds),
  ]);
  assert.equal(outcome.kind, 'partial');
  const rejected = outcome.kind === 'partial' ? outcome.rejected : [];
  assert.deepEqual(
    rejected.map(({ index, status }) => [index, status]),
    [[1, 400]],
  );
  assert.match(rejected[0]!.reason, /out of order/);
  assert.equal((await query('sluice_before')).length, 1);
  assert.equal((await query('sluice_behind')).length, 1);
});

test('probe finds the server', { skip }, async () => {
  const { output } = outputOf(plugin, { port: server.port });
  await output.open?.();
  await output.probe?.(new AbortController().signal);
  await output.close?.();
});

test('host metrics reach Prometheus by its own scrape and by remote write', {
  skip: skip !== false ? skip : process.platform === 'linux' ? false : 'reads a Linux host',
}, async () => {
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 200ms}
pipeline:
  inputs:
    - {name: host_metrics, tag: host, interval: 300ms, collectors: [load, memory, cpu]}
  outputs:
    - {name: prometheus_exporter, match: host, port: ${shownPort}}
    - {name: prometheus_remote_write, match: host, port: ${server.port}, add_label: [way written]}
`,
    plugins: [hostMetrics, exporter, plugin],
  });
  const memory = 'node_memory_MemTotal_bytes';
  try {
    await waitUntil('samples', async () => {
      const written = await query(`${memory}{way="written"}`);
      const scraped = await query(`${memory}{job="sluice"}`);
      return (written[0]?.values.length ?? 0) >= 3 && (scraped[0]?.values.length ?? 0) >= 3;
    });
    const [written] = await query(`${memory}{way="written"}`);
    const [scraped] = await query(`${memory}{job="sluice"}`);
    assert.equal(written?.values[0]?.[1], scraped?.values[0]?.[1]);
    // What Prometheus itself says of the page: it was read, with the types.
    const metadata = new URL('/api/v1/targets/metadata', server.url);
    metadata.searchParams.set('metric', 'node_cpu_seconds_total');
    const { data } = (await (await fetch(metadata)).json()) as { data: { type: string }[] };
    assert.equal(data[0]?.type, 'counter');
  } finally {
    await pipeline.stop();
  }
});
