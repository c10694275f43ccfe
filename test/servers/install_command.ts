import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { spawnGuarded } from './guarded_process.ts';
import type { Log } from './server.ts';

const progressEveryMs = 15_000;
const tailLinesMax = 15;

export interface InstallCommand {
  /** What it does, as a phrase: "building Loki". */
  readonly what: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly deadlineMs: number;
  /** Names the thing that each output line stands for, to be counted in the progress line. */
  readonly lineNoun?: string;
}

/** Runs one step of an installation, with a line of progress at times.
 *  Throws with the end of its output when it fails or takes longer than its deadline. */
export async function runInstallCommand(step: InstallCommand, log: Log): Promise<void> {
  const startedAt = Date.now();
  const tail: string[] = [];
  let lines = 0;
  const running = await spawnGuarded(step.command, {
    cwd: step.cwd,
    ...(step.env === undefined ? {} : { env: step.env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  }).catch((error: Error) => {
    throw new Error(`${step.what} failed: ${step.command[0]} cannot be run (${error.message}).`);
  });
  const collect = (stream: Readable | null): void => {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      lines += 1;
      tail.push(line.slice(0, 500));
      if (tail.length > tailLinesMax) tail.shift();
    });
  };
  collect(running.process.stdout);
  collect(running.process.stderr);
  const seconds = (): number => Math.round((Date.now() - startedAt) / 1000);
  const progress = setInterval(() => {
    const counted = step.lineNoun === undefined ? '' : `, ${lines} ${step.lineNoun}`;
    log(`${step.what}: ${seconds()} s${counted}`);
  }, progressEveryMs);
  let timedOut = false;
  const deadline = setTimeout(() => {
    timedOut = true;
    running.signal('SIGKILL');
  }, step.deadlineMs);
  const closed = new Promise<void>((resolve) => running.process.once('close', () => resolve()));
  await running.ended().finally(() => {
    clearInterval(progress);
    clearTimeout(deadline);
  });
  await closed;
  if (running.process.exitCode === 0) return;
  const how = timedOut ? `took longer than ${step.deadlineMs / 1000} s` : 'failed';
  throw new Error(`${step.what} ${how}:\n${tail.join('\n')}`);
}
