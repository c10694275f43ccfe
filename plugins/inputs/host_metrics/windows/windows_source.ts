import { hostname, release, version } from 'node:os';
import type { HostMetricsOptions } from '../config.ts';
import {
  type CollectorName,
  type HostCollector,
  type HostMetricsSource,
  Readings,
} from '../host_source.ts';
import { NameFilter } from '../name_filter.ts';
import { readNetwork } from './network.ts';
import { ProcessReader } from './processes.ts';
import { count64, seconds, type WindowsKernel } from './windows_kernel.ts';

/** Windows: the kernel's own calls. Names are those of the Windows exporter for Prometheus. */
export function windowsSource(
  options: HostMetricsOptions,
  open: () => Promise<WindowsKernel>,
): HostMetricsSource {
  let opened: Promise<WindowsKernel> | undefined;
  const make = (
    name: CollectorName,
    lane: HostCollector['lane'],
    read: (kernel: WindowsKernel, readings: Readings) => void,
  ): HostCollector => ({
    name,
    lane,
    async collect() {
      opened ??= open();
      const readings = new Readings();
      read(await opened, readings);
      return readings.metrics;
    },
  });
  const networks = new NameFilter(options.network_exclude);
  const processes = new ProcessReader(options.top_processes);
  return {
    selfPrefix: 'windows_exporter_collector',
    collectors: [
      make('cpu', 'high', readProcessors),
      make('memory', 'high', readMemory),
      make('disk', 'normal', readDisks),
      make('filesystem', 'normal', readSpace),
      make('network', 'high', (kernel, out) => readNetwork(kernel.interfaces(), networks, out)),
      make('processes', 'normal', (kernel, out) => {
        readTotals(kernel, out);
        if (options.top_processes > 0) processes.read(kernel.processes(), out);
      }),
      make('uptime', 'high', readSystem),
    ],
  };
}

const processorBytes = 48;

/** Source: winternl.h, SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION; the kernel's time has that of idling
 *  in it. */
function readProcessors(kernel: WindowsKernel, readings: Readings): void {
  const bytes = kernel.processors();
  const count = Math.floor(bytes.length / processorBytes);
  for (let number = 0; number < count; number++) {
    const at = number * processorBytes;
    // Of the first group: Windows puts at most 64 into one.
    const core = `0,${number}`;
    const time = (mode: string, value: number): void =>
      readings.counter('windows_cpu_time_total', value, { core, mode });
    const idle = seconds(bytes, at);
    time('idle', idle);
    time('privileged', Math.max(0, seconds(bytes, at + 8) - idle));
    time('user', seconds(bytes, at + 16));
    time('dpc', seconds(bytes, at + 24));
    time('interrupt', seconds(bytes, at + 32));
    readings.counter('windows_cpu_interrupts_total', bytes.readUInt32LE(at + 40), { core });
  }
  readings.gauge('windows_cpu_logical_processor', count);
}

/** Sources: sysinfoapi.h, MEMORYSTATUSEX; psapi.h, PERFORMANCE_INFORMATION, which counts pages. */
function readMemory(kernel: WindowsKernel, readings: Readings): void {
  const memory = kernel.memory();
  const gauge = (name: string, value: number): void =>
    readings.gauge(`windows_memory_${name}`, value);
  gauge('physical_total_bytes', count64(memory, 8));
  gauge('available_bytes', count64(memory, 16));
  gauge('physical_free_bytes', count64(memory, 16));
  const totals = kernel.totals();
  const pageBytes = count64(totals, 80);
  const pages = (at: number): number => count64(totals, at) * pageBytes;
  gauge('committed_bytes', pages(8));
  gauge('commit_limit', pages(16));
  gauge('cache_bytes', pages(48));
  gauge('pool_paged_bytes', pages(64));
  gauge('pool_nonpaged_bytes', pages(72));
}

/** Source: winioctl.h, DISK_PERFORMANCE. */
function readDisks(kernel: WindowsKernel, readings: Readings): void {
  for (const volume of kernel.drives()) {
    const bytes = kernel.diskPerformance(volume);
    if (bytes === undefined) continue;
    const counter = (name: string, value: number): void =>
      readings.counter(`windows_logical_disk_${name}`, value, { volume });
    counter('read_bytes_total', count64(bytes, 0));
    counter('write_bytes_total', count64(bytes, 8));
    counter('read_seconds_total', seconds(bytes, 16));
    counter('write_seconds_total', seconds(bytes, 24));
    counter('idle_seconds_total', seconds(bytes, 32));
    counter('reads_total', bytes.readUInt32LE(40));
    counter('writes_total', bytes.readUInt32LE(44));
    counter('split_ios_total', bytes.readUInt32LE(52));
    const queued = bytes.readUInt32LE(48);
    readings.gauge('windows_logical_disk_requests_queued', queued, { volume });
  }
}

function readSpace(kernel: WindowsKernel, readings: Readings): void {
  for (const volume of kernel.drives()) {
    const space = kernel.space(volume);
    readings.gauge('windows_logical_disk_size_bytes', space?.sizeBytes, { volume });
    readings.gauge('windows_logical_disk_free_bytes', space?.freeBytes, { volume });
  }
}

/** Sources: psapi.h, PERFORMANCE_INFORMATION; winternl.h, SYSTEM_PERFORMANCE_INFORMATION. */
function readTotals(kernel: WindowsKernel, readings: Readings): void {
  const totals = kernel.totals();
  readings.gauge('windows_system_handles', totals.readUInt32LE(88));
  readings.gauge('windows_system_processes', totals.readUInt32LE(92));
  readings.gauge('windows_system_threads', totals.readUInt32LE(96));
  const performance = kernel.performance();
  if (performance.length < 312) return;
  const counter = (name: string, at: number): void =>
    readings.counter(name, performance.readUInt32LE(at));
  counter('windows_memory_page_faults_total', 60);
  counter('windows_system_context_switches_total', 296);
  counter('windows_system_system_calls_total', 308);
}

function readSystem(kernel: WindowsKernel, readings: Readings): void {
  const bootMs = Date.now() - kernel.upMs();
  readings.gauge('windows_system_boot_time_timestamp', Math.round(bootMs / 1000));
  readings.gauge('windows_time_current_timestamp_seconds', Date.now() / 1000);
  readings.gauge('windows_os_info', 1, { product: version(), version: release() });
  readings.gauge('windows_os_hostname', 1, { hostname: hostname() });
}
