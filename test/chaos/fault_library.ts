import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project_root.ts';

/** The calls that the library watches, in the order of its source. */
export const watchedCalls = [
  'open',
  'write',
  'sync',
  'rename',
  'truncate',
  'unlink',
  'read',
  'list',
  'make_directory',
] as const;
export type WatchedCall = (typeof watchedCalls)[number];

export interface Fault {
  readonly calls: readonly WatchedCall[];
  /** What they answer; undefined: they are counted only. */
  readonly error?: 'ENOSPC' | 'EIO' | 'EMFILE' | 'EROFS' | undefined;
  /** Watched calls that still succeed; 0 when absent. */
  readonly skip?: number;
  /** How often they fail after that; for as long as it is armed when absent. */
  readonly times?: number;
  /** Only files whose path contains it. */
  readonly part?: string;
}

/** Room for kinds of calls in the library's control block. */
const kindsMax = 12;
const controlBytes = 4 * 4 + kindsMax * 4 * 2 + 64;
const seenAt = 16;
const failedAt = seenAt + kindsMax * 4;
const partAt = failedAt + kindsMax * 4;

/** Why this machine cannot build the library; undefined when it can. */
export function whyNoFaults(): string | undefined {
  if (process.platform !== 'linux') return 'LD_PRELOAD and /proc are Linux';
  if (compiler() === undefined) return 'there is no C compiler (gcc or cc)';
  return undefined;
}

/** The preloaded library of `faults.c`, built for one test, and the file that steers it. */
export class FaultLibrary {
  readonly #library: string;
  readonly #controlPath: string;
  readonly #control: number;

  constructor(directory: string) {
    this.#library = join(directory, 'faults.so');
    const source = join(projectRoot(), 'test', 'chaos', 'faults.c');
    const args = ['-shared', '-fPIC', '-O2', '-o', this.#library, source, '-ldl'];
    const built = spawnSync(compiler()!, args, { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`faults.c does not compile: ${built.stderr}`);
    this.#controlPath = join(directory, 'faults.control');
    writeFileSync(this.#controlPath, Buffer.alloc(controlBytes));
    this.#control = openSync(this.#controlPath, 'r+');
  }

  /** What a process needs in its environment, so that its files below `prefix` can fail. */
  environment(prefix: string): Record<string, string> {
    return {
      LD_PRELOAD: this.#library,
      SLUICE_FAULT_PREFIX: prefix,
      SLUICE_FAULT_CONTROL: this.#controlPath,
      // Calls through io_uring do not pass through the C library.
      UV_USE_IO_URING: '0',
    };
  }

  arm(fault: Fault): void {
    this.calm();
    const bytes = Buffer.alloc(controlBytes);
    bytes.writeInt32LE(fault.error === undefined ? 0 : constants.errno[fault.error], 4);
    bytes.writeInt32LE(fault.skip ?? 0, 8);
    bytes.writeInt32LE(fault.times ?? -1, 12);
    bytes.write(fault.part ?? '', partAt, 63, 'latin1');
    writeSync(this.#control, bytes, 0, controlBytes, 0);
    let mask = 0;
    for (const call of fault.calls) mask |= 1 << watchedCalls.indexOf(call);
    const first = Buffer.alloc(4);
    first.writeUInt32LE(mask);
    writeSync(this.#control, first, 0, 4, 0);
  }

  /** Lets all calls succeed again; the counts stay until the next `arm`. */
  calm(): void {
    writeSync(this.#control, Buffer.alloc(8), 0, 8, 0);
  }

  seen(): number {
    return this.#sum(seenAt);
  }

  failed(): number {
    return this.#sum(failedAt);
  }

  close(): void {
    closeSync(this.#control);
  }

  #sum(at: number): number {
    const bytes = Buffer.alloc(kindsMax * 4);
    readSync(this.#control, bytes, 0, bytes.length, at);
    let sum = 0;
    for (let index = 0; index < kindsMax; index++) sum += bytes.readInt32LE(4 * index);
    return sum;
  }
}

function compiler(): string | undefined {
  return ['gcc', 'cc'].find((name) => spawnSync(name, ['--version']).status === 0);
}
