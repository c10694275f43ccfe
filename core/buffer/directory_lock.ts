import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../errors/sluice_error.ts';
import { readWholeFile, removeIfPresent } from './atomic_file.ts';
import { errorCodeOf, type FileSystem } from './file_system.ts';
import { storageFailed } from './storage_error.ts';

/** What tells one run of a process from another; a test stands in for the machine. */
export interface ProcessProbe {
  readonly pid: number;
  isAlive(pid: number): boolean;
  /** When a process started, in a form that two runs under one pid never share; undefined: unknown. */
  startedAt(pid: number): string | undefined;
}

export interface DirectoryLock {
  release(): Promise<void>;
}

interface LockContent {
  readonly pid: number;
  readonly started: string;
  readonly token: string;
}

const lockName = 'lock';
const attemptsMax = 3;
/** Clocks are set now and then. */
const clockSlackMs = 60_000;

/**
 * Takes a directory for this process: a file `lock` with its pid and start. A lock whose process is
 * gone, or whose pid now belongs to a later process (containers reuse theirs), is taken over.
 * Processes of different hosts or pid namespaces cannot see each other.
 * Errors: SLUICE_STORAGE_LOCKED while the holder lives, SLUICE_STORAGE_FAILED.
 */
export async function lockDirectory(
  fileSystem: FileSystem,
  directory: string,
  probe: ProcessProbe = nodeProcessProbe(),
): Promise<DirectoryLock> {
  const path = join(directory, lockName);
  const token = randomBytes(8).toString('hex');
  const mine: LockContent = { pid: probe.pid, started: probe.startedAt(probe.pid) ?? '', token };
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (await createLock(fileSystem, path, mine)) return holdLock(fileSystem, path, token);
      const holder = await readLock(fileSystem, path);
      if (holder && isHeld(holder, probe)) throw lockedError(directory, holder.pid);
      await setAside(fileSystem, path, holder?.token, token);
    }
  } catch (error) {
    throw storageFailed(`lock ${directory}`, error);
  }
  throw lockedError(directory, undefined);
}

/** The process that holds a directory now; undefined when none does, or when it cannot be read. */
export async function directoryHolder(
  fileSystem: FileSystem,
  directory: string,
  probe: ProcessProbe = nodeProcessProbe(),
): Promise<number | undefined> {
  const holder = await readLock(fileSystem, join(directory, lockName)).catch(() => undefined);
  return holder !== undefined && isHeld(holder, probe) ? holder.pid : undefined;
}

/** The processes of this machine. */
export function nodeProcessProbe(): ProcessProbe {
  return { pid: process.pid, isAlive, startedAt };
}

function holdLock(fileSystem: FileSystem, path: string, token: string): DirectoryLock {
  return {
    release: async () => {
      const current = await readLock(fileSystem, path);
      if (current?.token === token) await removeIfPresent(fileSystem, path);
    },
  };
}

async function createLock(
  fileSystem: FileSystem,
  path: string,
  content: LockContent,
): Promise<boolean> {
  try {
    const file = await fileSystem.open(path, 'create');
    try {
      await file.write([Buffer.from(`${JSON.stringify(content)}\n`)], 0);
    } catch (error) {
      // On a full disk an agent must still start, to drain: an empty lock protects less.
      if (errorCodeOf(error) !== 'ENOSPC' && errorCodeOf(error) !== 'EDQUOT') throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readLock(fileSystem: FileSystem, path: string): Promise<LockContent | undefined> {
  const content = await readWholeFile(fileSystem, path, 4096);
  if (content === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(content.toString());
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { pid, started, token } = parsed as Partial<Record<keyof LockContent, unknown>>;
    if (typeof pid !== 'number' || typeof started !== 'string' || typeof token !== 'string') {
      return undefined;
    }
    return { pid, started, token };
  } catch {
    // A lock whose writer died halfway holds nothing.
    return undefined;
  }
}

/** Moves a stale lock away; puts it back if another process has replaced it meanwhile. */
async function setAside(
  fileSystem: FileSystem,
  path: string,
  staleToken: string | undefined,
  token: string,
): Promise<void> {
  const aside = `${path}.stale.${token}`;
  try {
    await fileSystem.rename(path, aside);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await readLock(fileSystem, aside);
  if (moved && moved.token !== staleToken) await fileSystem.rename(aside, path);
  else await removeIfPresent(fileSystem, aside);
}

function isHeld(holder: LockContent, probe: ProcessProbe): boolean {
  if (!probe.isAlive(holder.pid)) return false;
  const started = probe.startedAt(holder.pid);
  if (started === undefined && isBeforeBoot(holder.started)) return false;
  return started === undefined || holder.started === '' || started === holder.started;
}

function lockedError(directory: string, pid: number | undefined): SluiceError {
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return new SluiceError(
    'SLUICE_STORAGE_LOCKED',
    `${directory} is in use by ${holder}: stop it, or choose another \`storage.path\`.`,
  );
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCodeOf(error) === 'EPERM';
  }
}

function startedAt(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
      // proc(5): field 22 is the start; the name in field 2 may hold spaces and parentheses.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return `${boot}:${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
    } catch {
      // Without /proc, or with the process gone, a live pid alone counts as the holder.
      return undefined;
    }
  }
  if (pid !== process.pid) return undefined;
  // The same whenever it is asked for.
  return String(Math.round(performance.timeOrigin));
}

/** Whether a start, as systems other than Linux write it, was before this machine's: then its pid is
 *  another process' by now. */
function isBeforeBoot(started: string): boolean {
  if (!/^\d+$/.test(started)) return false;
  const bootedAtMs = Date.now() - uptime() * 1000;
  return Number(started) < bootedAtMs - clockSlackMs;
}
