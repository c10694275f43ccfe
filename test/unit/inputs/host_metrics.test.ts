import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { machine } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../../core/testing/index.ts';
import { plugin } from '../../../plugins/inputs/host_metrics/index.ts';
import { HostMetricsInput } from '../../../plugins/inputs/host_metrics/host_metrics_input.ts';
import { fileSystemCollector } from '../../../plugins/inputs/host_metrics/linux/filesystem.ts';
import { KernelFiles } from '../../../plugins/inputs/host_metrics/linux/kernel_files.ts';
import { parseMounts } from '../../../plugins/inputs/host_metrics/linux/mounts.ts';
import { NameFilter } from '../../../plugins/inputs/host_metrics/name_filter.ts';
import { platformSource } from '../../../plugins/inputs/host_metrics/platform_source.ts';
import type { Metric } from '../../../plugins/shared/metrics/metric.ts';
import { type HostTree, hostTree } from './host_fixture.ts';
import { type InputRig, inputRig } from './metric_rig.ts';

const isLinux = process.platform === 'linux';
const skip = isLinux ? false : 'reads a Linux host';

async function treeOf(t: TestContext): Promise<HostTree> {
  const tree = await hostTree();
  t.after(() => tree.remove());
  return tree;
}

function rigOf(tree: HostTree, options: Record<string, unknown> = {}): InputRig {
  return inputRig(plugin, { ...tree.options, interval: '1h', ...options });
}

/** One reading of these collectors, by series. */
async function readOnce(
  t: TestContext,
  tree: HostTree,
  collectors: readonly string[],
  options: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  const rig = rigOf(tree, { ...options, collectors });
  await rig.start();
  t.after(() => rig.stop());
  const ends = () =>
    rig.emitter.seen.filter(({ record }) => record['name'] === 'node_scrape_collector_success');
  await waitUntil('a reading', () => ends().length >= collectors.length);
  return Object.fromEntries(
    rig.emitter.seen
      .filter(({ record }) => !String(record['name']).startsWith('node_scrape_'))
      .map(({ record }) => [seriesOf(record), record['value']]),
  );
}

function seriesOf(record: Record<string, unknown>): string {
  // Made by the input: an object of texts.
  const labels = Object.entries(record['labels'] as Record<string, string>)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  return labels.length === 0 ? String(record['name']) : `${record['name']}{${labels.join()}}`;
}

const families: readonly { collector: string; expected: Record<string, number> }[] = [
  { collector: 'load', expected: { node_load1: 0.52, node_load5: 1.25, node_load15: 2 } },
  {
    collector: 'memory',
    expected: {
      node_memory_MemTotal_bytes: 16384000 * 1024,
      node_memory_MemFree_bytes: 1024000 * 1024,
      node_memory_Active_anon_bytes: 512000 * 1024,
      node_memory_HugePages_Total: 12,
      node_memory_DirectMap4k_bytes: 1000 * 1024,
    },
  },
  {
    collector: 'filefd',
    expected: { node_filefd_allocated: 1024, node_filefd_maximum: 2 ** 63 },
  },
  {
    collector: 'vmstat',
    expected: {
      node_vmstat_pgpgin: 10,
      node_vmstat_pgpgout: 20,
      node_vmstat_pgfault: 30,
      node_vmstat_pgmajfault: 4,
      node_vmstat_oom_kill: 0,
    },
  },
  {
    // There is no file of memory's: what the kernel does not say is left out.
    collector: 'pressure',
    expected: {
      node_pressure_cpu_waiting_seconds_total: 1.5,
      node_pressure_io_waiting_seconds_total: 2.5,
      node_pressure_io_stalled_seconds_total: 0.5,
    },
  },
  {
    collector: 'sockstat',
    expected: {
      node_sockstat_sockets_used: 100,
      node_sockstat_TCP_inuse: 10,
      node_sockstat_TCP_orphan: 0,
      node_sockstat_TCP_tw: 2,
      node_sockstat_TCP_alloc: 12,
      node_sockstat_TCP_mem: 3,
      node_sockstat_TCP_mem_bytes: 12288,
      node_sockstat_TCP6_inuse: 4,
    },
  },
  {
    collector: 'processes',
    expected: {
      node_procs_running: 3,
      node_procs_blocked: 1,
      node_processes_max_processes: 4194304,
      node_processes_max_threads: 128000,
      node_processes_pids: 3,
      node_processes_threads: 6,
      'node_processes_state{state=S}': 1,
      'node_processes_state{state=R}': 1,
      'node_processes_state{state=Z}': 1,
    },
  },
];

for (const { collector, expected } of families) {
  test(`${collector} reads what the kernel's files say`, { skip }, async (t) => {
    assert.deepEqual(await readOnce(t, await treeOf(t), [collector]), expected);
  });
}

