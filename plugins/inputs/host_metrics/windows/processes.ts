import type { Readings } from '../host_source.ts';
import { count64, seconds, type WindowsKernel } from './windows_kernel.ts';

type ProcessTable = ReturnType<WindowsKernel['processes']>;

interface ProcessFacts {
  readonly id: string;
  readonly parent: string;
  readonly name: string;
  readonly threads: number;
  readonly handles: number;
  readonly userSeconds: number;
  readonly kernelSeconds: number;
  readonly workingSetBytes: number;
  readonly privateBytes: number;
}

const processesMax = 100_000;
const entryBytes = 208;

/** Names those processes that used most CPU time since the last reading, and those with most memory.
 *  Source: winternl.h, SYSTEM_PROCESS_INFORMATION. */
export class ProcessReader {
  private readonly top: number;
  private before = new Map<string, number>();

  constructor(top: number) {
    this.top = top;
  }

  read(table: ProcessTable, readings: Readings): void {
    const found = parseProcesses(table);
    const total = (facts: ProcessFacts): number => facts.userSeconds + facts.kernelSeconds;
    const used = (facts: ProcessFacts): number => total(facts) - (this.before.get(facts.id) ?? 0);
    const byCpu = [...found].sort((a, b) => used(b) - used(a)).slice(0, this.top);
    const byMemory = [...found]
      .sort((a, b) => b.workingSetBytes - a.workingSetBytes)
      .slice(0, this.top);
    for (const facts of new Set([...byCpu, ...byMemory])) add(facts, readings);
    this.before = new Map(found.map((facts) => [facts.id, total(facts)]));
  }
}

function add(facts: ProcessFacts, readings: Readings): void {
  const labels = {
    ...{ process: facts.name, process_id: facts.id, creating_process_id: facts.parent },
  };
  const time = (mode: string, value: number): void =>
    readings.counter('windows_process_cpu_time_total', value, { ...labels, mode });
  time('privileged', facts.kernelSeconds);
  time('user', facts.userSeconds);
  readings.gauge('windows_process_threads', facts.threads, labels);
  readings.gauge('windows_process_handles', facts.handles, labels);
  readings.gauge('windows_process_working_set_bytes', facts.workingSetBytes, labels);
  readings.gauge('windows_process_private_bytes', facts.privateBytes, labels);
}

/** The idle process, 0, is left out. */
export function parseProcesses({ bytes, address }: ProcessTable): ProcessFacts[] {
  const found: ProcessFacts[] = [];
  let at = 0;
  while (at + entryBytes <= bytes.length && found.length < processesMax) {
    const id = count64(bytes, at + 80);
    if (id !== 0) {
      found.push({
        id: String(id),
        parent: String(count64(bytes, at + 88)),
        name: nameOf(bytes, at, address),
        threads: bytes.readUInt32LE(at + 4),
        handles: bytes.readUInt32LE(at + 96),
        userSeconds: seconds(bytes, at + 40),
        kernelSeconds: seconds(bytes, at + 48),
        workingSetBytes: count64(bytes, at + 144),
        privateBytes: count64(bytes, at + 200),
      });
    }
    const next = bytes.readUInt32LE(at);
    if (next === 0) break;
    at += next;
  }
  return found;
}

/** `chrome` of `chrome.exe`, as performance counters have it. */
function nameOf(bytes: Buffer, at: number, address: bigint): string {
  const length = bytes.readUInt16LE(at + 56);
  const from = Number(bytes.readBigUInt64LE(at + 64) - address);
  if (from < 0 || from + length > bytes.length) return '';
  return bytes.toString('utf16le', from, from + length).replace(/\.exe$/i, '');
}
