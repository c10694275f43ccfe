import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { childrenOf, type TreeUsage, treeUsage, waitedSeconds } from './process_tree.ts';

export interface Command {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** File for its standard output and error. */
  readonly logPath: string;
}

// The shell waits for the agent, so that what it used can still be read once it has ended. The pipe
// it reads from closes when this process ends, by whatever cause: then the whole group goes.
const script = `exec 3<&0
"$@" </dev/null 3<&- &
agent=$!
{ read -r _ <&3; kill -s KILL -- "-$$"; } &
wait $agent
wait`;

/** A program under measurement. */
export class MeasuredProcess {
  private readonly shell: ChildProcess;
  private readonly agentPid: number;
  private readonly logPath: string;
  private peakRssBytes = 0;

  static async start({ command, cwd, env, logPath }: Command): Promise<MeasuredProcess> {
    const log = openSync(logPath, 'w', 0o600);
    try {
      const shell = spawn('/bin/sh', ['-c', script, 'sh', ...command], {
        cwd,
        env: { ...process.env, ...env },
        stdio: ['pipe', log, log],
        detached: true,
      });
      // The agent is the shell's first child.
      let pid: number | undefined;
      while ((pid = childrenOf(shell.pid!)[0]) === undefined) await wait(1);
      return new MeasuredProcess(shell, pid, logPath);
    } finally {
      closeSync(log);
    }
  }

  private constructor(shell: ChildProcess, agentPid: number, logPath: string) {
    this.shell = shell;
    this.agentPid = agentPid;
    this.logPath = logPath;
  }

  usage(): TreeUsage {
    const usage = treeUsage(this.agentPid);
    // Once the agent is gone, the shell has waited for it.
    const cpuSeconds = usage.processes === 0 ? waitedSeconds(this.shell.pid!) : usage.cpuSeconds;
    this.peakRssBytes = Math.max(this.peakRssBytes, usage.peakRssBytes);
    return { ...usage, cpuSeconds, peakRssBytes: this.peakRssBytes };
  }

  isRunning(): boolean {
    return childrenOf(this.shell.pid!).includes(this.agentPid);
  }

  /** The end of what it wrote. */
  log(): string {
    return readFileSync(this.logPath, 'utf8').slice(-2000);
  }

  /** Asks it to end, and makes it after `graceMs`. */
  async stop(graceMs = 10_000): Promise<void> {
    const exited = new Promise((resolve) => this.shell.once('exit', resolve));
    if (this.isRunning()) signal(this.agentPid, 'SIGTERM');
    const deadlineMs = Date.now() + graceMs;
    while (this.isRunning() && Date.now() < deadlineMs) await wait(20);
    signal(-this.shell.pid!, 'SIGKILL');
    if (this.shell.exitCode === null && this.shell.signalCode === null) await exited;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}
