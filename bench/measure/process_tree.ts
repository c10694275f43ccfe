import { readFileSync } from 'node:fs';

/** Ticks of a second in /proc (Linux on all its usual machines). */
const ticksPerSecond = 100;

export interface TreeUsage {
  /** User and system time of the live processes and of those they have waited for. */
  readonly cpuSeconds: number;
  /** Sum of the live processes' largest resident sizes so far. */
  readonly peakRssBytes: number;
  /** Sum of the live processes' resident sizes. */
  readonly rssBytes: number;
  readonly processes: number;
}

/** What a process and all its descendants have used, from /proc (proc(5)): Linux only. Processes
 *  that ended count once their parent has waited for them. */
export function treeUsage(rootPid: number): TreeUsage {
  let ticks = 0;
  let peakRssBytes = 0;
  let rssBytes = 0;
  let processes = 0;
  const pids = [rootPid];
  for (let pid = pids.pop(); pid !== undefined; pid = pids.pop()) {
    const fields = statFields(pid);
    if (fields === undefined) continue;
    processes++;
    // utime, stime, cutime, cstime: fields 14 to 17; the list starts at field 3.
    for (let field = 11; field <= 14; field++) ticks += Number(fields[field]);
    const status = readText(`/proc/${pid}/status`);
    peakRssBytes += kilobytes(status, 'VmHWM') * 1024;
    rssBytes += kilobytes(status, 'VmRSS') * 1024;
    pids.push(...childrenOf(pid));
  }
  return { cpuSeconds: ticks / ticksPerSecond, peakRssBytes, rssBytes, processes };
}

/** Processes whose parent is, or was started by a thread of, this one. */
export function childrenOf(pid: number): number[] {
  const text = readText(`/proc/${pid}/task/${pid}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

/** User and system time of the children that a process has waited for. */
export function waitedSeconds(pid: number): number {
  const fields = statFields(pid);
  return fields === undefined ? 0 : (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

function statFields(pid: number): string[] | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === '') return undefined;
  // The second field is the command in parentheses and may hold spaces and parentheses itself.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // The process is gone.
  }
}
