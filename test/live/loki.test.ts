import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { startPipeline } from '../../core/testing/start_pipeline.ts';
import { waitUntil } from '../../core/testing/wait_until.ts';
import { plugin as dummy } from '../../plugins/inputs/dummy/index.ts';
import { plugin } from '../../plugins/outputs/loki/index.ts';
import { type RunningServer, servers } from '../servers/index.ts';
import {
  chunkOf,
  delivery,
  outputOf,
  restored,
  type TestEvent,
  type TestOutput,
} from '../unit/outputs/chunk_harness.ts';

const verdict = await servers.loki.canRun();
const skip = verdict.ok ? false : `loki: ${verdict.why}`;
let server: RunningServer;
/** Refuses old entries and long lines, and takes little at a time. */
let strict: RunningServer;
const now = Math.floor(Date.now() / 1000);

before(async () => {
  if (skip !== false) return;
  const limits = {
    reject_old_samples: true,
    reject_old_samples_max_age: '1h',
    max_line_size: 1000,
    ingestion_rate_mb: 0.001,
    ingestion_burst_size_mb: 0.02,
  };
  server = await servers.loki.start({ auth: true });
  strict = await servers.loki.start({ auth: true, limits });
});

after(async () => {
  if (skip !== false) return;
  await server.stop();
  await strict.stop();
});

function open(
  t: TestContext,
  options: Readonly<Record<string, unknown>>,
  to: RunningServer = server,
): TestOutput {
  const made = outputOf(plugin, { port: to.port, tenant_id: 'one', ...options });
  t.after(() => made.output.close?.());
  return made;
}

interface Found {
  readonly ns: string;
  readonly line: string;
  readonly labels: Record<string, string>;
  readonly metadata: Record<string, string>;
}

