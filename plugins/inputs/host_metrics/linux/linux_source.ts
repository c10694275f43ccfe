import type { HostMetricsOptions } from '../config.ts';
import type { HostMetricsSource } from '../host_source.ts';
import { cpuCollector } from './cpu.ts';
import { diskCollector } from './disk.ts';
import { fileSystemCollector } from './filesystem.ts';
import { KernelFiles } from './kernel_files.ts';
import { memoryCollector } from './memory.ts';
import { NameFilter } from '../name_filter.ts';
import { networkCollector } from './network.ts';
import { processesCollector } from './processes.ts';
import { smallCollectors } from './small_collectors.ts';

/** Linux: /proc, /sys and statfs(2). No privileges are needed, but for file systems below
 *  directories that the agent may not enter. */
export function linuxSource(options: HostMetricsOptions): HostMetricsSource {
  const files = new KernelFiles(options.proc_path, options.sys_path);
  return {
    collectors: [
      cpuCollector(files),
      memoryCollector(files),
      diskCollector(files, new NameFilter(options.disk_exclude)),
      fileSystemCollector(files, {
        types: new NameFilter(options.filesystem_type_exclude),
        mountPoints: new NameFilter(options.mount_point_exclude),
        rootPath: options.root_path,
        mountTimeoutMs: options.mount_timeout,
      }),
      networkCollector(files, new NameFilter(options.network_exclude)),
      processesCollector(files, options.top_processes),
      ...smallCollectors(files),
    ],
  };
}
