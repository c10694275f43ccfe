import { type HostCollector, Readings } from '../host_source.ts';
import { type KernelFiles, numberOf, pairsOf } from './kernel_files.ts';

/** /proc/meminfo, each line a gauge (node_exporter: meminfo). */
export function memoryCollector(files: KernelFiles): HostCollector {
  return {
    name: 'memory',
    lane: 'high',
    async collect() {
      const readings = new Readings();
      for (const [key, text] of pairsOf(await files.proc('meminfo'))) {
        const [number, unit] = text.split(/\s+/);
        const value = numberOf(number);
        // `Active(anon)` becomes `Active_anon`.
        const name = `node_memory_${key.replace(/\((.*)\)/, '_$1').replace(/[^a-zA-Z0-9_]/g, '_')}`;
        if (unit === 'kB') {
          readings.gauge(`${name}_bytes`, value === undefined ? undefined : value * 1024);
        } else readings.gauge(name, value);
      }
      return readings.metrics;
    },
  };
}
