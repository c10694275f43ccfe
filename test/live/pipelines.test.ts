import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { waitUntil } from '../../core/testing/index.ts';
import { projectRoot } from '../../scripts/project_root.ts';
import { program } from '../cli/run_cli.ts';
import { ended } from '../crash/kill_rig.ts';
import { claimServer } from '../servers/claimed_server.ts';
import { type RunningServer, servers } from '../servers/index.ts';
import { hostTree } from '../unit/inputs/host_fixture.ts';

// Each shipped pipeline as a user runs it, with the case that lies beside it: the files go into a
// directory that the pipeline watches, and the server is asked for what came of them.

type Row = Readonly<Record<string, unknown>>;

const skipElasticsearch = await skipReason('elasticsearch9');
const skipClickHouse = await skipReason('clickhouse');
const skipLoki = await skipReason('loki');
const deadlineMs = 60_000;
const claimed = {
  elasticsearch: claimServer('elasticsearch9'),
  clickhouse: claimServer('clickhouse'),
  loki: claimServer('loki'),
};
let elasticsearch: RunningServer;
let clickhouse: RunningServer;
let loki: RunningServer;

before(async () => {
  if (skipElasticsearch === false) elasticsearch = await claimed.elasticsearch.started();
  if (skipClickHouse === false) clickhouse = await claimed.clickhouse.started();
  if (skipLoki === false) loki = await claimed.loki.started();
});

after(async () => {
  for (const one of Object.values(claimed)) await one.release();
});

test('nginx-to-elasticsearch: the documents equal the records, in one index a day', {
  skip: skipElasticsearch,
}, async (t) => {
  const run = await runShipped(t, 'nginx-to-elasticsearch', {
    files: ['input.log'],
    env: (directory) => ({ ...elasticsearchEnv(), NGINX_LOG: join(directory, 'input.log') }),
  });
  const expected = await expectedRows('nginx-to-elasticsearch', 'search');
  await waitUntil('documents', async () => (await documents('nginx-*')).length >= 3, deadlineMs);
  await run.stopped(3);
  const found = await documents('nginx-*');
  assertSameRows(found, expected);
  const dated = found.filter(({ index }) => index === 'nginx-2026.11.21');
  assert.ok(dated.length >= 2, `indices: ${found.map(({ index }) => index)}`);
});

test('elk-with-alert-index: errors go to the alerts, the rest to the daily index', {
  skip: skipElasticsearch,
}, async (t) => {
  const run = await runShipped(t, 'elk-with-alert-index', {
    files: ['input.log'],
    env: (directory) => ({ ...elasticsearchEnv(), APP_LOG: join(directory, '*.log') }),
  });
  const count = async () =>
    (await documents('alerts')).length + (await documents('logs-2*')).length;
  await waitUntil('documents', async () => (await count()) >= 5, deadlineMs);
  await run.stopped(5);
  assertSameRows(await documents('alerts'), await expectedRows('elk-with-alert-index', 'alerts'));
  assertSameRows(await documents('logs-2*'), await expectedRows('elk-with-alert-index', 'logs'));
});

test('json-logs-to-clickhouse: the rows have the declared columns and the time to the nanosecond', {
  skip: skipClickHouse,
}, async (t) => {
  const run = await runShipped(t, 'json-logs-to-clickhouse', {
    files: ['input.json'],
    env: (directory) => ({
      APP_LOG: join(directory, '*.json'),
      CLICKHOUSE_HOST: '127.0.0.1',
      CLICKHOUSE_PORT: `${clickhouse.port}`,
      CLICKHOUSE_USER: clickhouse.username!,
      CLICKHOUSE_PASSWORD: clickhouse.password!,
    }),
  });
  await waitUntil('rows', async () => (await tableRows()).length >= 2, deadlineMs);
  await run.stopped(2);
  const expected = await expectedRows('json-logs-to-clickhouse', 'events');
  assert.deepEqual(
    await tableRows(),
    expected.map((row) => ({
      ns: nanosOf(row['@timestamp']),
      level: row['level'],
      service: row['service'],
      message: row['message'],
      environment: row['environment'],
      duration_ms: row['duration_ms'] ?? null,
    })),
  );
});

