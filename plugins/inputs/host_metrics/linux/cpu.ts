import { type HostCollector, Readings } from '../host_source.ts';
import { columnsOf, type KernelFiles, numberOf } from './kernel_files.ts';

/** Ticks of the kernel's user interface a second: USER_HZ, 100 on every architecture that Node
 *  runs on. */
export const ticksPerSecond = 100;

const modes = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;

/** CPU time and the counters beside it in /proc/stat (node_exporter: cpu, stat). */
export function cpuCollector(files: KernelFiles): HostCollector {
  return {
    name: 'cpu',
    lane: 'high',
    async collect() {
      const readings = new Readings();
      for (const line of (await files.proc('stat')).split('\n')) readLine(line, readings);
      return readings.metrics;
    },
  };
}

function readLine(line: string, readings: Readings): void {
  const [name, ...columns] = columnsOf(line);
  const cpu = /^cpu(\d+)$/.exec(name ?? '')?.[1];
  if (cpu !== undefined) {
    readProcessor(cpu, columns, readings);
    return;
  }
  const first = numberOf(columns[0]);
  if (name === 'ctxt') readings.counter('node_context_switches_total', first);
  else if (name === 'intr') readings.counter('node_intr_total', first);
  else if (name === 'processes') readings.counter('node_forks_total', first);
}

function readProcessor(cpu: string, columns: readonly string[], readings: Readings): void {
  const seconds = columns.map((column) => {
    const ticks = numberOf(column);
    return ticks === undefined ? undefined : ticks / ticksPerSecond;
  });
  modes.forEach((mode, at) => {
    readings.counter('node_cpu_seconds_total', seconds[at], { cpu, mode });
  });
  // Guest time is part of user time as well; node_exporter keeps it apart.
  readings.counter('node_cpu_guest_seconds_total', seconds[8], { cpu, mode: 'user' });
  readings.counter('node_cpu_guest_seconds_total', seconds[9], { cpu, mode: 'nice' });
}
