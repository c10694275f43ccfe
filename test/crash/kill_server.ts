import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil } from '../../core/testing/index.ts';
import { freePort } from '../chaos/sink.ts';
import type { Destination } from '../destinations/destination.ts';
import { FaultyProxy, sometimes } from '../destinations/faulty_proxy.ts';
import { Random } from '../model/random.ts';
import type { RunningServer } from '../servers/index.ts';
import { endAgent, ended, killed, LineWriter, startAgent } from './kill_rig.ts';

export interface ServerKills {
  readonly seed: number;
  readonly kills: number;
  readonly storage: 'memory' | 'filesystem';
  /** One that runs already; left out: one is started for the rig. */
  readonly server?: RunningServer;
  /** Number of the first line, where the server has lines of an earlier run. */
  readonly base?: number;
}

export interface ServerKillCounts {
  kills: number;
  lines: number;
  rotations: number;
  requests: number;
  /** Records of an HTTP client whose requests were answered with 200. */
  recordsAnswered: number;
  /** Lines and answered records that the server does not have. */
  lost: number;
  /** Lines and records that it has more often than once. */
  twice: number;
}

/** Records of the HTTP client are numbered from here on, lines from 0. */
const clientBase = 1_000_000_000;
const requestRecords = 10;
const clients = 4;
/** Lines are lost when nothing new arrives for this long. */
const silenceMs = 60_000;

/** Kills an agent again and again that delivers to a real server, 30 % of whose requests fail; it
 *  reads a file that is written and rotated, and, where a client may send, takes its requests. At
 *  the end the server has every line, and every record that was answered with 200, exactly once. */
