import assert from 'node:assert/strict';
import { readDeadLetters } from '../../core/dead_letter/dead_letter_reader.ts';
import type { DeliveryOutcome } from '../../core/sdk/contracts.ts';
import {
  type StartedPipeline,
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { type FaultyCall, PowerLossFileSystem } from './power_loss_file_system.ts';
import { Random } from './random.ts';

const calls: FaultyCall[] = ['open', 'write', 'truncate', 'sync', 'sync_directory', 'rename'];

function yaml(storage: string): string {
  return `
service: {flush: 2ms, scheduler.base: 2ms, scheduler.cap: 5ms, grace: 10ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs: [{name: scripted, alias: out, match: '*', storage.type: ${storage}, batch: {records: 7}}]
`;
}

export interface AgentCounts {
  powerLosses: number;
  kills: number;
  faults: number;
  records: number;
  deadLetters: number;
  /** Records that the destination accepted more than once. */
  duplicates: number;
}

/**
 * Runs whole agents, one after the other, on a disk that fails calls and loses power while records
 * flow, an output that accepts, fails and refuses at random, and a source that can be read again
 * from the position in its checkpoint. At the end each record was accepted or is a dead letter.
 */
export async function powerAgent(
  seed: number,
  storage: 'memory' | 'filesystem',
  restarts: number,
): Promise<AgentCounts> {
  const random = new Random(seed);
  const counts: AgentCounts = {
    powerLosses: 0,
    kills: 0,
    faults: 0,
    records: 0,
    deadLetters: 0,
    duplicates: 0,
  };
  const accepted = new Map<number, number>();
  let disk = new PowerLossFileSystem();
  for (let restart = 0; restart < restarts; restart++) {
    const life = await Life.start(disk, storage, random, accepted);
    await life.live(random, counts);
    const isPower = random.chance(0.7);
    if (isPower) counts.powerLosses++;
    else counts.kills++;
    life.isOff = true;
    disk = isPower ? disk.afterPowerLoss(random) : disk.afterKill();
    await life.end();
  }
  const last = await Life.start(disk, storage, random, accepted);
  last.isKind = true;
  await last.emitUpTo(counts.records);
  const { agent } = last.pipeline;
  await waitUntil('all is settled', () => last.input.settled() === counts.records, 20_000);
  await waitUntil('all is delivered', () => agent.outputs[0]!.stage.isIdle, 20_000);
  await last.pipeline.stop({ keep: true });
  const dead = await deadLetters(disk);
  counts.deadLetters = dead.size;
  for (let n = 0; n < counts.records; n++) {
    assert.ok(accepted.has(n) || dead.has(n), `record ${n} of ${counts.records} is lost`);
  }
  for (const times of accepted.values()) counts.duplicates += times - 1;
  return counts;
}

/** One run of an agent, up to its end. */
class Life {
  readonly input = scriptedInput();
  readonly #output = scriptedOutput();
  readonly #disk: PowerLossFileSystem;
  readonly #accepted: Map<number, number>;
  pipeline!: StartedPipeline;
  isOff = false;
  /** The output accepts everything. */
  isKind = false;

  constructor(disk: PowerLossFileSystem, accepted: Map<number, number>) {
    this.#disk = disk;
    this.#accepted = accepted;
  }

  static async start(
    disk: PowerLossFileSystem,
    storage: string,
    random: Random,
    accepted: Map<number, number>,
  ): Promise<Life> {
    const life = new Life(disk, accepted);
    life.#output.answer = (chunk) => life.#answer(chunk.count, random, chunk);
    life.pipeline = await startPipeline({
      yaml: yaml(storage),
      directory: '/agent',
      fileSystem: disk,
      plugins: [life.input.plugin, life.#output.plugin],
    });
    return life;
  }

  #answer(
    count: number,
    random: Random,
    chunk: { recordAt(index: number): Uint8Array },
  ): DeliveryOutcome {
    if (this.isOff) return { kind: 'retry', reason: 'nobody is there' };
    const dice = this.isKind ? 0 : random.below(10);
    const rejected: { index: number; reason: string }[] = [];
    const retry: number[] = [];
    for (let index = 0; index < count; index++) {
      const fate = dice < 6 ? 0 : random.below(3);
      if (fate === 1) rejected.push({ index, reason: 'refused' });
      else if (fate === 2) retry.push(index);
      else {
        const { n } = JSON.parse(Buffer.from(chunk.recordAt(index)).toString()) as { n: number };
        this.#accepted.set(n, (this.#accepted.get(n) ?? 0) + 1);
      }
    }
    return { kind: 'partial', rejected, retry, reason: 'some' };
  }

  /** Emits records while calls fail now and then. */
  async live(random: Random, counts: AgentCounts): Promise<void> {
    const steps = 1 + random.below(12);
    for (let step = 0; step < steps; step++) {
      if (random.chance(0.15)) {
        counts.faults++;
        this.#disk.failing.add(random.pick(calls));
      } else if (random.chance(0.4)) this.#disk.heal();
      const wanted = this.input.position() + 1 + random.below(20);
      counts.records = Math.max(counts.records, wanted);
      await Promise.race([this.emitUpTo(wanted), pause(random.below(8))]);
      if (random.chance(0.3)) await pause(random.below(20));
      // The source is told once a second; a power loss can come at any time around that.
      if (random.chance(0.2)) void this.#checkpoint();
    }
  }

  async emitUpTo(position: number): Promise<void> {
    await this.input.emit([]).catch(() => undefined);
    const at = this.input.position();
    const records = Array.from({ length: Math.max(0, position - at) }, (_, k) => ({ n: at + k }));
    for (let k = 0; k < records.length; k += 10) {
      await this.input.emit(records.slice(k, k + 10)).catch(() => undefined);
    }
  }

  #checkpoint(): Promise<void> {
    return this.pipeline.agent.flushCheckpoints().catch(() => undefined);
  }

  async end(): Promise<void> {
    this.pipeline.agent.abort();
    await this.pipeline.agent.stop(1);
  }
}

async function deadLetters(fileSystem: PowerLossFileSystem): Promise<Set<number>> {
  const found = new Set<number>();
  const directory = '/agent/data/dead_letters/out';
  for await (const entry of readDeadLetters(directory, { salvage: true, fileSystem })) {
    if (entry.kind === 'letter') found.add(entry.letter.origin.offset);
  }
  return found;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
