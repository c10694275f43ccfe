import { type HostCollector, Readings } from '../host_source.ts';
import { columnsOf, type KernelFiles, numberOf, scaled } from './kernel_files.ts';
import type { NameFilter } from '../name_filter.ts';

/** Of /proc/diskstats, whatever the device's own sectors are (Documentation/admin-guide/iostats). */
const sectorBytes = 512;
const perMillisecond = 1 / 1000;

/** /proc/diskstats (node_exporter: diskstats). */
export function diskCollector(files: KernelFiles, devices: NameFilter): HostCollector {
  return {
    name: 'disk',
    lane: 'high',
    async collect() {
      const readings = new Readings();
      for (const line of (await files.proc('diskstats')).split('\n')) {
        const [major, minor, device, ...columns] = columnsOf(line);
        if (device === undefined || !devices.takes(device)) continue;
        readings.gauge('node_disk_info', 1, { device, major: major!, minor: minor! });
        readDevice(device, columns.map(numberOf), readings);
      }
      return readings.metrics;
    },
  };
}

function readDevice(
  device: string,
  columns: readonly (number | undefined)[],
  readings: Readings,
): void {
  const labels = { device };
  const count = (name: string, at: number, factor = 1): void =>
    readings.counter(`node_disk_${name}_total`, scaled(columns[at], factor), labels);
  count('reads_completed', 0);
  count('reads_merged', 1);
  count('read_bytes', 2, sectorBytes);
  count('read_time_seconds', 3, perMillisecond);
  count('writes_completed', 4);
  count('writes_merged', 5);
  count('written_bytes', 6, sectorBytes);
  count('write_time_seconds', 7, perMillisecond);
  readings.gauge('node_disk_io_now', columns[8], labels);
  count('io_time_seconds', 9, perMillisecond);
  count('io_time_weighted_seconds', 10, perMillisecond);
  // Since Linux 4.18.
  count('discards_completed', 11);
  count('discards_merged', 12);
  count('discarded_sectors', 13);
  count('discard_time_seconds', 14, perMillisecond);
  // Since Linux 5.5.
  count('flush_requests', 15);
  count('flush_requests_time_seconds', 16, perMillisecond);
}
