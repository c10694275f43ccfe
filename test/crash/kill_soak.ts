import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Sink } from '../chaos/sink.ts';
import { Random } from '../model/random.ts';
import { endAgent, ended, killed, LineWriter, startAgent } from './kill_rig.ts';

/** Records of the HTTP client are numbered from here on, lines from 0. */
const clientBase = 1_000_000_000;
/** How long before a kill a record that comes twice may have been accepted at most: deliveries are
 *  noted on the disk four times a second, and this machine may be busy. */
const unnotedMsMax = 3000;
/** Most records that one read of a source brings: what a kill can catch half stored. */
const batchRecords = 2048;
/** A request whose bytes were on their way may be read by the sink when its sender is gone. */
const readLateMs = 500;
const linesPerTick = 40;
const tickMs = 50;
/** Lines that may wait. Kills that come faster than the agent reads would leave ever more to the
 *  end, and a rig that is behind looks like one that lost records. */
const backlogLinesMax = 5_000;
const clients = 6;
/** Records are lost when nothing has arrived for this long. */
const silenceMs = 45_000;

export interface KillCounts {
  kills: number;
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
  /** The longest time from such a delivery to the kill. */
  unnotedMs: number;
  /** Most lines that waited at once. */
  backlogMax: number;
  /** How long the last agent took until everything had arrived. */
  drainMs: number;
  /** Records of a batch that a kill caught half stored: they were read and stored again. */
  storedTwice: number;
}

/**
 * Kills an agent (SIGKILL) again and again at random moments: while it starts, reads, stores and
 * delivers. Lines are written and files rotated all the time, a client posts records, and the sink
 * fails 30 % of the requests, some of them after it took the records. No line is lost, nor any
 * record whose request was answered with 200; what comes twice was in flight at a kill. After
 * `minutesMax` it kills no more: the counts say how often it did.
 */
export async function killSoak(
  seed: number,
  kills: number,
  minutesMax = Number.POSITIVE_INFINITY,
): Promise<KillCounts> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-soak-'));
  const soak = new KillSoak(directory, new Random(seed), await Sink.listen());
  try {
    return await soak.run(kills, performance.now() + minutesMax * 60_000);
  } finally {
    await soak.close();
    await rm(directory, { recursive: true, force: true });
  }
}

class KillSoak {
  readonly #directory: string;
  readonly #random: Random;
  readonly #sink: Sink;
  readonly #writer: LineWriter;
  readonly #kills: number[] = [];
  /** Rotated files, and the number behind their last line. */
  readonly #rotated: { path: string; end: number }[] = [];
  readonly #answered: number[] = [];
  #agent: ChildProcess | undefined;
  #httpPort = 0;
  #rotations = 0;
  #requestsSent = 0;
  #requestsAnswered = 0;
  #backlogMax = 0;
  #drainMs = 0;
  #nextOfClient = clientBase;
  #isOver = false;

  constructor(directory: string, random: Random, sink: Sink) {
    this.#directory = directory;
    this.#random = random;
    this.#sink = sink;
    this.#writer = new LineWriter(directory);
    sink.answer = () => {
      if (!random.chance(0.3)) return 200;
      return random.chance(0.2) ? 'accept and hang up' : 503;
    };
  }