test('cpu reads the modes of each processor, in seconds', { skip }, async (t) => {
  const found = await readOnce(t, await treeOf(t), ['cpu']);
  assert.equal(found['node_cpu_seconds_total{cpu=0,mode=user}'], 2);
  assert.equal(found['node_cpu_seconds_total{cpu=1,mode=idle}'], 20);
  assert.equal(found['node_cpu_guest_seconds_total{cpu=0,mode=nice}'], 0.05);
  assert.equal(found['node_context_switches_total'], 7654321);
  assert.equal(found['node_intr_total'], 1234567);
  assert.equal(found['node_forks_total'], 4242);
  assert.equal(Object.keys(found).length, 2 * 10 + 3);
});

test('disk leaves out partitions, and columns that an older kernel has not', {
  skip,
}, async (t) => {
  const found = await readOnce(t, await treeOf(t), ['disk']);
  assert.equal(found['node_disk_read_bytes_total{device=sda}'], 2000 * 512);
  assert.equal(found['node_disk_io_time_seconds_total{device=sda}'], 0.4);
  assert.equal(found['node_disk_flush_requests_total{device=sda}'], 9);
  assert.equal(found['node_disk_writes_completed_total{device=nvme0n1}'], 20);
  const devices = new Set(Object.keys(found).map((key) => /device=(\w+)/.exec(key)?.[1]));
  assert.deepEqual([...devices].sort(), ['nvme0n1', 'sda']);
  assert.ok(!('node_disk_discards_completed_total{device=nvme0n1}' in found));
});

test('network reads counters and state; an unknown speed is left out', { skip }, async (t) => {
  const found = await readOnce(t, await treeOf(t), ['network']);
  assert.equal(found['node_network_receive_bytes_total{device=eth0}'], 1234567890);
  assert.equal(found['node_network_transmit_compressed_total{device=eth0}'], 12);
  assert.equal(found['node_network_speed_bytes{device=eth0}'], 125e6);
  assert.equal(found['node_network_up{device=lo}'], 0);
  assert.ok(!('node_network_speed_bytes{device=lo}' in found));
  assert.ok(!('node_network_carrier{device=lo}' in found));
});

test('excluded devices are left out', { skip }, async (t) => {
  const found = await readOnce(t, await treeOf(t), ['network'], { network_exclude: '^lo$' });
  assert.ok(Object.keys(found).every((key) => key.includes('eth0')));
});

test('uptime has the boot time, the time and the names of the system', { skip }, async (t) => {
  const found = await readOnce(t, await treeOf(t), ['uptime']);
  assert.equal(found['node_boot_time_seconds'], 1700000000);
  assert.ok(Number(found['node_time_seconds']) > 1700000000);
  const names = `domainname=(none),machine=${machine()},nodename=box,release=6.1.0-test,sysname=Linux,version=#1 SMP`;
  assert.equal(found[`node_uname_info{${names}}`], 1);
});

test('the busiest and the largest processes are named when asked for', { skip }, async (t) => {
  const found = await readOnce(t, await treeOf(t), ['processes'], { top_processes: 1 });
  assert.equal(found['node_process_cpu_seconds_total{name=a) R (odd name,pid=200}'], 10);
  assert.equal(found['node_process_resident_memory_bytes{name=systemd,pid=1}'], 4096000);
  assert.equal(Object.keys(found).filter((key) => key.includes('pid=')).length, 4);
});

test('a record has the time of its reading, a unit and the labels of the options', {
  skip,
}, async (t) => {
  const tree = await treeOf(t);
  const before = Date.now();
  const rig = rigOf(tree, { collectors: ['memory'], labels: { cluster: 'north' } });
  await rig.start();
  t.after(() => rig.stop());
  await waitUntil('a reading', () => rig.emitter.seen.length >= 7);
  const seen = rig.emitter.seen[0]!;
  assert.deepEqual(seen.record, {
    name: 'node_memory_MemTotal_bytes',
    type: 'gauge',
    labels: { cluster: 'north' },
    value: 16384000 * 1024,
    unit: 'bytes',
  });
  assert.ok(seen.seconds * 1000 + seen.nanos / 1e6 >= before - 1000);
  assert.deepEqual(
    rig.emitter.seen.map(({ offset }) => offset),
    rig.emitter.seen.map((_, k) => k),
  );
});

// ── faults ──────────────────────────────────────────────────────────────────────────────────

test('a file that blocks its reader costs its collector alone', { skip }, async (t) => {
  const tree = await treeOf(t);
  // Opening a named pipe blocks until somebody writes, as a hung device does.
  const pipe = join(tree.root, 'proc/loadavg');
  await rm(pipe);
  execFileSync('mkfifo', [pipe]);
  const rig = rigOf(tree, {
    collectors: ['load', 'memory'],
    collector_timeout: '200ms',
    interval: '100ms',
  });
  await rig.start();
  const named = (name: string) => rig.emitter.seen.filter(({ record }) => record['name'] === name);
  await waitUntil('the deadline', () =>
    rig.emitter.seen.some(
      ({ record }) =>
        seriesOf(record) === 'node_scrape_collector_success{collector=load}' &&
        record['value'] === 0,
    ),
  );
  await waitUntil('later readings', () => named('node_memory_MemFree_bytes').length >= 5);
  assert.equal(rig.count('sluice_collector_timeout_total', { collector: 'load' }), 1);
  assert.equal(named('node_load1').length, 0);
  // The reader is let go with an old value, which nobody gets to see.
  const writer = await open(pipe, 'w');
  await writer.write('9.99 9.99 9.99 1/1 1\n');
  await writer.close();
  await rig.stop();
  assert.ok(!named('node_load1').some(({ record }) => record['value'] === 9.99));
});

