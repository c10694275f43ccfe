import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDeadLetters } from '../../core/dead_letter/dead_letter_reader.ts';
import { waitUntil } from '../../core/testing/index.ts';
import { endAgent, ended, killed, LineWriter, startAgent } from '../crash/kill_rig.ts';
import { Random } from '../model/random.ts';
import { type Fault, FaultLibrary, type WatchedCall, watchedCalls } from './fault_library.ts';
import { freePort, numberIn, Sink } from './sink.ts';

/** A fault that lasts, and what `/readyz` must name while it does. */
export interface LastingFault {
  readonly name: string;
  readonly fault: Fault;
  /** Armed for a moment before it, so that the calls of the fault are made at all. */
  readonly first?: Fault;
  readonly names: RegExp;
}

const every: WatchedCall[] = ['open', 'write', 'sync', 'rename', 'truncate', 'unlink'];
const anyStore = /^(buffer|dead_letters|checkpoints)/;

export const lastingFaults: readonly LastingFault[] = [
  {
    name: 'disk full',
    fault: { calls: ['open', 'write', 'truncate'], error: 'ENOSPC' },
    names: anyStore,
  },
  { name: 'I/O error at every call', fault: { calls: every, error: 'EIO' }, names: anyStore },
  { name: 'remounted read-only', fault: { calls: every, error: 'EROFS' }, names: anyStore },
  { name: 'no file handles', fault: { calls: ['open'], error: 'EMFILE' }, names: /./ },
  { name: 'fsync fails', fault: { calls: ['sync'], error: 'EIO' }, names: anyStore },
  {
    name: 'fsync finds the disk full',
    fault: { calls: ['sync'], error: 'ENOSPC' },
    names: anyStore,
  },
  {
    name: 'a segment cannot be written',
    fault: { calls: ['write'], error: 'EIO', part: '.seg' },
    names: /^buffer/,
  },
  {
    name: 'a segment cannot be written nor cut',
    fault: { calls: ['write', 'truncate'], error: 'EIO', part: '.seg' },
    names: /^buffer/,
  },
  {
    name: 'acknowledgements cannot be written',
    fault: { calls: ['write', 'open'], error: 'EROFS', part: 'acks.log' },
    names: /^buffer/,
  },
  {
    name: 'acknowledgements cannot be renamed',
    first: { calls: ['sync'], error: 'EIO', part: 'acks.log' },
    fault: { calls: ['rename'], error: 'EIO', part: 'acks.log' },
    names: /^buffer/,
  },
  {
    name: 'delivered segments cannot be deleted',
    fault: { calls: ['unlink'], error: 'EROFS', part: '.seg' },
    names: /^buffer/,
  },
  {
    name: 'checkpoints cannot be synced',
    fault: { calls: ['sync'], error: 'EIO', part: 'checkpoints' },
    names: /^checkpoints/,
  },
  {
    name: 'checkpoints cannot be renamed',
    first: { calls: ['sync'], error: 'EIO', part: 'checkpoints' },
    fault: { calls: ['rename'], error: 'EIO', part: 'checkpoints' },
    names: /^checkpoints/,
  },
  {
    name: 'dead letters cannot be written',
    fault: { calls: ['write'], error: 'ENOSPC', part: 'dead_letters' },
    names: /^dead_letters/,
  },
];

interface Problem {
  readonly component: string;
  readonly reason: string;
}

/** A real agent on a disk that fails: a log file, an output with a disk buffer, and one whose
 *  server refuses everything, so that all of it becomes dead letters. */
export class FullRig {
  readonly faults: FaultLibrary;
  readonly directory: string;
  readonly #sink: Sink;
  readonly #refusing: Sink;
  readonly #writer: LineWriter;
  #agent: ChildProcess | undefined;
  #apiPort = 0;
  injected = 0;

  private constructor(directory: string, sink: Sink, refusing: Sink) {
    this.directory = directory;
    this.faults = new FaultLibrary(directory);
    this.#sink = sink;
    this.#refusing = refusing;
    refusing.answer = () => 400;
    this.#writer = new LineWriter(directory);
  }

