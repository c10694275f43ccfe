import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, Sink } from '../chaos/sink.ts';
import type { Random } from '../model/random.ts';
import { LineWriter } from './kill_rig.ts';

/** How one agent stores and sends. */
export interface LaneShape {
  readonly storage: 'memory' | 'filesystem';
  readonly durability: 'fsync' | 'interval';
  readonly batchRecords: number;
  /** HTTP clients; their requests are answered when the records are stored. */
  readonly clients: number;
  /** Written every 50 ms. */
  readonly linesPerTick: number;
  /** Lines that may wait. Kills that come faster than the agent reads would leave ever more to the
   *  end, and a rig that is behind looks like one that lost records. */
  readonly backlogLinesMax: number;
}

/** Records of the HTTP clients are numbered from here on, lines from 0. */
const clientBase = 1_000_000_000;
/** A request whose bytes were on their way may be read by the sink when its sender is gone. */
const readLateMs = 500;
/** How long before a kill a record that comes twice may have been accepted at most: deliveries are
 *  noted on the disk four times a second, and this machine may be busy. */
const unnotedMsMax = 3000;
const tickMs = 50;

/** What came again, and how long before a kill it had been accepted. */
export interface Repeats {
  deliveredTwice: number;
  storedTwice: number;
  unnotedMs: number;
}

/** The surroundings of one agent that is killed: a program that writes lines and rotates its file, HTTP
 *  clients, and a sink that fails 30 % of the requests, some of them after it took the records. */
export class KillLane {
  readonly directory: string;
  readonly sink: Sink;
  readonly writer: LineWriter;
  readonly answered: number[] = [];
  rotations = 0;
  requestsSent = 0;
  requestsAnswered = 0;
  backlogMax = 0;
  readonly #shape: LaneShape;
  readonly #random: Random;
  readonly #httpPort: number;
  /** Rotated files, and the number behind their last line. */
  readonly #rotated: { path: string; end: number }[] = [];
  #nextOfClient = clientBase;
  #isOver = false;
  #wake: (() => void)[] = [];

  private constructor(
    directory: string,
    shape: LaneShape,
    random: Random,
    sink: Sink,
    port: number,
  ) {
    this.directory = directory;
    this.#shape = shape;
    this.#random = random;
    this.sink = sink;
    this.#httpPort = port;
    this.writer = new LineWriter(directory);
    sink.answer = () => {
      if (!random.chance(0.3)) return 200;
      return random.chance(0.2) ? 'accept and hang up' : 503;
    };
  }

  /** Writes the agent's pipeline into `directory`, which is made. */
  static async open(directory: string, shape: LaneShape, random: Random): Promise<KillLane> {
    await mkdir(directory);
    const lane = new KillLane(directory, shape, random, await Sink.listen(), await freePort());
    await writeFile(join(directory, 'pipeline.yaml'), lane.#pipeline());
    return lane;
  }

  /** Writes and posts until `end`. */
  async work(): Promise<void> {
    const posting = Array.from({ length: this.#shape.clients }, () => this.#post());
    await Promise.all([this.#writeLines(), ...posting]);
  }

  end(): void {
    this.#isOver = true;
  }

  /** Resolves when a client gets its next answer; never where there are no clients. */
  nextAnswer(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** Lines, and records whose requests were answered, that the sink does not have. */
  missing(): number {
    const unseen = this.answered.filter((number) => !this.sink.accepted.has(number));
    return this.sink.missing(this.writer.lines).length + unseen.length;
  }

  /** `kills`: when the agent was killed. */
  repeats(kills: readonly number[]): Repeats {
    const repeats = { deliveredTwice: 0, storedTwice: 0, unnotedMs: 0 };
    for (const times of this.sink.accepted.values()) {
      for (const time of times.slice(0, -1)) {
        const kill = kills.find((at) => at + readLateMs >= time);
        const beforeKillMs = (kill ?? Number.POSITIVE_INFINITY) - time;
        if (beforeKillMs < unnotedMsMax) {
          repeats.deliveredTwice++;
          repeats.unnotedMs = Math.max(repeats.unnotedMs, beforeKillMs);
        } else repeats.storedTwice++;
      }
    }
    return repeats;
  }

  async #writeLines(): Promise<void> {
    const { linesPerTick, backlogLinesMax } = this.#shape;
    while (!this.#isOver) {
      const backlog = this.sink.missing(this.writer.lines).length;
      this.backlogMax = Math.max(this.backlogMax, backlog);
      if (backlog < backlogLinesMax) {
        await this.writer.write(linesPerTick);
        if (this.#random.chance(0.03)) await this.#rotate();
      }
      await pause(tickMs);
    }
  }

  /** Renames the file; files that were delivered in full are deleted, as logrotate does. */
  async #rotate(): Promise<void> {
    const path = await this.writer.rotate();
    this.rotations++;
    this.#rotated.push({ path, end: this.writer.lines });
    while (this.#rotated.length > 3) {
      const { path: oldest, end } = this.#rotated[0]!;
      if (this.sink.missing(end).length > 0) return;
      this.#rotated.shift();
      await unlink(oldest);
    }
  }

  /** A client that sends each record once, and remembers which requests were answered with 200. One
   *  that is refused waits for the next agent; one that is answered goes on at once. */
  async #post(): Promise<void> {
    while (!this.#isOver) {
      const numbers = Array.from({ length: 10 }, () => this.#nextOfClient++);
      this.requestsSent++;
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
          this.requestsAnswered++;
          this.answered.push(...numbers);
          for (const wake of this.#wake.splice(0)) wake();
        }
      } catch {
        // Nobody listens, or the agent was killed before it answered.
      }
      await pause(wasAnswered ? 5 : tickMs);
    }
  }

  #pipeline(): string {
    const { storage, durability, batchRecords, clients } = this.#shape;
    const http = clients > 0 ? `\n    - {name: http, port: ${this.#httpPort}}` : '';
    return `
service:
  flush: 20ms
  scheduler.base: 20ms
  scheduler.cap: 200ms
  log_level: off
  storage.path: ${join(this.directory, 'data')}
  storage.durability: ${durability}
pipeline:
  inputs:
    - {name: tail, path: 'app.log, app.log.*', read_from_head: true, refresh_interval: 100ms}${http}
  outputs:
    - name: http
      alias: out
      match: '*'
      host: 127.0.0.1
      port: ${this.sink.port}
      format: json_lines
      storage.type: ${storage}
      batch: {records: ${batchRecords}}
`;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