test('a missing file fails its collector, with the reason in the log', { skip }, async (t) => {
  const tree = await treeOf(t);
  await rm(join(tree.root, 'proc/meminfo'));
  const found = await readOnce(t, tree, ['memory', 'load']);
  assert.deepEqual(Object.keys(found), ['node_load1', 'node_load5', 'node_load15']);
});

test('files with nonsense give no metrics, and no crash', { skip }, async (t) => {
  const tree = await treeOf(t);
  for (const file of ['stat', 'meminfo', 'diskstats', 'loadavg', 'vmstat', 'net/sockstat']) {
    await tree.write(`proc/${file}`, 'cpu0 x y\n\u0000\ufffd: :: -\n\n8 0\nTCP: inuse\n');
  }
  await tree.write('proc/1/mountinfo', 'not a mount\n - \n1 2 3\n');
  await tree.write('proc/1/net/dev', ':::\nx:\n');
  const wanted = ['cpu', 'memory', 'disk', 'load', 'vmstat', 'sockstat', 'network', 'filesystem'];
  const found = await readOnce(t, tree, wanted);
  for (const value of Object.values(found)) assert.equal(typeof value, 'number');
});

test('a file system that hangs has device_error and no numbers; it is asked once', {
  skip,
}, async (t) => {
  const tree = await treeOf(t);
  let asked = 0;
  let release = (): void => undefined;
  const collector = fileSystemCollector(new KernelFiles(tree.options.proc_path, '/sys'), {
    types: new NameFilter('^proc$'),
    mountPoints: new NameFilter(''),
    rootPath: '/',
    mountTimeoutMs: 20,
    readLocal: async () => ({ bsize: 1024, blocks: 10, bfree: 6, bavail: 5, files: 4, ffree: 3 }),
    // A process in the kernel's hands cannot be killed: it ignores the signal.
    readRemote: () => {
      asked++;
      return new Promise((resolve) => {
        release = () => resolve({ bsize: 1, blocks: 1, bfree: 1, bavail: 1, files: 1, ffree: 1 });
      });
    },
  });
  const read = async () => bySeries(await collector.collect(new AbortController().signal));
  const nfs = 'device=server:/export,fstype=nfs4,mountpoint=/nfs';
  for (let round = 0; round < 3; round++) {
    const found = await read();
    assert.equal(found[`node_filesystem_device_error{${nfs}}`], 1);
    assert.ok(!(`node_filesystem_size_bytes{${nfs}}` in found));
    assert.equal(
      found['node_filesystem_avail_bytes{device=/dev/sda1,fstype=ext4,mountpoint=/}'],
      5120,
    );
    const space = 'device=/dev/sda2,fstype=xfs,mountpoint=/with space';
    assert.equal(found[`node_filesystem_readonly{${space}}`], 1);
  }
  assert.equal(asked, 1);
  release();
  await waitUntil('asked again', async () => {
    await read();
    return asked === 2;
  });
});

test('the process that asks a remote file system gives what statfs gives', {
  skip,
}, async (t) => {
  const tree = await treeOf(t);
  const options = { types: new NameFilter(''), mountPoints: new NameFilter(''), rootPath: '/' };
  const mount = (type: string) => `27 1 8:1 / /tmp rw - ${type} somewhere rw\n`;
  const read = async (type: string) => {
    await tree.write('proc/1/mountinfo', mount(type));
    const files = new KernelFiles(tree.options.proc_path, '/sys');
    const collector = fileSystemCollector(files, { ...options, mountTimeoutMs: 5000 });
    return collector.collect(new AbortController().signal);
  };
  const steady = (metrics: readonly Metric[]) =>
    metrics
      .filter(({ name }) => /size|files$|error|readonly/.test(name))
      .map(({ name, value }) => [name, value]);
  assert.deepEqual(steady(await read('nfs4')), steady(await read('ext4')));
});

test('mount points may have spaces, and the last one at a place counts', () => {
  const mounts = parseMounts(
    '1 0 8:1 / /a\\040b\\134c rw - ext4 /dev/x rw\n2 0 8:1 / /a\\040b\\134c ro - xfs /dev/y rw\n',
  );
  assert.deepEqual(mounts, [
    { device: '/dev/y', mountPoint: '/a b\\c', type: 'xfs', isReadOnly: true },
  ]);
});

test('another platform is refused with what to do', () => {
  const rig = () =>
    inputRig(plugin, {}, {}, (options, context) => {
      return new HostMetricsInput(options, context, platformSource(options, 'aix'));
    });
  assert.throws(rig, /cannot read a host of the platform aix/);
});

function bySeries(metrics: readonly Metric[]): Record<string, number> {
  return Object.fromEntries(
    metrics.map(({ name, labels, value }) => [seriesOf({ name, labels }), value]),
  );
}