test('containers-to-loki: the entries have their labels, their pod and their nanosecond', {
  skip: skipLoki,
}, async (t) => {
  // Loki takes no entries of other years: the day of the case becomes the last hour.
  const recent = new Date(Date.now() - 3_600_000).toISOString().slice(0, 19);
  const today = (text: string) => text.replaceAll('2026-11-21T10:00:00', recent);
  const run = await runShipped(t, 'containers-to-loki', {
    files: ['web-5d9c_shop_nginx-0a1b2c3d4e5f.log'],
    edit: today,
    env: (directory) => ({
      CONTAINER_LOGS: join(directory, '*.log'),
      LOKI_HOST: '127.0.0.1',
      LOKI_PORT: `${loki.port}`,
    }),
  });
  await waitUntil('entries', async () => (await entries()).length >= 3, deadlineMs);
  await run.stopped(3);
  const expected = (await expectedRows('containers-to-loki', 'loki', today)).map((row) => ({
    ns: nanosOf(row['@timestamp']),
    labels: {
      job: 'containers',
      namespace: row['namespace'],
      container: row['container'],
      stream: row['stream'],
    },
    metadata: { pod: row['pod'] },
    text: row['log'],
  }));
  assert.deepEqual(
    await entries(),
    expected.sort((a, b) => (a.ns < b.ns ? -1 : 1)),
  );
});

test('linux-host: each metric of a reading is a row, with its labels, its host and its time', {
  skip: skipClickHouse,
}, async (t) => {
  const tree = await hostTree();
  t.after(() => tree.remove());
  const run = await runShipped(t, 'linux-host', {
    files: [],
    says: 'The agent started',
    env: () => ({
      INTERVAL: '1h',
      HOST_PROC: tree.options.proc_path,
      HOST_SYS: tree.options.sys_path,
      CLICKHOUSE_HOST: '127.0.0.1',
      CLICKHOUSE_PORT: `${clickhouse.port}`,
      CLICKHOUSE_USER: clickhouse.username!,
      CLICKHOUSE_PASSWORD: clickhouse.password!,
    }),
  });
  const ends = () => metricRows("name = 'node_scrape_collector_success'");
  await waitUntil('all collectors', async () => (await ends()).length === 12, deadlineMs);
  const rows = await metricRows('true');
  await run.stopped(rows.length);
  assert.ok((await ends()).every(({ value }) => value === 1));
  const find = (name: string, mode?: string) =>
    rows.filter((row) => row.name === name && (mode === undefined || row.labels['mode'] === mode));
  assert.deepEqual(
    find('node_cpu_seconds_total', 'user').map(({ labels, value, type, unit }) => [
      labels,
      value,
      type,
      unit,
    ]),
    [
      [{ cpu: '0', mode: 'user' }, 2, 'counter', 'seconds'],
      [{ cpu: '1', mode: 'user' }, 1, 'counter', 'seconds'],
    ],
  );
  const [load] = find('node_load1');
  assert.deepEqual([load?.value, load?.labels, load?.host], [0.52, {}, hostname()]);
  assert.ok(Math.abs(Number(load?.ms) - Date.now()) < deadlineMs);
});

