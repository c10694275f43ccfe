import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const stragglersMs = 5000;

// Waits on a pipe from its parent. The pipe closes when the parent ends, by whatever cause
// (SIGKILL included, which no exit handler sees); then the guarded group goes, and its directory.
// The second removal catches files written by processes that were still dying.
const guardScript = `read -r _
kill -s KILL -- "-$1"
[ -n "$2" ] || exit 0
rm -rf -- "$2"; sleep 1; rm -rf -- "$2"`;

export interface GuardedProcess {
  /** Process id, and process group id. */
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves when the leader has ended, and then the rest of the group or 5 s have gone by.
   *  Holds the event loop open while awaited. */
  ended(): Promise<void>;
  hasEnded(): boolean;
  /** Signals the whole group; without effect once it is gone. */
  signal(signal: NodeJS.Signals): void;
}

export interface GuardedOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdio: StdioOptions;
  /** Removed when this process ends before the guarded one. */
  readonly removeWithParent?: string;
}

/** Starts a command in a process group of its own that cannot outlive this process.
 *  It does not keep the event loop open by itself. Throws when it cannot be started. */
export async function spawnGuarded(
  command: readonly string[],
  options: GuardedOptions,
): Promise<GuardedProcess> {
  const child = spawn(command[0]!, command.slice(1), {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: options.stdio,
    detached: true,
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await once(child, 'spawn');
  const pid = child.pid!;
  const guard = spawnGuard(pid, options.removeWithParent ?? '');
  child.unref();
  // The guard must not outlive the leader: the group's number could come to mean other processes.
  exited.then(() => guard.kill('SIGKILL'));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    pid,
    process: child,
    hasEnded,
    ended: async () => {
      child.ref();
      await exited;
      await groupGone(pid);
    },
    signal: (signal) => {
      signalGroup(pid, signal);
    },
  };
}

function spawnGuard(group: number, directory: string): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', guardScript, 'guard', String(group), directory], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.on('error', () => undefined);
  guard.stdin?.on('error', () => undefined);
  guard.unref();
  // A child's stdin pipe is a socket at run time, which its declared type (Writable) hides.
  (guard.stdin as Socket | null)?.unref();
  return guard;
}

/** Members that the leader leaves behind still hold its port and its files for a moment. */
async function groupGone(group: number): Promise<void> {
  const giveUpAt = Date.now() + stragglersMs;
  while (signalGroup(group, 0) && Date.now() < giveUpAt) await wait(20);
}

/** Returns whether the group had a member to signal; 0 signals nothing. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
