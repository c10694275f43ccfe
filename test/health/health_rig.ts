import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../chaos/sink.ts';
import { endAgent, ended, LineWriter, startAgent } from '../crash/kill_rig.ts';
import { authority, lastingFaults, passingFaults, serverCertificate } from './faults.ts';
import { bulk, empty, FaultyServer } from './faulty_server.ts';

/** The promise: a fault is seen in so long. */
export const redMsMax = 30_000;
const pollMs = 100;

interface Problem {
  readonly component: string;
  readonly reason: string;
}

export interface HealthCounts {
  /** Seconds from each fault to the red probe that names it. */
  red: Record<string, number>;
  /** Seconds from the end of all passing faults until the agent is ready. */
  greenAgainAfter: number;
  /** Probes that were green while nothing was wrong. */
  greenProbes: number;
}

/** Faults of destinations, all at once, each in an output of its own of one of two real agents; then
 *  of the process. */
export async function healthRig(greenMs: number): Promise<HealthCounts> {
  const counts: HealthCounts = { red: {}, greenAgainAfter: 0, greenProbes: 0 };
  await Promise.all([pass(greenMs, counts), last(counts)]);
  return counts;
}

async function pass(greenMs: number, counts: HealthCounts): Promise<void> {
  const rig = await HealthRig.create();
  try {
    const servers = await rig.passing();
    await rig.green(greenMs, counts);
    await rig.write(50);
    await rig.green(greenMs, counts);
    await Promise.all(servers.map((server, k) => server.suffer(passingFaults[k]!.fault)));
    await rig.write(10);
    await rig.red(passingFaults, counts);
    await Promise.all(servers.map((server) => server.suffer({})));
    counts.greenAgainAfter = await rig.readyAgain();
    await rig.stopped(counts);
  } finally {
    await rig.close();
  }
}

async function last(counts: HealthCounts): Promise<void> {
  const rig = await HealthRig.create();
  try {
    await rig.lasting();
    await rig.write(50);
    await rig.red(lastingFaults, counts);
  } finally {
    await rig.close();
  }
}

