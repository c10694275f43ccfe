import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plugin } from '../../../plugins/inputs/host_metrics/index.ts';
import { parseProcesses } from '../../../plugins/inputs/host_metrics/windows/processes.ts';
import type { WindowsKernel } from '../../../plugins/inputs/host_metrics/windows/windows_kernel.ts';
import { windowsSource } from '../../../plugins/inputs/host_metrics/windows/windows_source.ts';
import { withDefaults } from '../outputs/chunk_harness.ts';

type Values = Readonly<Record<number, number | bigint>>;

/** Bytes with numbers at offsets: 64 bits for a bigint, 32 for a number. */
function bytesOf(length: number, values: Values): Buffer {
  const bytes = Buffer.alloc(length);
  for (const [at, value] of Object.entries(values)) {
    if (typeof value === 'bigint') bytes.writeBigUInt64LE(value, Number(at));
    else bytes.writeUInt32LE(value, Number(at));
  }
  return bytes;
}

function interfaces(...rows: readonly [name: string, values: Values][]): Buffer {
  const head = bytesOf(8, { 0: rows.length });
  const bytes = rows.map(([name, values]) => {
    const row = bytesOf(1352, { 1128: 6, 1156: 1, 1192: 1_000_000_000n, ...values });
    row.write(name, 542, 'utf16le');
    return row;
  });
  return Buffer.concat([head, ...bytes]);
}

const address = 0x7000_0000n;

function processes(...all: readonly { id: number; name: string; user: number; size: number }[]) {
  const entry = 512;
  const bytes = Buffer.alloc(entry * all.length);
  all.forEach(({ id, name, user, size }, number) => {
    const at = number * entry;
    const text = Buffer.from(name, 'utf16le');
    bytesOf(256, {
      ...{ 0: number === all.length - 1 ? 0 : entry, 4: 3, 40: BigInt(user) * 10_000_000n },
      ...{ 48: 20_000_000n, 56: text.length, 64: address + BigInt(at + 300), 80: BigInt(id) },
      ...{ 88: 4n, 96: 11, 144: BigInt(size), 200: 99n },
    }).copy(bytes, at);
    text.copy(bytes, at + 300);
  });
  return { bytes, address };
}

const kernel: WindowsKernel = {
  processors: () =>
    Buffer.concat([
      bytesOf(48, {
        0: 50_000_000n,
        8: 80_000_000n,
        16: 20_000_000n,
        24: 1_000_000n,
        32: 0n,
        40: 7,
      }),
      bytesOf(48, { 0: 10_000_000n, 8: 10_000_000n }),
    ]),
  performance: () => bytesOf(344, { 60: 60, 296: 296, 308: 308 }),
  processes: () =>
    processes(
      { id: 0, name: '', user: 0, size: 0 },
      { id: 4, name: 'System', user: 1, size: 10 },
      { id: 80, name: 'sqlservr.exe', user: 90, size: 5 },
      { id: 90, name: 'größe.exe', user: 2, size: 900 },
    ),
  memory: () => bytesOf(64, { 8: 8_000n, 16: 3_000n }),
  totals: () =>
    bytesOf(104, {
      ...{ 8: 2n, 16: 9n, 48: 3n, 64: 4n, 72: 5n, 80: 4096n, 88: 1000, 92: 50, 96: 600 },
    }),
  interfaces: () =>
    interfaces(
      ['Intel(R) Gigabit #2', { 1208: 100n, 1280: 50n, 1216: 7n, 1224: 1n, 1288: 2n, 1240: 3n }],
      ['Loopback', { 1128: 24 }],
      ['Filter of Intel', { 1152: 2 }],
      ['veth', {}],
    ),
  upMs: () => 60_000,
  drives: () => ['C:', 'D:'],
  space: (drive) => (drive === 'C:' ? { freeBytes: 5, sizeBytes: 10 } : undefined),
  diskPerformance: (drive) =>
    drive === 'C:'
      ? bytesOf(88, { 0: 512n, 8: 64n, 16: 10_000_000n, 40: 4, 44: 2, 48: 1 })
      : undefined,
};

