import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from './server.ts';

const pollMs = 500;
const waitMsMax = 45 * 60_000;

/** Runs `work` while holding a lock file, which no other process then holds.
 *
 *  The file names its holder as "PID START", START being the holder's start time, so that a
 *  number used again by another process is not taken for the holder. A lock whose holder is gone
 *  is taken over. Two processes that take over at the same instant could both go on: what they
 *  guard is an installation that ends in one atomic rename, so that costs time and breaks nothing.
 *  Throws when the lock is not free within 45 minutes. */
export async function withInstallLock<Result>(
  path: string,
  log: Log,
  work: () => Promise<Result>,
): Promise<Result> {
  const mine = `${process.pid} ${startTime(process.pid)}`;
  await acquire(path, mine, log);
  try {
    return await work();
  } finally {
    if ((await readLock(path)) === mine) await rm(path, { force: true });
  }
}

async function acquire(path: string, mine: string, log: Log): Promise<void> {
  const startedAt = Date.now();
  // Written aside and linked into place, so that nobody ever reads a lock without its holder.
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(own, mine, { mode: 0o644 });
  try {
    let told = false;
    while (!(await linked(own, path))) {
      const holder = await readLock(path);
      if (holder !== undefined && !isAlive(holder)) {
        await takeAway(path, `${own}.stale`);
        continue;
      }
      if (Date.now() - startedAt > waitMsMax) {
        throw new Error(`The lock ${path} is still held by process ${holder}; end it or wait.`);
      }
      if (!told) log(`waiting for process ${holder?.split(' ')[0] ?? '?'}, which installs it`);
      told = true;
      await wait(pollMs);
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function takeAway(path: string, aside: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch {
    return; // Somebody else took it away first.
  }
  const holder = await readLock(aside);
  // Between the look and the rename a live process may have come: give it its lock back.
  if (holder !== undefined && isAlive(holder)) await linked(aside, path);
  await rm(aside, { force: true });
}

async function readLock(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function isAlive(holder: string): boolean {
  const [pid, start] = holder.split(' ');
  return start !== undefined && start !== '' && startTime(Number(pid)) === start;
}

/** Field 22 of /proc/PID/stat (proc(5)): ticks from boot to the process's start; empty if gone. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may hold spaces and parentheses itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