class HealthRig {
  readonly #directory: string;
  readonly #writer: LineWriter;
  readonly #servers: FaultyServer[] = [];
  #agent: ChildProcess | undefined;
  #apiPort = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#writer = new LineWriter(directory);
  }

  static async create(): Promise<HealthRig> {
    return new HealthRig(await mkdtemp(join(tmpdir(), 'sluice-health-')));
  }

  write(lines: number): Promise<void> {
    return this.#writer.write(lines);
  }

  /** An agent with an output for each fault that passes; resolves with their servers. */
  async passing(): Promise<FaultyServer[]> {
    await writeFile(join(this.#directory, 'ca.pem'), authority.certificate);
    const outputs: string[] = [];
    for (const [k, { plugin, isTls }] of passingFaults.entries()) {
      const right = plugin === 'elasticsearch' ? bulk(201) : empty;
      const server = await this.#server(right, isTls === true);
      const tls = isTls === true ? ', tls: on, tls.ca_file: ca.pem' : '';
      const more = { http: '', elasticsearch: ', index: i', loki: ', labels: a=b' }[plugin];
      const options = `name: ${plugin}, host: 127.0.0.1, port: ${server.port}${more}${tls}`;
      outputs.push(`{${options}, alias: f${k}, match: '*'}`);
    }
    const servers = [...this.#servers];
    await this.#start(outputs);
    return servers;
  }

  async lasting(): Promise<void> {
    const outputs: string[] = [];
    for (const [k, { options, answer }] of lastingFaults.entries()) {
      const server = await this.#server(answer, false);
      const filled = options.replace('PORT', `${server.port}`);
      outputs.push(`{${filled}, alias: f${k}, match: '*', concurrency: 1}`);
    }
    await this.#start(outputs);
  }

  /** Nothing is wrong: no probe says that anything is. */
  async green(ms: number, counts: HealthCounts): Promise<void> {
    for (const endMs = performance.now() + ms; performance.now() < endMs; await wait(pollMs)) {
      assert.deepEqual(await this.#problems(), []);
      assert.equal((await this.#probe('/livez')).status, 200);
      counts.greenProbes += 2;
    }
  }

  /** Each fault is named with its reason, and the output that is well never is. */
  async red(
    faults: readonly { readonly name: string; readonly reason: RegExp }[],
    counts: HealthCounts,
  ): Promise<void> {
    const startMs = performance.now();
    const open = new Map(faults.map((fault, k) => [`output f${k}`, fault]));
    let seen: Problem[] = [];
    while (open.size > 0) {
      const ms = performance.now() - startMs;
      const missing = () => {
        const named = [...open].map(
          ([component, { name }]) =>
            `${name}: ${JSON.stringify(seen.find((one) => one.component === component))}`,
        );
        return `not seen:\n${named.join('\n')}`;
      };
      assert.ok(ms < redMsMax, missing());
      await this.write(1);
      await wait(pollMs);
      seen = await this.#problems();
      for (const { component, reason } of seen) {
        assert.notEqual(component, 'output well');
        const fault = open.get(component);
        if (fault === undefined || !fault.reason.test(reason)) continue;
        open.delete(component);
        counts.red[fault.name] = Math.round((performance.now() - startMs) / 100) / 10;
      }
    }
    assert.equal((await this.#probe('/livez')).status, 200, 'alive all the time');
  }

  /** Seconds until nothing is wrong any more. */
  async readyAgain(): Promise<number> {
    const startMs = performance.now();
    for (;;) {
      const problems = await this.#problems();
      const ms = performance.now() - startMs;
      if (problems.length === 0) return Math.round(ms / 100) / 10;
      assert.ok(ms < 2 * redMsMax, JSON.stringify(problems));
      await wait(pollMs);
    }
  }

  /** A process that stands still, and one that is gone, answer no probe. */
  async stopped(counts: HealthCounts): Promise<void> {
    const agent = this.#agent!;
    for (const [name, signal] of [
      ['the process stands still', 'SIGSTOP'],
      ['the process is gone', 'SIGKILL'],
    ] as const) {
      const startMs = performance.now();
      agent.kill(signal);
      if (signal === 'SIGKILL') await ended(agent);
      await assert.rejects(this.#probe('/livez'), name);
      counts.red[name] = Math.round((performance.now() - startMs) / 100) / 10;
    }
  }

  async close(): Promise<void> {
    if (this.#agent !== undefined) {
      endAgent(this.#agent);
      await ended(this.#agent);
    }
    for (const server of this.#servers) await server.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #server(answer: Parameters<typeof FaultyServer.listen>[0], isTls: boolean) {
    const server = await FaultyServer.listen(answer, isTls ? serverCertificate : undefined);
    this.#servers.push(server);
    return server;
  }

  async #start(outputs: readonly string[]): Promise<void> {
    const well = await this.#server(empty, false);
    this.#apiPort = await freePort();
    const text = `
service:
  flush: 100ms
  scheduler.base: 200ms
  scheduler.cap: 1s
  health.oldest_unacknowledged: 15s
  log_level: off
  storage.path: data
  http_server: on
  http_port: ${this.#apiPort}
pipeline:
  inputs: [{name: tail, path: '*.log', read_from_head: true, refresh_interval: 100ms}]
  outputs:
    - {name: http, alias: well, match: '*', host: 127.0.0.1, port: ${well.port}}
${outputs.map((output) => `    - ${output}\n`).join('')}`;
    await writeFile(join(this.#directory, 'pipeline.yaml'), text);
    this.#agent = startAgent(this.#directory);
    const startMs = performance.now();
    while (
      !(await this.#problems().then(
        (problems) => !problems.some(({ component }) => component === 'agent'),
        () => false,
      ))
    ) {
      assert.equal(this.#agent.exitCode, null, 'the agent ended');
      assert.ok(performance.now() - startMs < redMsMax, 'the agent does not answer');
      await wait(pollMs);
    }
  }

  async #problems(): Promise<Problem[]> {
    const response = await this.#probe('/readyz');
    const { problems } = (await response.json()) as { problems: Problem[] };
    assert.equal(response.status, problems.length === 0 ? 200 : 503);
    return problems;
  }

  #probe(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#apiPort}${path}`, { signal: AbortSignal.timeout(2000) });
  }
}