export async function killServer(
  destination: Destination,
  options: ServerKills,
): Promise<ServerKillCounts> {
  const server = options.server ?? (await destination.start());
  const proxy = await FaultyProxy.listen(server.port);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-kill-server-'));
  const rig = new ServerKillRig(destination, server, proxy, directory, options);
  try {
    return await rig.run();
  } finally {
    rig.end();
    await proxy.close();
    if (options.server === undefined) await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

class ServerKillRig {
  readonly #destination: Destination;
  readonly #server: RunningServer;
  readonly #proxy: FaultyProxy;
  readonly #directory: string;
  readonly #options: ServerKills;
  readonly #random: Random;
  readonly #writer: LineWriter;
  readonly #answered: number[] = [];
  #agent: ChildProcess | undefined;
  #httpPort = 0;
  #next: number;
  #rotations = 0;
  #isOver = false;

  constructor(
    destination: Destination,
    server: RunningServer,
    proxy: FaultyProxy,
    directory: string,
    options: ServerKills,
  ) {
    this.#destination = destination;
    this.#server = server;
    this.#proxy = proxy;
    this.#directory = directory;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#writer = new LineWriter(directory);
    this.#writer.lines = options.base ?? 0;
    this.#next = clientBase + this.#writer.lines;
    proxy.fault = sometimes(0.3, () => this.#random.next());
  }

  async run(): Promise<ServerKillCounts> {
    this.#httpPort = await freePort();
    await writeFile(join(this.#directory, 'pipeline.yaml'), this.#pipeline());
    const posting = Array.from({ length: clients }, () => this.#post());
    const work = Promise.all([this.#writeLines(), ...posting]);
    for (let kill = 0; kill < this.#options.kills; kill++) {
      this.#agent = startAgent(this.#directory);
      await this.#killMoment(kill);
      await killed(this.#agent);
    }
    this.#agent = startAgent(this.#directory);
    this.#isOver = true;
    await work;
    await this.#listening();
    const stored = await this.#settled();
    this.#agent.kill('SIGTERM');
    assert.equal(await ended(this.#agent), 0);
    const counts = this.#counts(stored);
    const twice = [...stored].filter(([, times]) => times > 1).map(([number]) => number);
    const seen = { lost: counts.lost, twice: rangesOf(twice) };
    assert.deepEqual(seen, { lost: 0, twice: '' }, JSON.stringify({ ...counts, ...seen }));
    assert.ok(counts.recordsAnswered > 0, 'the client had an answer');
    return counts;
  }

  end(): void {
    this.#isOver = true;
    if (this.#agent !== undefined) endAgent(this.#agent);
  }

  /** A third of the kills strikes at any time from the start on, a third around a delivery, a third
   *  around an answer to the client, which without a disk buffer comes after the delivery. */
  async #killMoment(kill: number): Promise<void> {
    if (kill % 3 === 0) return await pause(this.#random.below(1200));
    const seen = () => (kill % 3 === 1 ? this.#proxy.requests : this.#answered.length);
    const before = seen();
    for (let ms = 0; ms < 15_000 && seen() === before; ms += 5) await pause(5);
    await pause(this.#random.below(this.#random.pick([5, 50, 400])));
  }

  async #writeLines(): Promise<void> {
    while (!this.#isOver) {
      await this.#writer.write(20);
      if (this.#random.chance(0.03)) {
        await this.#writer.rotate();
        this.#rotations++;
      }
      await pause(50);
    }
  }

  /** Sends each record once: a request that was not answered is not sent again. */
  async #post(): Promise<void> {
    while (!this.#isOver) {
      const numbers = Array.from({ length: requestRecords }, () => this.#next++);
      const response = await fetch(`http://127.0.0.1:${this.#httpPort}/client`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: numbers.map((n) => `{"log":"line ${n}"}\n`).join(''),
      }).catch(() => undefined);
      const text = await response?.text().catch(() => undefined);
      if (response?.status === 200 && text !== undefined) this.#answered.push(...numbers);
      await pause(50);
    }
  }

  /** A process that has not yet begun to run ends at once with the signal to stop. */
  async #listening(): Promise<void> {
    const url = `http://127.0.0.1:${this.#httpPort}/`;
    const isUp = () =>
      fetch(url, { method: 'HEAD' }).then(
        () => true,
        () => false,
      );
    await waitUntil('the agent listens', isUp, silenceMs);
  }

  async #settled(): Promise<Map<number, number>> {
    let last = { missing: Number.POSITIVE_INFINITY, atMs: performance.now() };
    for (;;) {
      const stored = await this.#destination.stored(this.#server, this.#writer.lines);
      const { lost: missing } = this.#counts(stored);
      if (missing === 0 || performance.now() - last.atMs > silenceMs) return stored;
      if (missing < last.missing) last = { missing, atMs: performance.now() };
      await pause(300);
    }
  }

  #counts(stored: ReadonlyMap<number, number>): ServerKillCounts {
    const base = this.#options.base ?? 0;
    const count = this.#writer.lines - base;
    const lines = Array.from({ length: count }, (_, number) => base + number);
    const wanted = [...lines, ...this.#answered];
    return {
      kills: this.#options.kills,
      lines: lines.length,
      rotations: this.#rotations,
      requests: this.#proxy.requests,
      recordsAnswered: this.#answered.length,
      lost: wanted.filter((number) => !stored.has(number)).length,
      twice: [...stored.values()].filter((times) => times > 1).length,
    };
  }

  #pipeline(): string {
    const { storage } = this.#options;
    return `
service: {flush: 20ms, scheduler.base: 20ms, scheduler.cap: 200ms, log_level: off, storage.path: data}
pipeline:
  inputs:
    - {name: tail, path: 'app.log, app.log.*', read_from_head: true, refresh_interval: 100ms}
    - {name: http, port: ${this.#httpPort}}
  outputs:
    - {${this.#destination.options(this.#server)}, alias: out, match: '*', host: 127.0.0.1, port: ${this.#proxy.port}, storage.type: ${storage}}
`;
  }
}

/** Such as `1-3, 7`: what came twice says by its ranges whether it was a chunk or a batch. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

export interface Clones {
  readonly clones: number;
  readonly storage: ServerKills['storage'];
  /** Number of the first line: what one server has of an earlier run is left out. */
  readonly base: number;
}

export interface CloneCounts {
  clones: number;
  lines: number;
  lost: number;
  twice: number;
  idConflicts: number;
}

/** Copies of a host, its agent's storage and its log files, which then go on by themselves: the same
 *  positions in files with the same beginning. Every line of each of them is stored exactly once. */
export async function clonedHosts(
  destination: Destination,
  server: RunningServer,
  { clones, storage, base }: Clones,
): Promise<CloneCounts> {
  const place = await mkdtemp(join(tmpdir(), 'sluice-clones-'));
  const agents: ChildProcess[] = [];
  try {
    const port = await freePort();
    const image = join(place, 'image');
    await mkdir(image);
    const text = cloneText(destination.options(server), server.port, storage);
    await writeFile(join(image, 'pipeline.yaml'), text(port));
    const original = new LineWriter(image);
    original.lines = base;
    await original.write(200);
    agents.push(startAgent(image));
    const stored = async () => {
      const all = await destination.stored(server, base + 1_000_000 * (clones + 2));
      return new Map([...all].filter(([number]) => number >= base));
    };
    await until(async () => (await stored()).size === 200);
    agents[0]!.kill('SIGTERM');
    assert.equal(await ended(agents[0]!), 0);
    const ports: number[] = [];
    for (let clone = 0; clone < clones; clone++) {
      const directory = join(place, `clone-${clone}`);
      await cp(image, directory, { recursive: true });
      ports.push(await freePort());
      await writeFile(join(directory, 'pipeline.yaml'), text(ports.at(-1)!));
      // Lines as long as those of the others, so that they stand at the same positions.
      const writer = new LineWriter(directory);
      writer.lines = base + 1_000_000 * (clone + 1);
      await writer.write(200);
      agents.push(startAgent(directory));
    }
    const lines = 200 * (clones + 1);
    await until(async () => (await stored()).size >= lines);
    let idConflicts = 0;
    for (const clonePort of ports) idConflicts += await conflictsOf(clonePort);
    for (const agent of agents) agent.kill('SIGTERM');
    for (const agent of agents) assert.equal(await ended(agent), 0);
    const found = await stored();
    const twice = [...found.values()].filter((times) => times > 1).length;
    const counts = { clones, lines, lost: lines - found.size, twice, idConflicts };
    assert.deepEqual(counts, { clones, lines, lost: 0, twice: 0, idConflicts: 0 });
    return counts;
  } finally {
    for (const agent of agents) endAgent(agent);
    await rm(place, { recursive: true, force: true });
  }
}

function cloneText(options: string, port: number, storage: string): (apiPort: number) => string {
  return (apiPort) => `
service: {flush: 20ms, log_level: off, storage.path: data, http_server: on, http_port: ${apiPort}}
pipeline:
  inputs:
    - {name: tail, path: 'app.log', read_from_head: true, refresh_interval: 100ms}
  outputs:
    - {${options}, alias: out, match: '*', host: 127.0.0.1, port: ${port}, storage.type: ${storage}}
`;
}

async function conflictsOf(apiPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${apiPort}/metrics`)).text();
  const found = /^sluice_elasticsearch_id_conflicts_total\S* (\d+)$/m.exec(text);
  return Number(found?.[1] ?? 0);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + silenceMs;
  while (!(await condition()) && performance.now() < endMs) await pause(200);
}