  static async create(): Promise<FullRig> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-full-'));
    const rig = new FullRig(directory, await Sink.listen(), await Sink.listen());
    rig.#apiPort = await freePort();
    await writeFile(join(directory, 'pipeline.yaml'), rig.#pipeline());
    return rig;
  }

  get lines(): number {
    return this.#writer.lines;
  }

  get #data(): string {
    return join(this.directory, 'data');
  }

  start(): void {
    this.#agent = startAgent(this.directory, this.faults.environment(this.#data));
  }

  /** The agent answers, ready or not. */
  async waitForStart(): Promise<void> {
    await this.#until('the agent answers', async () => {
      const problems = await this.problems().catch(() => []);
      return problems.length > 0;
    });
  }

  /** One fault that lasts: the agent is not ready and says why, and comes back by itself. */
  async endure({ name, fault, first, names }: LastingFault): Promise<void> {
    await this.write(50);
    if (first !== undefined) {
      this.faults.arm(first);
      await this.#until(`${name}: the first fault strikes`, () => this.faults.failed() > 0);
    }
    this.faults.arm(fault);
    let seen: Problem[] = [];
    await this.#until(`${name}: /readyz names ${names}`, async () => {
      await this.write(20);
      seen = await this.problems();
      return this.faults.failed() > 0 && seen.some(({ component }) => names.test(component));
    }).catch((error: Error) => {
      throw new Error(`${error.message}; it named ${JSON.stringify(seen)}`);
    });
    this.injected += this.faults.failed();
    this.faults.calm();
    await this.recovered(name);
  }

  /** One call fails once; the agent goes on as if nothing had been. */
  async stumble(fault: Fault): Promise<boolean> {
    this.faults.arm({ ...fault, times: 1 });
    for (let round = 0; round < 3 || (round < 25 && this.faults.failed() === 0); round++) {
      await this.write(30);
      await pause(60);
    }
    const hasFailed = this.faults.failed() > 0;
    if (hasFailed) this.injected++;
    this.faults.calm();
    return hasFailed;
  }

  /** Kills the agent while records wait in its disk buffer, and starts it with one call that fails.
   *  It starts all the same, or ends with an error; the next start is well again. */
  async startWith(fault: Fault): Promise<{ struck: boolean; started: boolean }> {
    this.#sink.answer = () => 503;
    await this.write(30);
    await pause(100);
    await killed(this.#agent!);
    this.faults.arm({ ...fault, times: 1 });
    this.start();
    const started = await this.#startedOrEnded();
    const struck = this.faults.failed() > 0;
    if (struck) this.injected++;
    this.faults.calm();
    if (!started) this.start();
    this.#sink.answer = () => 200;
    return { struck, started };
  }

  async #startedOrEnded(): Promise<boolean> {
    let answered = false;
    await waitUntil(
      'the agent answers or ends',
      async () => {
        answered = await this.problems().then(
          () => true,
          () => false,
        );
        return answered || this.#agent!.exitCode !== null;
      },
      30_000,
    );
    if (!answered) assert.ok(this.#agent!.exitCode! > 0, 'it ends with an error');
    return answered;
  }

  /** All that was written has arrived, and the agent is ready. */
  async recovered(name: string): Promise<void> {
    await this.#until(`${name}: everything arrives`, () => {
      return this.#sink.missing(this.lines).length === 0;
    });
    let seen: unknown;
    await this.#until(`${name}: ready again`, async () => {
      await this.write(5);
      const problems = await this.problems().catch(() => undefined);
      seen = problems;
      return problems?.length === 0;
    }).catch((error: Error) => {
      throw new Error(`${error.message}; it named ${JSON.stringify(seen)}`);
    });
  }

  /** Ends the agent; nothing is lost and nothing is damaged. */
  async end(): Promise<void> {
    await this.recovered('the end');
    await this.#until('the last lines arrive', () => this.#sink.missing(this.lines).length === 0);
    this.#agent!.kill('SIGTERM');
    assert.equal(await ended(this.#agent!), 0);
    assert.deepEqual(this.#sink.missing(this.lines), []);
    const dead = new Set<number>();
    const letters = join(this.#data, 'dead_letters', 'refused');
    for await (const entry of readDeadLetters(letters, { salvage: false })) {
      if (entry.kind === 'letter') dead.add(numberIn(entry.letter.record.toString()));
    }
    for (let n = 0; n < this.lines; n++) assert.ok(dead.has(n), `dead letter ${n} is lost`);
    const kept = join(this.#data, 'buffers', 'kept');
    assert.ok(!existsSync(join(kept, 'quarantine')), 'nothing was damaged');
    const segments = (await readdir(kept)).filter((file) => file.endsWith('.seg'));
    assert.deepEqual(segments, [], 'what was delivered is deleted');
  }

  get duplicates(): number {
    return this.#sink.duplicates;
  }

  async close(): Promise<void> {
    if (this.#agent !== undefined) endAgent(this.#agent);
    this.faults.close();
    await this.#sink.close();
    await this.#refusing.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  write(count: number): Promise<void> {
    return this.#writer.write(count);
  }

  async problems(): Promise<Problem[]> {
    const response = await fetch(`http://127.0.0.1:${this.#apiPort}/readyz`);
    const { problems } = (await response.json()) as { problems: Problem[] };
    assert.equal(response.status, problems.length === 0 ? 200 : 503);
    return problems;
  }

  async #until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await waitUntil(
      what,
      async () => {
        assert.equal(this.#agent!.exitCode, null, `${what}: the agent ended`);
        return await condition();
      },
      30_000,
    );
  }

  #pipeline(): string {
    const output = (name: string, sink: Sink) => `
    - name: http
      alias: ${name}
      match: '*'
      host: 127.0.0.1
      port: ${sink.port}
      format: json_lines
      storage.type: filesystem
      storage.total_limit_size: 256K
      batch: {records: 40}`;
    return `
service:
  flush: 20ms
  scheduler.base: 20ms
  scheduler.cap: 100ms
  log_level: off
  storage.path: ${this.#data}
  http_server: on
  http_port: ${this.#apiPort}
pipeline:
  inputs:
    - {name: tail, path: '*.log', read_from_head: true, refresh_interval: 100ms}
  outputs:${output('kept', this.#sink)}${output('refused', this.#refusing)}
`;
  }
}

/** Calls in turn: the first, the second, … watched call fails once, with each error. */
export async function stumbles(rig: FullRig, seed: number, count: number): Promise<number> {
  const random = new Random(seed);
  let struck = 0;
  for (let index = 0; index < count; index++) {
    const call = every[index % every.length]!;
    const skip = Math.floor(index / every.length) % 12;
    const fault = { calls: [call], error: random.pick(errors), skip };
    if (await rig.stumble(fault)) struck++;
    await rig.recovered(`${call} after ${skip} calls, ${fault.error}`);
  }
  return struck;
}

/** Starts in turn: the first, the second, … call of each kind fails once while the agent starts. */
export async function startStumbles(rig: FullRig, seed: number, count: number) {
  const random = new Random(seed);
  const counts = { starts: count, struck: 0, ended: 0 };
  for (let index = 0; index < count; index++) {
    const call = watchedCalls[index % watchedCalls.length]!;
    const skip = Math.floor(index / watchedCalls.length);
    const fault = { calls: [call], error: random.pick(errors), skip };
    const { struck, started } = await rig.startWith(fault);
    if (struck) counts.struck++;
    if (!started) counts.ended++;
    await rig.recovered(`${call} after ${skip} calls of a start, ${fault.error}`);
  }
  return counts;
}

const errors = ['ENOSPC', 'EIO', 'EMFILE', 'EROFS'] as const;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