test('windows-host: metrics and rows of WMI have their tables', {
  skip: skipClickHouse,
}, async (t) => {
  const records = join(projectRoot(), 'pipelines', 'windows-host', 'tests', 'basic');
  const run = await runShipped(t, 'windows-host', {
    files: [],
    says: 'The agent started',
    // Its inputs need Windows: their records come from the case.
    pipeline: (text) => {
      const file = parse(text) as { pipeline: { inputs: { alias: string; tag: string }[] } };
      const inputs = file.pipeline.inputs.map(({ alias, tag }) => {
        const command = ['cat', join(records, `input.${alias}.ndjson`)];
        return { name: 'exec', alias, tag, command, format: 'json', interval: '1h' };
      });
      return stringify({ ...file, pipeline: { ...file.pipeline, inputs } });
    },
    env: () => ({
      CLICKHOUSE_HOST: '127.0.0.1',
      CLICKHOUSE_PORT: `${clickhouse.port}`,
      CLICKHOUSE_USER: clickhouse.username!,
      CLICKHOUSE_PASSWORD: clickhouse.password!,
    }),
  });
  const metrics = () => metricRows("startsWith(name, 'windows')");
  await waitUntil('metrics', async () => (await metrics()).length === 2, deadlineMs);
  const rows = () =>
    clickhouseRows(`SELECT query, host, class, toString(JSONExtractUInt(properties, 'Size')) AS size
      FROM default.windows_inventory ORDER BY query FORMAT JSONEachRow`).catch(() => []);
  await waitUntil('rows', async () => (await rows()).length === 2, deadlineMs);
  await run.stopped(4);
  const [cpu] = await metrics();
  assert.deepEqual([cpu?.labels, cpu?.value], [{ core: '0,0', mode: 'user' }, 2.5]);
  const [disk] = await rows();
  assert.deepEqual(disk, {
    ...{ query: 'disks', host: 'srv1', class: 'Win32_LogicalDisk', size: '18446744073709551615' },
  });
});

interface MetricRow {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly host: string;
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly ms: string;
}

function metricRows(where: string): Promise<MetricRow[]> {
  // The shape of the query.
  return clickhouseRows(`SELECT name, type, unit, host, labels, value,
    toString(toUnixTimestamp64Milli(time)) AS ms FROM default.host_metrics WHERE ${where}
    ORDER BY name, labels FORMAT JSONEachRow`) as Promise<MetricRow[]>;
}

interface Shipped {
  /** What the agent says when it is ready; that it follows files when absent. */
  readonly says?: string;
  /** Files of the case, which are there before the agent. */
  readonly files: readonly string[];
  readonly env: (directory: string) => Readonly<Record<string, string>>;
  /** Changes what the files say. */
  readonly edit?: (text: string) => string;
  /** Changes the pipeline itself. */
  readonly pipeline?: (text: string) => string;
}

/** Starts `sluice run` on a shipped pipeline with the files of its case where it looks. */
async function runShipped(
  t: TestContext,
  name: string,
  { files, env, says = 'Following files', edit = (text) => text, pipeline }: Shipped,
): Promise<{ stopped(delivered: number): Promise<void> }> {
  const home = join(projectRoot(), 'pipelines', name);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-pipeline-'));
  const logs = join(directory, 'logs');
  await mkdir(logs);
  const shipped = join(home, 'pipeline.yaml');
  const own = join(directory, 'pipeline.yaml');
  if (pipeline !== undefined) await writeFile(own, pipeline(await readFile(shipped, 'utf8')));
  const file = pipeline === undefined ? shipped : own;
  // What stands in a file before the first start is read, too.
  for (const file of files) {
    const text = await readFile(join(home, 'tests', 'basic', file), 'utf8');
    await writeFile(join(logs, file), edit(text));
  }
  const agent = spawn(process.execPath, [program, 'run', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env(logs), SLUICE_DATA: join(directory, 'data') },
  });
  const read = collect(agent);
  t.after(async () => {
    agent.kill('SIGKILL');
    await ended(agent);
    await rm(directory, { recursive: true, force: true });
  });
  await waitUntil(
    'the agent is ready',
    () => {
      assert.equal(agent.exitCode, null, read());
      return read().includes(says);
    },
    deadlineMs,
  );
  return {
    async stopped(delivered) {
      agent.kill('SIGTERM');
      assert.equal(await ended(agent), 0, read());
      const stopped = read()
        .split('\n')
        .find((line) => line.includes('The agent stopped'));
      // Written by the agent, as JSON when no terminal is there.
      const counts = JSON.parse(stopped ?? '{}') as Row;
      assert.equal(counts['delivered'], delivered, read());
      assert.equal(counts['deadLettered'], 0, read());
      assert.deepEqual(await unsent(join(directory, 'data', 'buffers')), []);
    },
  };
}

function collect(agent: ChildProcess): () => string {
  let text = '';
  agent.stderr!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return () => text;
}

