import { machine } from 'node:os';
import { type CollectorName, type HostCollector, Readings } from '../host_source.ts';
import { columnsOf, type KernelFiles, numberOf, pairsOf } from './kernel_files.ts';

type Read = (files: KernelFiles, readings: Readings) => Promise<void>;

/** Collectors that read a file or two of the kernel's memory. */
export function smallCollectors(files: KernelFiles): HostCollector[] {
  const make = (name: CollectorName, read: Read): HostCollector => ({
    name,
    lane: 'high',
    async collect() {
      const readings = new Readings();
      await read(files, readings);
      return readings.metrics;
    },
  });
  return [
    make('load', readLoad),
    make('uptime', readUptime),
    make('filefd', readFileDescriptors),
    make('vmstat', readVirtualMemory),
    make('pressure', readPressure),
    make('sockstat', readSockets),
  ];
}

async function readLoad(files: KernelFiles, readings: Readings): Promise<void> {
  const columns = columnsOf(await files.proc('loadavg'));
  readings.gauge('node_load1', numberOf(columns[0]));
  readings.gauge('node_load5', numberOf(columns[1]));
  readings.gauge('node_load15', numberOf(columns[2]));
}

/** Boot time, time and names of the system (node_exporter: stat, time, uname). Uptime is
 *  `node_time_seconds - node_boot_time_seconds`. */
async function readUptime(files: KernelFiles, readings: Readings): Promise<void> {
  const text = await files.proc('stat');
  readings.gauge('node_boot_time_seconds', numberOf(/^btime (\d+)$/m.exec(text)?.[1]));
  readings.gauge('node_time_seconds', Date.now() / 1000);
  const name = async (file: string): Promise<string> =>
    (await files.procIfThere('sys', 'kernel', file))?.trim() ?? '';
  const release = await name('osrelease');
  if (release === '') return;
  readings.gauge('node_uname_info', 1, {
    sysname: await name('ostype'),
    release,
    version: await name('version'),
    nodename: await name('hostname'),
    domainname: await name('domainname'),
    machine: machine(),
  });
}

async function readFileDescriptors(files: KernelFiles, readings: Readings): Promise<void> {
  const columns = columnsOf(await files.proc('sys', 'fs', 'file-nr'));
  readings.gauge('node_filefd_allocated', numberOf(columns[0]));
  readings.gauge('node_filefd_maximum', numberOf(columns[2]));
}

const virtualMemory = /^(?:oom_kill|pgpg|pswp|pg.*fault)/;

async function readVirtualMemory(files: KernelFiles, readings: Readings): Promise<void> {
  for (const [name, value] of pairsOf(await files.proc('vmstat'))) {
    if (virtualMemory.test(name)) readings.untyped(`node_vmstat_${name}`, numberOf(value));
  }
}

/** Linux 4.20 and later, unless it is switched off (Documentation/accounting/psi). */
async function readPressure(files: KernelFiles, readings: Readings): Promise<void> {
  const read = async (resource: string, kind: string, name: string): Promise<void> => {
    const text = await files.procIfThere('pressure', resource);
    const found = new RegExp(`^${kind} .*\\btotal=(\\d+)`, 'm').exec(text ?? '')?.[1];
    const micros = numberOf(found);
    const seconds = micros === undefined ? undefined : micros / 1e6;
    readings.counter(`node_pressure_${resource}_${name}_seconds_total`, seconds);
  };
  await read('cpu', 'some', 'waiting');
  for (const resource of ['io', 'memory']) {
    await read(resource, 'some', 'waiting');
    await read(resource, 'full', 'stalled');
  }
}

/** `mem` counts pages. */
const pageBytes = 4096;

async function readSockets(files: KernelFiles, readings: Readings): Promise<void> {
  const texts = [
    await files.proc('net', 'sockstat'),
    (await files.procIfThere('net', 'sockstat6')) ?? '',
  ];
  for (const line of texts.join('\n').split('\n')) {
    const [protocol, ...columns] = columnsOf(line.replace(':', ' '));
    for (let at = 0; at + 1 < columns.length; at += 2) {
      const value = numberOf(columns[at + 1]);
      const name = `node_sockstat_${protocol}_${columns[at]}`;
      readings.gauge(name, value);
      if (columns[at] === 'mem' && value !== undefined) {
        readings.gauge(`${name}_bytes`, value * pageBytes);
      }
    }
  }
}
