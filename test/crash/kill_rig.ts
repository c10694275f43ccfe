import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file of the command `sluice`. */
export const agentProgram = fileURLToPath(new URL('../../bundle/sluice.js', import.meta.url));
const severalAgents = fileURLToPath(new URL('several_agents.js', import.meta.url));

/** Appends numbered lines, and renames its file as logrotate does. */
export class LineWriter {
  lines = 0;
  private rotations = 0;
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async write(count: number): Promise<void> {
    let text = '';
    for (let k = 0; k < count; k++) text += `line ${this.lines++}\n`;
    await appendFile(join(this.directory, 'app.log'), text);
  }

  /** Returns the path of the file that was renamed. */
  async rotate(): Promise<string> {
    const path = join(this.directory, 'app.log');
    const rotated = join(this.directory, `app.log.${++this.rotations}`);
    await rename(path, rotated);
    return rotated;
  }
}

const running = new Set<ChildProcess>();

/** Ends what a failed test left running: for its `finally`. */
export function endAgents(): void {
  for (const agent of running) agent.kill('SIGKILL');
}

/** Ends one agent at once. */
export function endAgent(agent: ChildProcess): void {
  agent.kill('SIGKILL');
}

/** Runs `sluice run DIRECTORY/pipeline.yaml` as a process of its own. */
export function startAgent(
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  return start([agentProgram, 'run', join(directory, 'pipeline.yaml')], directory, environment);
}

/** The same for several directories in one process; for one it is what `startAgent` does. */
export function startAgents(directories: readonly string[]): ChildProcess {
  const [first, ...others] = directories;
  if (others.length === 0) return startAgent(first!);
  return start([severalAgents, ...directories], first!, {});
}

function start(
  args: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  const agent = spawn(process.execPath, args, {
    cwd,
    // Its own pipe: an agent that outlives a test would keep the pipe that it inherits open.
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  agent.stderr?.pipe(process.stderr, { end: false });
  running.add(agent);
  agent.once('exit', () => running.delete(agent));
  return agent;
}

/** Kills the process at once and waits until it is gone. */
export async function killed(agent: ChildProcess): Promise<void> {
  agent.kill('SIGKILL');
  await ended(agent);
}

/** Resolves with the exit code once the process is gone. */
export function ended(agent: ChildProcess): Promise<number | null> {
  if (agent.exitCode !== null || agent.signalCode !== null) return Promise.resolve(agent.exitCode);
  return new Promise((resolve) => agent.once('exit', (code) => resolve(code)));
}