/** Segments that a stopped agent left behind. */
async function unsent(buffers: string): Promise<string[]> {
  const names = await readdir(buffers, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.seg'));
}

async function expectedRows(
  name: string,
  output: string,
  edit: (text: string) => string = (text) => text,
): Promise<Row[]> {
  const path = join(
    projectRoot(),
    'pipelines',
    name,
    'tests',
    'basic',
    `expected.${output}.ndjson`,
  );
  const lines = edit(await readFile(path, 'utf8'))
    .split('\n')
    .filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Row);
}

function elasticsearchEnv(): Record<string, string> {
  return { ELASTICSEARCH_HOST: '127.0.0.1', ELASTICSEARCH_PORT: `${elasticsearch.port}` };
}

interface Found {
  readonly index: string;
  readonly source: Row;
}

async function documents(index: string): Promise<Found[]> {
  await fetch(`${elasticsearch.url}/${index}/_refresh`, { method: 'POST' });
  const answer = await fetch(`${elasticsearch.url}/${index}/_search?size=100`);
  // Not there yet, or not all of its shards.
  if (answer.status === 404 || answer.status === 503) return [];
  assert.equal(answer.status, 200);
  // The shape of Elasticsearch's search API.
  const { hits } = (await answer.json()) as {
    hits: { hits: { _index: string; _source: Row }[] };
  };
  return hits.hits.map(({ _index, _source }) => ({ index: _index, source: _source }));
}

/** Same records in any order; a time is compared where the expected record has one. */
function assertSameRows(found: readonly Found[], expected: readonly Row[]): void {
  const keyOf = ({ '@timestamp': _time, ...rest }: Row) => JSON.stringify(rest, sortedKeys(rest));
  const byKey = (a: Row, b: Row) => (keyOf(a) < keyOf(b) ? -1 : 1);
  const wanted = [...expected].sort(byKey);
  const sources = found.map(({ source }) => source).sort(byKey);
  const compared = sources.map((source, k) => {
    assert.match(String(source['@timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    if (wanted[k]?.['@timestamp'] !== undefined) return source;
    const { '@timestamp': _ingested, ...rest } = source;
    return rest;
  });
  assert.deepEqual(compared, wanted);
}

function sortedKeys(row: Row): string[] {
  return Object.keys(row).sort();
}

function tableRows(): Promise<unknown[]> {
  return clickhouseRows(`SELECT toString(toUnixTimestamp64Nano(time)) AS ns, level, service, message,
      environment, duration_ms FROM default.app_logs ORDER BY time FORMAT JSONEachRow`);
}

async function clickhouseRows(query: string): Promise<unknown[]> {
  const answer = await fetch(clickhouse.url, {
    method: 'POST',
    body: query,
    headers: {
      'x-clickhouse-user': clickhouse.username!,
      'x-clickhouse-key': clickhouse.password!,
    },
  });
  const text = await answer.text();
  // Until the first batch the table is not there.
  if (text.includes('UNKNOWN_TABLE')) return [];
  assert.equal(answer.status, 200, text);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function entries() {
  const url = new URL('/loki/api/v1/query_range', loki.url);
  const now = Math.floor(Date.now() / 1000);
  url.searchParams.set('query', '{job="containers"}');
  url.searchParams.set('start', `${now - 6 * 3600}`);
  url.searchParams.set('end', `${now + 3600}`);
  const answer = await fetch(url, {
    // Keeps structured metadata apart from the labels.
    headers: { 'x-loki-response-encoding-flags': 'categorize-labels' },
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
      values.map(([ns, text, more]) => {
        // Loki adds these two itself.
        const { service_name: _service, ...labels } = stream;
        const { detected_level: _level, ...metadata } = more?.structuredMetadata ?? {};
        return { ns, labels, metadata, text };
      }),
    )
    .sort((a, b) => (a.ns < b.ns ? -1 : 1));
}

/** Unix nanoseconds of an ISO 8601 time in UTC with nine digits behind the point. */
function nanosOf(time: unknown): string {
  const text = String(time);
  return `${Date.parse(`${text.slice(0, 19)}Z`) / 1000}${text.slice(20, 29)}`;
}

async function skipReason(name: 'elasticsearch9' | 'clickhouse' | 'loki') {
  const verdict = await servers[name].canRun();
  return verdict.ok ? false : `${name}: ${verdict.why}`;
}