async function readingOf(name: string, options: Record<string, unknown> = {}): Promise<string[]> {
  const all = withDefaults(plugin.schema, {
    top_processes: 1,
    network_exclude: '^veth',
    ...options,
  });
  const source = windowsSource(all as never, async () => kernel);
  const collector = source.collectors.find((one) => one.name === name)!;
  const metrics = await collector.collect(new AbortController().signal);
  return metrics.map(({ name: metric, labels, value }) => {
    const text = Object.entries(labels).map(([label, of]) => `${label}=${of}`);
    return `${metric.replace('windows_', '')}{${text.join()}} ${value}`;
  });
}

test('processor time is the kernel’s, without the idle time that is in it', async () => {
  const all = await readingOf('cpu');
  assert.deepEqual(all.slice(0, 6), [
    'cpu_time_total{core=0,0,mode=idle} 5',
    'cpu_time_total{core=0,0,mode=privileged} 3',
    'cpu_time_total{core=0,0,mode=user} 2',
    'cpu_time_total{core=0,0,mode=dpc} 0.1',
    'cpu_time_total{core=0,0,mode=interrupt} 0',
    'cpu_interrupts_total{core=0,0} 7',
  ]);
  assert.equal(all.at(-1), 'cpu_logical_processor{} 2');
});

test('memory is in bytes, pages of Windows among it', async () => {
  assert.deepEqual(await readingOf('memory'), [
    'memory_physical_total_bytes{} 8000',
    'memory_available_bytes{} 3000',
    'memory_physical_free_bytes{} 3000',
    'memory_committed_bytes{} 8192',
    'memory_commit_limit{} 36864',
    'memory_cache_bytes{} 12288',
    'memory_pool_paged_bytes{} 16384',
    'memory_pool_nonpaged_bytes{} 20480',
  ]);
});

test('a drive that gives no answer has no numbers, and the others have theirs', async () => {
  assert.deepEqual(await readingOf('filesystem'), [
    'logical_disk_size_bytes{volume=C:} 10',
    'logical_disk_free_bytes{volume=C:} 5',
  ]);
  const disks = await readingOf('disk');
  assert.ok(disks.includes('logical_disk_read_bytes_total{volume=C:} 512'));
  assert.ok(disks.includes('logical_disk_read_seconds_total{volume=C:} 1'));
  assert.ok(disks.includes('logical_disk_reads_total{volume=C:} 4'));
  assert.ok(disks.every((line) => !line.includes('D:')));
});

test('interfaces are named as counters name them; loopback, filters and excluded ones are left out', async () => {
  const all = await readingOf('network');
  assert.ok(all.includes('net_bytes_received_total{nic=Intel[R] Gigabit _2} 100'));
  assert.ok(all.includes('net_bytes_total{nic=Intel[R] Gigabit _2} 150'));
  assert.ok(all.includes('net_packets_received_total{nic=Intel[R] Gigabit _2} 8'));
  assert.ok(all.includes('net_packets_received_errors_total{nic=Intel[R] Gigabit _2} 3'));
  assert.ok(all.includes('net_current_bandwidth_bytes{nic=Intel[R] Gigabit _2} 125000000'));
  assert.ok(all.every((line) => line.includes('Intel[R] Gigabit _2')));
});

test('processes are counted, and those with most time and most memory named', async () => {
  const all = await readingOf('processes');
  for (const line of [
    'system_handles{} 1000',
    'system_processes{} 50',
    'system_threads{} 600',
    'system_context_switches_total{} 296',
    'system_system_calls_total{} 308',
    'process_cpu_time_total{process=sqlservr,process_id=80,creating_process_id=4,mode=user} 90',
    'process_working_set_bytes{process=größe,process_id=90,creating_process_id=4} 900',
  ]) {
    assert.ok(all.includes(line), line);
  }
  assert.ok(all.every((line) => !line.includes('System,')));
});

test('a table of processes that is cut or has a wrong address is read as far as it goes', () => {
  const table = kernel.processes();
  for (let end = 0; end < table.bytes.length; end += 7) {
    parseProcesses({ bytes: table.bytes.subarray(0, end), address });
  }
  const [first] = parseProcesses({ bytes: table.bytes, address: 0n });
  assert.deepEqual([first!.id, first!.name], ['4', '']);
});