/** Entries of the last hours, oldest first. */
async function search(query: string, tenant = 'one', to: RunningServer = server): Promise<Found[]> {
  const url = new URL('/loki/api/v1/query_range', to.url);
  url.searchParams.set('query', query);
  url.searchParams.set('start', `${now - 6 * 3600}`);
  url.searchParams.set('end', `${now + 3600}`);
  url.searchParams.set('limit', '50000');
  const answer = await fetch(url, {
    headers: {
      'x-scope-orgid': tenant,
      // Keeps structured metadata apart from the labels.
      'x-loki-response-encoding-flags': 'categorize-labels',
    },
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  // The shape of Loki's query API.
  const { data } = (await answer.json()) as {
    data: {
      result: {
        stream: Record<string, string>;
        values: [string, string, { structuredMetadata?: Record<string, string> }?][];
      }[];
    };
  };
  return data.result
    .flatMap(({ stream, values }) =>
      values.map(([ns, line, more]) => ({
        ns,
        line,
        labels: without(stream, 'service_name'),
        metadata: without(more?.structuredMetadata ?? {}, 'detected_level'),
      })),
    )
    .sort((a, b) => (BigInt(a.ns) < BigInt(b.ns) ? -1 : 1));
}

function without(map: Record<string, string>, key: string): Record<string, string> {
  const { [key]: _added, ...rest } = map;
  return rest;
}

for (const format of ['protobuf', 'json']) {
  for (const compress of format === 'json' ? [undefined, 'gzip'] : [undefined]) {
    const way = `${format}${compress === undefined ? '' : ` with ${compress}`}`;
    test(`records sent as ${way} are found again, equal`, { skip }, async (t) => {
      const job = way.replaceAll(' ', '_');
      const made = open(t, {
        format,
        compress,
        labels: [`job=${job}`, '$level', "pod=$k8s['pod']", 'where=x-$level-y'],
        structured_metadata: ['trace=$trace_id', 'fixed=äöü"'],
        structured_metadata_map_keys: ['$k8s'],
      });
      const k8s = { pod: 'p"1\\\n', 'node-name': 'n1', cpu: 1.5 };
      const events: TestEvent[] = [
        {
          root: { level: 'warn', text: '語 \u0000 "quoted" \n é', trace_id: 'abc', k8s },
          nanos: 1,
        },
        { root: '{"level":"info", "n":12345678901234567890}', nanos: 123_456_789 },
        { fields: { level: 'warn', text: 'over' }, nanos: 999_999_999 },
        { root: { text: '😀', level: null, trace_id: 7 }, nanos: 999_999_999 },
        { root: { text: 'torn', level: 'x\ufffd' }, nanos: 5 },
      ].map((event, i) => ({ ...event, seconds: now - 10 + i }));
      const { chunk, rejected } = chunkOf(made.output.encoder, events);
      assert.equal(rejected.size, 0);
      assert.deepEqual(await made.output.deliver(chunk, delivery()), { kind: 'accepted' });
      assert.deepEqual(await made.output.deliver(restored(chunk), delivery()), {
        kind: 'accepted',
      });
      const found = await search(`{job="${job}"}`);
      const fixed = 'äöü"';
      assert.deepEqual(found, [
        {
          ns: `${now - 10}000000001`,
          line: JSON.stringify(events[0]!.root),
          labels: { job, level: 'warn', pod: k8s.pod, where: 'x-warn-y' },
          // Loki's own name for metadata that is called like a label.
          metadata: { trace: 'abc', fixed, pod_extracted: k8s.pod, node_name: 'n1', cpu: '1.5' },
        },
        {
          ns: `${now - 9}123456789`,
          line: events[1]!.root,
          labels: { job, level: 'info', where: 'x-info-y' },
          metadata: { fixed },
        },
        {
          ns: `${now - 8}999999999`,
          line: '{"level":"warn","text":"over"}',
          labels: { job, level: 'warn', where: 'x-warn-y' },
          metadata: { fixed },
        },
        {
          ns: `${now - 7}999999999`,
          line: JSON.stringify(events[3]!.root),
          labels: { job },
          metadata: { trace: '7', fixed },
        },
        {
          ns: `${now - 6}000000005`,
          line: JSON.stringify(events[4]!.root),
          labels: { job, level: 'x?', where: 'x-x?-y' },
          metadata: { fixed },
        },
      ]);
    });
  }
}

test('every tenant gets its records, and those that no tenant could be are refused', {
  skip,
}, async (t) => {
  const { output } = open(t, { tenant_id_key: 'tenant', labels: ['job=tenants'] });
  const tenants = ['one', 'two', undefined, 'two', 'a|b', '../x'];
  const events = tenants.map((tenant, n) => ({ root: { tenant, n }, seconds: now - 10 + n }));
  const { chunk, rejected } = chunkOf(output.encoder, events);
  assert.deepEqual([...rejected.keys()], [4, 5]);
  assert.match(rejected.get(4)!, /takes no tenant "a\|b", from tenant/);
  assert.deepEqual(await output.deliver(chunk, delivery()), { kind: 'accepted' });
  const lines = async (tenant: string): Promise<number[]> =>
    (await search('{job="tenants"}', tenant)).map(({ line }) => JSON.parse(line).n);
  assert.deepEqual(await lines('one'), [0, 2]);
  assert.deepEqual(await lines('two'), [1, 3]);
});

test('entries too far behind or in the future are refused alone', { skip }, async (t) => {
  const { output } = open(t, { labels: ['job=behind', '$app'] });
  await output.deliver(
    chunkOf(output.encoder, [{ root: { app: 'a', n: 'first' }, seconds: now, nanos: 7 }]).chunk,
    delivery(),
  );
  const bad = new Map([
    [0, now - 3 * 3600],
    [13, now - 4 * 3600],
    [14, now - 5 * 3600],
    [300, now + 3 * 3600],
    [499, now - 3 * 3600 - 1],
  ]);
  const events = Array.from({ length: 500 }, (_, n) => ({
    root: { app: bad.has(n) ? 'a' : 'ab'[n % 2], n },
    seconds: bad.get(n) ?? now - 600 + n,
    nanos: n,
  }));
  const { chunk } = chunkOf(output.encoder, events);
  const outcome = await output.deliver(chunk, delivery());
  assert.ok(outcome.kind === 'partial');
  assert.deepEqual(outcome.retry, []);
  const refused = outcome.rejected
    .map(({ index, reason }) => ({ n: chunk.originAt(index).offset, reason }))
    .sort((a, b) => a.n - b.n);
  assert.deepEqual(
    refused.map(({ n }) => n),
    [...bad.keys()],
  );
  for (const { n, reason } of refused) {
    assert.match(reason, n === 300 ? /timestamp too new.*HTTP 400/ : /entry too far behind/);
  }
  const found = (await search('{job="behind"}')).map(({ line }) => JSON.parse(line).n);
  const good = events.flatMap(({ root }) => (bad.has(root.n) ? [] : [root.n]));
  assert.deepEqual(
    found.filter((n) => n !== 'first').sort((a, b) => a - b),
    good,
  );
});

test('a stream that Loki takes no more of is known, whatever other streams are pushed', {
  skip,
}, async (t) => {
  const limited = await servers.loki.start({ limits: { max_global_streams_per_user: 2 } });
  t.after(() => limited.stop());
  const { output } = open(t, { labels: ['job=streams', '$app'], tenant_id: undefined }, limited);
  const send = (apps: string) =>
    output.deliver(
      chunkOf(
        output.encoder,
        [...apps].map((app, n) => ({ root: { app, n }, seconds: now, nanos: n })),
      ).chunk,
      delivery(),
    );
  assert.deepEqual(await send('ab'), { kind: 'accepted' });
  const outcome = await send('cab');
  assert.ok(outcome.kind === 'partial' || outcome.kind === 'retry');
  assert.match(outcome.reason, /maximum active stream limit exceeded/);
  if (outcome.kind === 'partial') assert.ok(outcome.retry.includes(0));
});

test('entries that are too old or too long are refused alone', { skip }, async (t) => {
  const { output } = open(t, { labels: ['job=old'] }, strict);
  const events = [
    { root: { n: 0 }, seconds: now },
    { root: { n: 1 }, seconds: now - 2 * 3600 },
    { root: { n: 2, text: 'x'.repeat(1000) }, seconds: now },
    { root: { n: 3 }, seconds: now - 1 },
  ];
  const { chunk } = chunkOf(output.encoder, events);
  const outcome = await output.deliver(chunk, delivery());
  assert.ok(outcome.kind === 'partial');
  const reasons = outcome.rejected.map(({ index, reason }) => [index, reason] as const);
  assert.deepEqual(
    reasons.map(([index]) => index),
    [1, 2],
  );
  assert.match(reasons[0]![1], /timestamp too old/);
  assert.match(reasons[1]![1], /max entry size/i);
  const found = await search('{job="old"}', 'one', strict);
  assert.deepEqual(
    found.map(({ line }) => JSON.parse(line).n),
    [3, 0],
  );
});

test('a push above the rate is tried again later, and at last in halves', { skip }, async (t) => {
  const { output } = open(t, { labels: ['job=rate'], tenant_id: 'busy' }, strict);
  const text = 'x'.repeat(800);
  const events = Array.from({ length: 500 }, (_, n) => ({ root: { n, text }, seconds: now }));
  const { chunk } = chunkOf(output.encoder, events);
  const outcome = await output.deliver(chunk, delivery());
  assert.ok(outcome.kind === 'retry');
  assert.equal(outcome.status, 429);
  assert.match(outcome.reason, /ingestion rate limit exceeded for user busy/);
  const late = await output.deliver(chunk, { ...delivery(), attempt: 4 });
  assert.equal(late.kind, 'split');
});

test('a missing tenant and a wrong path are tried again with their reason', { skip }, async (t) => {
  for (const [options, status] of [
    [{ tenant_id: undefined, tenant_id_key: 'none' }, 401],
    [{ uri: '/nowhere' }, 404],
  ] as const) {
    const { output } = open(t, options);
    const { chunk } = chunkOf(output.encoder, [{ root: { n: 1 }, seconds: now }]);
    const outcome = await output.deliver(chunk, delivery());
    assert.ok(outcome.kind === 'retry');
    assert.equal(outcome.status, status);
    await assert.rejects(output.probe!(new AbortController().signal), /Loki says/);
  }
});

test('a probe passes without sending a record', { skip }, async (t) => {
  for (const format of ['protobuf', 'json']) {
    await open(t, { format }).output.probe!(new AbortController().signal);
  }
});

test('labels beyond the limit become structured metadata', { skip }, async (t) => {
  const made = open(t, { labels: ['job=limit', '$user'], label_sets_max: 3 });
  const events = Array.from({ length: 10 }, (_, n) => ({
    root: { user: `u${n % 5}` },
    seconds: now - 10 + n,
  }));
  const { chunk } = chunkOf(made.output.encoder, events);
  assert.deepEqual(await made.output.deliver(chunk, delivery()), { kind: 'accepted' });
  const found = await search('{job="limit"}');
  assert.deepEqual(
    found.map(({ labels, metadata }) => labels['user'] ?? `(${metadata['user']})`),
    ['u0', 'u1', 'u2', '(u3)', '(u4)', 'u0', 'u1', 'u2', '(u3)', '(u4)'],
  );
  assert.equal(made.counters.get('sluice_loki_label_sets_limited_total')?.value, 4);
  assert.equal(made.log.length, 1);
});

test('a server that is down or frozen means another try', { skip }, async (t) => {
  const { output } = open(t, { labels: ['job=down'], 'http.response_timeout': '300ms' });
  const { chunk } = chunkOf(output.encoder, [{ root: { n: 1 }, seconds: now }]);
  server.pause();
  const frozen = await output.deliver(chunk, delivery());
  assert.ok(frozen.kind === 'retry');
  assert.match(frozen.reason, /no answer in time/);
  server.resume();
  await server.kill();
  const down = await output.deliver(chunk, delivery());
  assert.ok(down.kind === 'retry');
  assert.match(down.reason, /cannot connect|closed before/);
  await server.restart();
  const patient = open(t, { labels: ['job=down'] }).output;
  assert.deepEqual(await patient.deliver(chunk, delivery()), { kind: 'accepted' });
  assert.equal((await search('{job="down"}')).length, 1);
});

test('the example of the plugin runs as it stands', { skip }, async (t) => {
  const address = `port: ${server.port}\n      tenant_id: example`;
  const yaml = plugin.example.replace('host: 127.0.0.1', address);
  const pipeline = await startPipeline({ yaml, plugins: [dummy, plugin] });
  t.after(() => pipeline.stop());
  // Equal lines of one nanosecond are one to Loki.
  await waitUntil('a record', async () => {
    const found = await search('{job="demo", level="info"}', 'example');
    return found.length > 0 && found.every(({ metadata }) => metadata['trace_id'] === '7b1f');
  });
});
