import { type HostCollector, Readings } from '../host_source.ts';
import { ticksPerSecond } from './cpu.ts';
import { columnsOf, type KernelFiles, numberOf } from './kernel_files.ts';

interface ProcessFacts {
  readonly pid: string;
  readonly name: string;
  readonly state: string;
  readonly threads: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

const pageBytes = 4096;
/** More are counted by `node_processes_pids` alone, so that a reading stays bounded. */
const processesMax = 100_000;

/** Counts of processes by state (node_exporter: processes, stat), and, if asked for, those that
 *  take most CPU time and most memory. */
export function processesCollector(files: KernelFiles, top: number): HostCollector {
  let before = new Map<string, number>();
  return {
    name: 'processes',
    lane: 'normal',
    async collect(signal) {
      const readings = new Readings();
      await readCounts(files, readings);
      const pids = (await files.procNames()).filter((name) => /^\d+$/.test(name));
      const found: ProcessFacts[] = [];
      for (const pid of pids.slice(0, processesMax)) {
        if (signal.aborted) break;
        const facts = await readProcess(files, pid);
        if (facts !== undefined) found.push(facts);
      }
      addStates(found, readings);
      readings.gauge('node_processes_pids', pids.length);
      if (top > 0) {
        addTop(found, before, top, readings);
        before = new Map(found.map((facts) => [facts.pid, facts.cpuSeconds]));
      }
      return readings.metrics;
    },
  };
}

async function readCounts(files: KernelFiles, readings: Readings): Promise<void> {
  const text = await files.proc('stat');
  const count = (key: string): number | undefined =>
    numberOf(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1]);
  readings.gauge('node_procs_running', count('procs_running'));
  readings.gauge('node_procs_blocked', count('procs_blocked'));
  const limit = async (file: string): Promise<number | undefined> =>
    numberOf((await files.procIfThere('sys', 'kernel', file))?.trim());
  readings.gauge('node_processes_max_processes', await limit('pid_max'));
  readings.gauge('node_processes_max_threads', await limit('threads-max'));
}

/** Undefined for a process that is gone. Source: proc(5), /proc/pid/stat. */
async function readProcess(files: KernelFiles, pid: string): Promise<ProcessFacts | undefined> {
  const text = await files.procIfThere(pid, 'stat');
  // The name stands in brackets and may have brackets and spaces itself.
  const open = text?.indexOf('(') ?? -1;
  const close = text?.lastIndexOf(')') ?? -1;
  if (text === undefined || open < 0 || close < open) return undefined;
  const columns = columnsOf(text.slice(close + 1));
  const ticks = (numberOf(columns[11]) ?? 0) + (numberOf(columns[12]) ?? 0);
  return {
    pid,
    name: text.slice(open + 1, close),
    state: columns[0] ?? '?',
    threads: numberOf(columns[17]) ?? 0,
    cpuSeconds: ticks / ticksPerSecond,
    residentBytes: (numberOf(columns[21]) ?? 0) * pageBytes,
  };
}

function addStates(found: readonly ProcessFacts[], readings: Readings): void {
  const states = new Map<string, number>();
  let threads = 0;
  for (const facts of found) {
    states.set(facts.state, (states.get(facts.state) ?? 0) + 1);
    threads += facts.threads;
  }
  for (const [state, count] of states) readings.gauge('node_processes_state', count, { state });
  readings.gauge('node_processes_threads', threads);
}

/** Those that used most CPU time since the last reading, and those with most memory. */
function addTop(
  found: readonly ProcessFacts[],
  before: ReadonlyMap<string, number>,
  top: number,
  readings: Readings,
): void {
  const used = (facts: ProcessFacts): number => facts.cpuSeconds - (before.get(facts.pid) ?? 0);
  const byCpu = [...found].sort((a, b) => used(b) - used(a)).slice(0, top);
  const byMemory = [...found].sort((a, b) => b.residentBytes - a.residentBytes).slice(0, top);
  for (const facts of new Set([...byCpu, ...byMemory])) {
    const labels = { pid: facts.pid, name: facts.name };
    readings.counter('node_process_cpu_seconds_total', facts.cpuSeconds, labels);
    readings.gauge('node_process_resident_memory_bytes', facts.residentBytes, labels);
  }
}
