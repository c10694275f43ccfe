import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { plugin } from '../../plugins/inputs/host_metrics/index.ts';
import { parseExposition } from '../../plugins/shared/metrics/exposition_parser.ts';
import type { Metric } from '../../plugins/shared/metrics/metric.ts';
import { type RunningServer, servers } from '../servers/index.ts';
import { inputRig } from '../unit/inputs/metric_rig.ts';

// The same host, read by node_exporter and by us: the same series, types and values.

const verdict = await servers.nodeExporter.canRun();
const skip = verdict.ok ? false : `node_exporter: ${verdict.why}`;
let exporter: RunningServer;

before(async () => {
  if (skip === false) exporter = await servers.nodeExporter.start();
});

after(async () => {
  if (skip === false) await exporter.stop();
});

type Series = Map<string, { readonly type: string; readonly value: number }>;

function seriesOf(metrics: readonly Pick<Metric, 'name' | 'type' | 'labels' | 'value'>[]): Series {
  const pairs = metrics.map(({ name, type, labels, value }) => {
    const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
    return [key, { type, value }] as const;
  });
  return new Map(pairs);
}

async function theirs(): Promise<Series> {
  const answer = await fetch(`${exporter.url}/metrics`);
  const text = await answer.text();
  const { metrics, invalidLines } = parseExposition(text, {
    isOpenMetrics: false,
    samplesMax: 100_000,
  });
  assert.equal(invalidLines, 0);
  // An unknown speed is -1 Mbit/s there (--collector.netclass.ignore-invalid-speed); here it is none.
  const isKnown = ({ name, value }: Metric) => name !== 'node_network_speed_bytes' || value >= 0;
  return seriesOf(metrics.filter((metric) => isCompared(metric.name) && isKnown(metric)));
}

async function ours(): Promise<Series> {
  const rig = inputRig(plugin, { interval: '1h' });
  await rig.start();
  const ends = () =>
    rig.emitter.seen.filter(({ record }) => record['name'] === 'node_scrape_collector_success');
  await waitUntil('all collectors', () => ends().length >= 12);
  await rig.stop();
  assert.ok(ends().every(({ record }) => record['value'] === 1));
  // Made by the input: every record is a metric.
  const metrics = rig.emitter.seen.map(({ record }) => record as unknown as Metric);
  return seriesOf(metrics.filter(({ name }) => isCompared(name)));
}

/** Families of node_exporter that the input has; those it leaves out are named. */
function isCompared(name: string): boolean {
  if (/^node_network_(?:receive|transmit)_/.test(name)) {
    // node_exporter takes these from netlink, which has one column more than the file.
    return !/_nohandler_total$/.test(name);
  }
  if (/^node_network_(?:up|carrier|carrier_changes_total|mtu_bytes|speed_bytes)$/.test(name)) {
    return true;
  }
  return /^node_(?:cpu_(?:guest_)?seconds|context_switches|intr_total|forks|load\d|memory|disk_(?!info)|filesystem|procs|processes|boot_time|uname|filefd|vmstat|pressure|sockstat)/.test(
    name,
  );
}

/** Values that move between two readings: what they may differ by. */
function tolerance(key: string, value: number): number {
  if (/_total|^node_vmstat/.test(key)) return Math.max(value * 0.02, 20_000);
  if (/^node_(?:memory|filesystem)/.test(key)) return Math.max(value * 0.3, 300e6);
  if (/^node_load/.test(key)) return 2;
  // Buffers of all sockets: one connection's can be megabytes.
  if (/^node_sockstat_.*_mem(?:_bytes)?\[/.test(key)) return 64e6;
  if (/^node_(?:procs|processes|sockstat|filefd|disk_io_now)/.test(key)) {
    return Math.max(value * 0.5, 200);
  }
  return 0;
}

/** Constants of the host: they must be equal to the last bit. */
const exact =
  /^node_(?:boot_time|uname|memory_(?:MemTotal|SwapTotal|VmallocTotal|Hugepagesize)|filesystem_(?:size|files\[|readonly|device_error)|network_(?:up|carrier\[|mtu|speed)|processes_max|filefd_maximum|cpu_guest)/;

test('every series of node_exporter is there, of the same type and about the same value', {
  skip,
}, async () => {
  const wanted = await theirs();
  const found = await ours();
  assert.ok(wanted.size > 150, `${wanted.size} series`);
  // States come and go; those of threads are left out, because each thread is a file to read.
  const isSteady = (key: string) => !/^node_processes_(?:threads_)?state/.test(key);
  const keysOf = (series: Series) => [...series.keys()].filter(isSteady).sort();
  assert.deepEqual(keysOf(found), keysOf(wanted));
  for (const [key, { type, value }] of wanted) {
    const own = found.get(key);
    if (own === undefined) continue;
    assert.equal(own.type, type, key);
    const most = exact.test(key) ? 0 : tolerance(key, value);
    assert.ok(Math.abs(own.value - value) <= most, `${key}: ${own.value}, theirs ${value}`);
  }
});
