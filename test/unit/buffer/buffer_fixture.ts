import type {
  AppendOutcome,
  DiskBuffer,
  DiskBufferOptions,
} from '../../../core/buffer/disk_buffer.ts';
import { openDiskBuffer } from '../../../core/buffer/disk_buffer.ts';
import type { QuarantinedRange } from '../../../core/buffer/quarantine.ts';
import type { MemoryFileSystem } from './memory_file_system.ts';

export const bufferDirectory = '/buffer';

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

export function recordingLog(lines: LogLine[] = []) {
  const at = (level: string) => (_fields: object, message: string) => {
    lines.push({ level, message });
  };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** Timers that a test sets off by hand. */
export class ManualTimers {
  #callbacks = new Set<() => void>();

  schedule = (_delayMs: number, callback: () => void): (() => void) => {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  };

  fire(): void {
    const callbacks = [...this.#callbacks];
    this.#callbacks.clear();
    for (const callback of callbacks) callback();
  }
}

/** Each open is a new process: earlier ones were killed, so their locks are stale. */
let pid = 1000;

export function openInMemory(
  fileSystem: MemoryFileSystem,
  options: Partial<DiskBufferOptions> = {},
): Promise<DiskBuffer> {
  pid++;
  const own = pid;
  return openDiskBuffer({
    directory: bufferDirectory,
    limitBytes: 1024 * 1024,
    whenFull: 'block',
    durability: 'fsync',
    log: recordingLog(),
    now: () => 1_000_000,
    schedule: () => () => undefined,
    fileSystem,
    processProbe: { pid: own, isAlive: (other) => other === own, startedAt: () => 'now' },
    ...options,
  });
}

export function segmentPaths(fileSystem: MemoryFileSystem): string[] {
  return [...fileSystem.files.keys()].filter((path) => /\/buffer\/\d+\.seg$/.test(path)).sort();
}

export async function appendText(
  buffer: DiskBuffer,
  text: string,
): Promise<AppendOutcome & { sequence: number }> {
  const outcome = await buffer.append(Buffer.from(`header of ${text}`), Buffer.from(text));
  if (outcome.kind !== 'stored') throw new Error(`expected stored, got ${outcome.kind}`);
  return outcome;
}

export async function texts(buffer: DiskBuffer): Promise<string[]> {
  const found: string[] = [];
  for (const sequence of buffer.pendingSequences()) {
    found.push((await buffer.read(sequence))!.body.toString());
  }
  return found;
}

/** Reads all that is pending; damaged chunks are left out. */
export async function intactTexts(buffer: DiskBuffer): Promise<string[]> {
  const found: string[] = [];
  for (const sequence of buffer.pendingSequences()) {
    try {
      found.push((await buffer.read(sequence))!.body.toString());
    } catch {
      // Counted by the buffer, which the caller asserts.
    }
  }
  return found;
}

export type { QuarantinedRange };
