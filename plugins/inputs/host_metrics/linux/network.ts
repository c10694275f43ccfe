import { type HostCollector, Readings } from '../host_source.ts';
import { columnsOf, type KernelFiles, numberOf } from './kernel_files.ts';
import type { NameFilter } from '../name_filter.ts';

const received = [
  'bytes',
  'packets',
  'errs',
  'drop',
  'fifo',
  'frame',
  'compressed',
  'multicast',
] as const;
const transmitted = [
  'bytes',
  'packets',
  'errs',
  'drop',
  'fifo',
  'colls',
  'carrier',
  'compressed',
] as const;

const interfacesMax = 10_000;

/** /proc/net/dev and /sys/class/net (node_exporter: netdev, netclass). */
export function networkCollector(files: KernelFiles, devices: NameFilter): HostCollector {
  return {
    name: 'network',
    lane: 'high',
    async collect(signal) {
      const readings = new Readings();
      // Of the first process: `/proc/net` is that of whoever reads it.
      const text = (await files.procIfThere('1', 'net', 'dev')) ?? (await files.proc('net', 'dev'));
      const names: string[] = [];
      for (const line of text.split('\n')) {
        const found = /^\s*([^\s:]+):(.*)$/.exec(line);
        if (found === null || !devices.takes(found[1]!)) continue;
        names.push(found[1]!);
        readCounters(found[1]!, columnsOf(found[2]!), readings);
      }
      for (const device of names.slice(0, interfacesMax)) {
        if (signal.aborted) break;
        await readInterface(files, device, readings);
      }
      return readings.metrics;
    },
  };
}

function readCounters(device: string, columns: readonly string[], readings: Readings): void {
  const labels = { device };
  received.forEach((name, at) => {
    readings.counter(`node_network_receive_${name}_total`, numberOf(columns[at]), labels);
  });
  transmitted.forEach((name, at) => {
    const value = numberOf(columns[received.length + at]);
    readings.counter(`node_network_transmit_${name}_total`, value, labels);
  });
}

async function readInterface(
  files: KernelFiles,
  device: string,
  readings: Readings,
): Promise<void> {
  const labels = { device };
  const number = (name: string): Promise<number | undefined> =>
    files.sysNumber('class', 'net', device, name);
  const state = await files.sysText('class', 'net', device, 'operstate');
  if (state === undefined) return;
  readings.gauge('node_network_up', state === 'up' ? 1 : 0, labels);
  // A device that is down answers EINVAL.
  readings.gauge('node_network_carrier', await number('carrier'), labels);
  readings.counter('node_network_carrier_changes_total', await number('carrier_changes'), labels);
  readings.gauge('node_network_mtu_bytes', await number('mtu'), labels);
  const megabits = await number('speed');
  // -1 where the driver does not know.
  if (megabits !== undefined && megabits >= 0) {
    readings.gauge('node_network_speed_bytes', (megabits * 1e6) / 8, labels);
  }
  readings.gauge('node_network_transmit_queue_length', await number('tx_queue_len'), labels);
}