  async run(kills: number, endMs: number): Promise<KillCounts> {
    this.#httpPort = await freePort();
    await writeFile(join(this.#directory, 'pipeline.yaml'), this.#pipeline());
    const posting = Array.from({ length: clients }, () => this.#post());
    const work = Promise.all([this.#writeLines(), ...posting]);
    for (let kill = 0; kill < kills && performance.now() < endMs; kill++) {
      this.#agent = startAgent(this.#directory);
      await this.#killMoment();
      await killed(this.#agent);
      this.#kills.push(performance.now());
    }
    this.#agent = startAgent(this.#directory);
    this.#isOver = true;
    await work;
    const overAtMs = performance.now();
    await this.#arrive();
    this.#drainMs = performance.now() - overAtMs;
    assert.equal(this.#missing(), 0, `records are lost: ${JSON.stringify(this.#counts())}`);
    this.#agent.kill('SIGTERM');
    assert.equal(await ended(this.#agent), 0);
    return this.#counts();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    if (this.#agent !== undefined) endAgent(this.#agent);
    await this.#sink.close();
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

  /** A third of the kills strikes at any time from the start on, the rest around deliveries. */
  async #killMoment(): Promise<void> {
    if (this.#random.chance(0.33)) return await pause(this.#random.below(1200));
    await Promise.race([this.#sink.nextRequest(), pause(20_000)]);
    await pause(this.#random.below(this.#random.pick([5, 50, 400])));
  }

  async #writeLines(): Promise<void> {
    while (!this.#isOver) {
      const backlog = this.#sink.missing(this.#writer.lines).length;
      this.#backlogMax = Math.max(this.#backlogMax, backlog);
      if (backlog < backlogLinesMax) {
        await this.#writer.write(linesPerTick);
        if (this.#random.chance(0.03)) await this.#rotate();
      }
      await pause(tickMs);
    }
  }

  /** Renames the file; files that were delivered in full are deleted, as logrotate does. */
  async #rotate(): Promise<void> {
    const path = await this.#writer.rotate();
    this.#rotations++;
    this.#rotated.push({ path, end: this.#writer.lines });
    while (this.#rotated.length > 3) {
      const { path: oldest, end } = this.#rotated[0]!;
      if (this.#sink.missing(end).length > 0) return;
      this.#rotated.shift();
      await unlink(oldest);
    }
  }

  /** A client that sends each record once, and remembers which requests were answered with 200. One
   *  that is refused waits for the next agent; one that is answered goes on at once. */
  async #post(): Promise<void> {
    while (!this.#isOver) {
      const numbers = Array.from({ length: 10 }, () => this.#nextOfClient++);
      this.#requestsSent++;
      let wasAnswered = false;
      try {
        const response = await fetch(`http://127.0.0.1:${this.#httpPort}/client`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body: numbers.map((n) => `{"n":${n}}\n`).join(''),
        });
        await response.text();
        if (response.status === 200) {
          wasAnswered = true;
          this.#requestsAnswered++;
          this.#answered.push(...numbers);
        }
      } catch {
        // Nobody listens, or the agent was killed before it answered.
      }
      await pause(wasAnswered ? 5 : tickMs);
    }
  }

  #missing(): number {
    const unseen = this.#answered.filter((number) => !this.#sink.accepted.has(number));
    return this.#sink.missing(this.#writer.lines).length + unseen.length;
  }

  #counts(): KillCounts {
    let deliveredTwice = 0;
    let storedTwice = 0;
    let unnotedMs = 0;
    for (const times of this.#sink.accepted.values()) {
      for (const time of times.slice(0, -1)) {
        const kill = this.#kills.find((at) => at + readLateMs >= time);
        const beforeKillMs = (kill ?? Number.POSITIVE_INFINITY) - time;
        if (beforeKillMs < unnotedMsMax) {
          deliveredTwice++;
          unnotedMs = Math.max(unnotedMs, beforeKillMs);
        } else storedTwice++;
      }
    }
    const kills = this.#kills.length;
    assert.ok(storedTwice <= kills * batchRecords, `${storedTwice} records were stored twice`);
    return {
      kills,
      lines: this.#writer.lines,
      rotations: this.#rotations,
      requestsSent: this.#requestsSent,
      requestsAnswered: this.#requestsAnswered,
      recordsAnswered: this.#answered.length,
      sinkRequests: this.#sink.requests,
      sinkFailures: this.#sink.failures,
      lost: this.#missing(),
      deliveredTwice,
      storedTwice,
      unnotedMs: Math.round(unnotedMs),
      backlogMax: this.#backlogMax,
      drainMs: Math.round(this.#drainMs),
    };
  }

  #pipeline(): string {
    return `
service:
  flush: 20ms
  scheduler.base: 20ms
  scheduler.cap: 200ms
  log_level: off
  storage.path: ${join(this.#directory, 'data')}
pipeline:
  inputs:
    - {name: tail, path: 'app.log, app.log.*', read_from_head: true, refresh_interval: 100ms}
    - {name: http, port: ${this.#httpPort}}
  outputs:
    - name: http
      alias: out
      match: '*'
      host: 127.0.0.1
      port: ${this.#sink.port}
      format: json_lines
      storage.type: filesystem
      batch: {records: 100}
`;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
