import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../model/random.ts';
import { KillLane, type LaneShape, pause } from './kill_lane.ts';
import { endAgent, ended, killed, startAgents } from './kill_rig.ts';

/** Most records that one read of a source brings: what a kill can catch half stored. */
const batchRecords = 2048;
/** Records are lost when nothing has arrived for this long. */
const silenceMs = 45_000;
/** How long a kill waits for what it is to strike at. */
const momentMsMax = 20_000;

/** As it is attacked first of all: everything that was stored is on the disk. */
const synced: LaneShape = {
  ...{ storage: 'filesystem', durability: 'fsync' },
  ...{ batchRecords: 100, clients: 6, linesPerTick: 40, backlogLinesMax: 5000 },
};

/** A start that took longer says nothing about the next one: the machine was busy. */
const startMsMax = 3000;

/** What agents in one process are like, in turn: with little to do each, so that they do not compete. */
const light: LaneShape = { ...synced, clients: 1, linesPerTick: 8, backlogLinesMax: 300 };
const shapes: readonly LaneShape[] = [
  light,
  { ...light, batchRecords: 20 },
  { ...light, durability: 'interval' },
  { ...light, storage: 'memory', clients: 0 },
];

export interface KillOptions {
  readonly seed: number;
  /** Processes that are killed. */
  readonly kills: number;
  /** Agents in each process, 1 when absent. Each is started, writes, delivers and dies as if alone. */
  readonly agents?: number;
  /** After that time none is killed any more: the counts say how many were. */
  readonly minutesMax?: number | undefined;
}

export interface KillCounts {
  kills: number;
  /** Kills times the agents in a process. */
  agentsKilled: number;
  lines: number;
  rotations: number;
  requestsSent: number;
  requestsAnswered: number;
  recordsAnswered: number;
  sinkRequests: number;
  sinkFailures: number;
  lost: number;
  /** Records that came again although their delivery was answered, shortly before a kill. */
  deliveredTwice: number;
  /** Records of a batch that a kill caught half stored: they were read and stored again. */
  storedTwice: number;
  /** The longest time from a delivery that came again to its kill. */
  unnotedMs: number;
  /** Most lines that waited at once, for one agent. */
  backlogMax: number;
  /** How long the last agents took until everything had arrived. */
  drainMs: number;
}

/**
 * Kills agents (SIGKILL) again and again at random moments: while they start, read, store and
 * deliver. Lines are written and files rotated all the time, clients post records, and the sinks
 * fail 30 % of the requests, some of them after they took the records. No line is lost, nor any
 * record whose request was answered with 200; what comes twice was in flight at a kill.
 */
export async function killSoak(options: KillOptions): Promise<KillCounts> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-soak-'));
  const random = new Random(options.seed);
  const count = options.agents ?? 1;
  const lanes: KillLane[] = [];
  for (let index = 0; index < count; index++) {
    const shape = count === 1 ? synced : shapes[index % shapes.length]!;
    lanes.push(await KillLane.open(join(directory, `agent-${index}`), shape, random));
  }
  const soak = new KillSoak(lanes, random);
  try {
    const endMs = performance.now() + (options.minutesMax ?? Number.POSITIVE_INFINITY) * 60_000;
    return await soak.run(options.kills, endMs);
  } finally {
    await soak.close();
    await rm(directory, { recursive: true, force: true });
  }
}

class KillSoak {
  readonly #lanes: readonly KillLane[];
  readonly #random: Random;
  readonly #kills: number[] = [];
  #process: ChildProcess | undefined;
  /** How long a process took lately until it delivered. */
  #startMs = 600;
  #drainMs = 0;

  constructor(lanes: readonly KillLane[], random: Random) {
    this.#lanes = lanes;
    this.#random = random;
  }

  async run(kills: number, endMs: number): Promise<KillCounts> {
    const work = Promise.all(this.#lanes.map((lane) => lane.work()));
    for (let kill = 0; kill < kills && performance.now() < endMs; kill++) {
      this.#process = this.#start();
      await this.#killMoment();
      await killed(this.#process);
      this.#kills.push(performance.now());
    }
    this.#process = this.#start();
    for (const lane of this.#lanes) lane.end();
    await work;
    const overAtMs = performance.now();
    await this.#arrive();
    this.#drainMs = performance.now() - overAtMs;
    assert.equal(this.#missing(), 0, `records are lost: ${JSON.stringify(this.#counts())}`);
    this.#process.kill('SIGTERM');
    assert.equal(await ended(this.#process), 0);
    return this.#counts();
  }

  async close(): Promise<void> {
    for (const lane of this.#lanes) lane.end();
    if (this.#process !== undefined) endAgent(this.#process);
    for (const lane of this.#lanes) await lane.sink.close();
  }

  #start(): ChildProcess {
    return startAgents(this.#lanes.map((lane) => lane.directory));
  }

  /** A quarter of the kills strikes at any time of a start, the rest after a delivery began or a
   *  client was answered. */
  async #killMoment(): Promise<void> {
    const startedMs = performance.now();
    const moment = this.#random.next();
    if (moment < 0.25) return await pause(this.#random.below(this.#startMs));
    const lane = this.#random.pick(this.#lanes);
    const isAnswer = moment < 0.5 && lane.requestsSent > 0;
    const event = isAnswer ? lane.nextAnswer() : lane.sink.nextRequest();
    await Promise.race([event, pause(momentMsMax)]);
    this.#startMs = Math.min(performance.now() - startedMs, startMsMax);
    await pause(this.#random.below(this.#random.pick([2, 20, 200])));
  }

  /** Resolves when all has arrived, or when nothing new came for long. */
  async #arrive(): Promise<void> {
    let last = { missing: this.#missing(), atMs: performance.now() };
    while (last.missing > 0 && performance.now() - last.atMs < silenceMs) {
      await pause(50);
      const missing = this.#missing();
      if (missing < last.missing) last = { missing, atMs: performance.now() };
    }
  }

  #missing(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.missing(), 0);
  }

  #counts(): KillCounts {
    const kills = this.#kills.length;
    const agentsKilled = kills * this.#lanes.length;
    const sum = (of: (lane: KillLane) => number) =>
      this.#lanes.reduce((total, lane) => total + of(lane), 0);
    const max = (of: (lane: KillLane) => number) => Math.max(...this.#lanes.map(of));
    const repeats = new Map(this.#lanes.map((lane) => [lane, lane.repeats(this.#kills)]));
    const storedTwice = sum((lane) => repeats.get(lane)!.storedTwice);
    assert.ok(storedTwice <= agentsKilled * batchRecords, `${storedTwice} were stored twice`);
    return {
      kills,
      agentsKilled,
      lines: sum((lane) => lane.writer.lines),
      rotations: sum((lane) => lane.rotations),
      requestsSent: sum((lane) => lane.requestsSent),
      requestsAnswered: sum((lane) => lane.requestsAnswered),
      recordsAnswered: sum((lane) => lane.answered.length),
      sinkRequests: sum((lane) => lane.sink.requests),
      sinkFailures: sum((lane) => lane.sink.failures),
      lost: this.#missing(),
      deliveredTwice: sum((lane) => repeats.get(lane)!.deliveredTwice),
      storedTwice,
      unnotedMs: Math.round(max((lane) => repeats.get(lane)!.unnotedMs)),
      backlogMax: max((lane) => lane.backlogMax),
      drainMs: Math.round(this.#drainMs),
    };
  }
}
