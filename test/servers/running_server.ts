import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type GuardedProcess, spawnGuarded } from './guarded_process.ts';
import { makeRunDirectory } from './install_cache.ts';
import type { RunningServer } from './server.ts';

const pollMs = 100;
const stopGraceMs = 30_000;
const startsMax = 3;
const outputTailBytes = 4000;

/** How a server of one kind is launched once its directory and port are known. */
export interface Launch {
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly caPath?: string;
  /** Path that answers 200 when the server takes requests. */
  readonly readyPath: string;
}

export interface LaunchPlan {
  readonly name: string;
  /** The port asked for; a free one when absent. */
  readonly port: number | undefined;
  readonly readyMs: number;
  /** Writes the configuration into `directory`, which is new. */
  readonly prepare: (directory: string, port: number) => Promise<Launch>;
}

/** Starts a server and resolves when it answers.
 *  Throws with the end of the server's output when it ends or stays silent. */
export async function startServer(plan: LaunchPlan): Promise<RunningServer> {
  for (let attempt = 1; ; attempt += 1) {
    const directory = await makeRunDirectory(plan.name);
    try {
      const port = plan.port ?? (await freePort());
      const launch = await plan.prepare(directory, port);
      const process = await launchUntilReady(plan, launch, directory);
      return new LaunchedServer(plan, launch, directory, port, process);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      // A free port may be taken between the look and the server's own bind.
      const taken = /address already in use/i.test(String(error));
      if (!taken || plan.port !== undefined || attempt >= startsMax) throw error;
    }
  }
}

/** A port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}

class LaunchedServer implements RunningServer {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly caPath?: string;
  readonly dataDir: string;
  readonly #plan: LaunchPlan;
  readonly #launch: Launch;
  #process: GuardedProcess;

  constructor(
    plan: LaunchPlan,
    launch: Launch,
    dataDir: string,
    port: number,
    running: GuardedProcess,
  ) {
    this.name = plan.name;
    this.url = launch.url;
    this.port = port;
    if (launch.username !== undefined) this.username = launch.username;
    if (launch.password !== undefined) this.password = launch.password;
    if (launch.caPath !== undefined) this.caPath = launch.caPath;
    this.dataDir = dataDir;
    this.#plan = plan;
    this.#launch = launch;
    this.#process = running;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async stop(): Promise<void> {
    const running = this.#process;
    if (!running.hasEnded()) {
      running.signal('SIGTERM');
      running.signal('SIGCONT');
      const force = setTimeout(() => running.signal('SIGKILL'), stopGraceMs);
      await running.ended();
      clearTimeout(force);
    }
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 3 });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    if (this.#process.hasEnded()) return;
    this.#process.signal(signal);
    await this.#process.ended();
  }

  async restart(): Promise<void> {
    if (!this.#process.hasEnded()) throw new Error(`${this.name} still runs: kill it first.`);
    this.#process = await launchUntilReady(this.#plan, this.#launch, this.dataDir);
  }

  pause(): void {
    this.#process.signal('SIGSTOP');
  }

  resume(): void {
    this.#process.signal('SIGCONT');
  }

  ended(): Promise<void> {
    return this.#process.ended();
  }
}

async function launchUntilReady(
  plan: LaunchPlan,
  launch: Launch,
  directory: string,
): Promise<GuardedProcess> {
  const outputPath = join(directory, 'output.log');
  const output = openSync(outputPath, 'a', 0o600);
  // To a file and not a pipe, so that a test which blocks never blocks its server.
  const running = await spawnGuarded(launch.command, {
    cwd: directory,
    ...(launch.env === undefined ? {} : { env: launch.env }),
    stdio: ['ignore', output, output],
    removeWithParent: directory,
  }).finally(() => closeSync(output));
  const ca = launch.caPath === undefined ? undefined : await readFile(launch.caPath);
  const giveUpAt = Date.now() + plan.readyMs;
  while (!(await answersOk(launch, ca))) {
    const ended = running.hasEnded();
    if (ended || Date.now() > giveUpAt) {
      running.signal('SIGKILL');
      await running.ended();
      const how = ended ? 'ended while starting' : `did not answer within ${plan.readyMs / 1000} s`;
      const tail = (await readFile(outputPath, 'utf8')).slice(-outputTailBytes);
      throw new Error(`${plan.name} ${how}; the end of its output:\n${tail}`);
    }
    await wait(pollMs);
  }
  return running;
}

function answersOk(launch: Launch, ca: Buffer | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const url = new URL(launch.readyPath, launch.url);
    const options = {
      agent: false as const,
      timeout: 3000,
      ...(launch.username === undefined
        ? {}
        : { auth: `${launch.username}:${launch.password ?? ''}` }),
    };
    const probe =
      url.protocol === 'https:' ? requestHttps(url, { ...options, ca }) : requestHttp(url, options);
    probe.once('response', (response) => {
      response.resume();
      response.once('error', () => undefined);
      resolve(response.statusCode === 200);
    });
    probe.once('timeout', () => probe.destroy());
    probe.on('error', () => undefined);
    probe.once('close', () => resolve(false));
    probe.end();
  });
}
