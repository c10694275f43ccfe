import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type DiskBuffer, type Durability, openDiskBuffer } from '../../core/buffer/disk_buffer.ts';
import { SluiceError } from '../../core/errors/sluice_error.ts';
import { ManualTimers, recordingLog } from '../unit/buffer/buffer_fixture.ts';
import { histories, Powered, type WeighedStep } from './power_harness.ts';
import type { PowerLossFileSystem } from './power_loss_file_system.ts';

export type BufferStep =
  | { readonly do: 'append'; readonly bytes: number }
  | { readonly do: 'append_many'; readonly count: number; readonly wait: boolean }
  | { readonly do: 'acknowledge'; readonly pick: number }
  | { readonly do: 'timers' }
  | { readonly do: 'close' };

const ownSteps: readonly WeighedStep<BufferStep>[] = [
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append'), bytes: fc.nat(2500) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append_many'),
      count: fc.integer({ min: 1, max: 8 }),
      wait: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('acknowledge'), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('timers') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close') }) },
];

export const bufferSteps = histories(ownSteps, { maxLength: 40, bytesFreeMax: 3000 });

let pid = 70_000;

/** A disk buffer on a disk that loses power, beside what it must hold. */
export class PoweredBuffer extends Powered<BufferStep> {
  readonly durability: Durability;
  /** Chunks that a power loss took, as `interval` and `os` say they may. */
  lostAsPromised = 0;
  #timers = new ManualTimers();
  #buffer!: DiskBuffer;
  #next = 0;
  readonly #tried = new Set<number>();
  readonly #stored = new Set<number>();
  readonly #settled = new Set<number>();
  /** Of `stored`: what no loss of power may take. */
  readonly #safe = new Set<number>();
  /** Dropped by a failed sync of a process that was then killed: nothing can tell. */
  readonly #doubtful = new Set<number>();
  /** Settled, and noted on the disk: never to be seen again. */
  readonly #gone = new Set<number>();

  constructor(durability: Durability) {
    super();
    this.durability = durability;
  }

  protected override async act(step: BufferStep): Promise<void> {
    switch (step.do) {
      case 'append':
        return this.#append(step.bytes);
      case 'append_many': {
        const appends = Array.from({ length: step.count }, (_, k) => this.#append(k * 150));
        if (step.wait) await Promise.all(appends);
        else await turns(step.count);
        return;
      }
      case 'acknowledge':
        return this.#acknowledge(step.pick);
      case 'timers':
        return this.#fireTimers();
      case 'close': {
        this.disk.heal();
        await turns(40);
        await this.close();
        for (const number of this.#stored) if (this.durability !== 'os') this.#safe.add(number);
        this.disk = this.disk.afterKill();
        return this.open(this.disk, 'kill', true);
      }
    }
  }

  protected override beforeKill(): void {
    if (!this.disk.hasDropped) return;
    for (const number of this.#stored) if (!this.#safe.has(number)) this.#doubtful.add(number);
  }

  protected override close(): Promise<void> {
    return this.#buffer.close();
  }

  protected override async open(
    disk: PowerLossFileSystem,
    cause: 'power' | 'kill',
    wasDurable: boolean,
  ): Promise<void> {
    disk.heal();
    this.#timers = new ManualTimers();
    const own = ++pid;
    let quarantined = 0;
    this.#buffer = await openDiskBuffer({
      directory: '/buffer',
      segmentBytes: 6000,
      limitBytes: 1024 * 1024,
      whenFull: 'block',
      durability: this.durability,
      log: recordingLog(),
      now: () => 1_000_000,
      schedule: this.#timers.schedule,
      fileSystem: disk,
      processProbe: { pid: own, isAlive: (other) => other === own, startedAt: () => 'now' },
      onQuarantine: () => quarantined++,
    });
    if (wasDurable) assert.equal(quarantined, 0, 'damage where nothing was lost');
    await this.#check(cause);
    // Settled segments are deleted behind the start.
    await turns(10);
    assert.equal(this.#buffer.usedBytes, disk.sizeOf(/\/buffer\/\d+\.seg$/), 'bytes in use');
  }

  /** The laws: what the mode keeps is there and as it was; what is settled for sure stays so. */
  async #check(cause: 'power' | 'kill'): Promise<void> {
    const found = new Set<number>();
    for (const sequence of this.#buffer.pendingSequences()) {
      try {
        const { header, body } = (await this.#buffer.read(sequence))!;
        const number = Number(header.toString());
        assert.equal(body.toString(), bodyOf(number, body.length));
        assert.ok(this.#tried.has(number), `chunk ${number} was never appended`);
        assert.ok(!found.has(number), `chunk ${number} twice`);
        assert.ok(!this.#gone.has(number), `chunk ${number} came back`);
        found.add(number);
      } catch (error) {
        assert.ok(
          error instanceof SluiceError && error.code === 'SLUICE_STORAGE_DAMAGED',
          `${error}`,
        );
      }
    }
    for (const number of this.#stored) {
      if (found.has(number) || this.#settled.has(number)) continue;
      const mayBeLost = cause === 'power' && !this.#safe.has(number);
      assert.ok(mayBeLost, `chunk ${number} is lost (${this.durability}, ${cause})`);
      this.#stored.delete(number);
      this.lostAsPromised++;
    }
    for (const number of found) {
      this.#stored.add(number);
      // Found on the disk after its machine started: there it stays.
      if (cause === 'power') this.#safe.add(number);
      this.#settled.delete(number);
    }
  }

  async #append(bytes: number): Promise<void> {
    const number = this.#next++;
    this.#tried.add(number);
    const [buffer, disk] = [this.#buffer, this.disk];
    try {
      const outcome = await buffer.append(
        Buffer.from(String(number)),
        Buffer.from(bodyOf(number, bytes + 8)),
      );
      // The process may have been killed meanwhile: then nobody heard the answer.
      if (outcome.kind !== 'stored' || disk !== this.disk) return;
      this.#stored.add(number);
      if (this.durability === 'fsync') this.#safe.add(number);
    } catch (error) {
      assert.ok(error instanceof SluiceError, `${error}`);
      assert.equal(error.code, 'SLUICE_STORAGE_FAILED');
      assert.ok(disk.hasFaults || disk !== this.disk || this.faults > 0);
    }
  }

  async #acknowledge(pick: number): Promise<void> {
    const pending = this.#buffer.pendingSequences();
    if (pending.length === 0) return;
    const sequence = pending[pick % pending.length]!;
    const read = await this.#buffer.read(sequence).catch(() => undefined);
    if (read === undefined) return;
    assert.equal(this.#buffer.acknowledge(sequence), true);
    this.#settled.add(Number(read.header.toString()));
  }

  async #fireTimers(): Promise<void> {
    const stored = [...this.#stored];
    const settled = [...this.#settled];
    this.#timers.fire();
    await turns(60);
    if (this.disk.hasFaults || this.durability === 'os') return;
    // A rescue that a fault held up may need its turn again.
    this.#timers.fire();
    await turns(60);
    for (const number of stored) if (!this.#doubtful.has(number)) this.#safe.add(number);
    for (const number of settled) if (this.#settled.has(number)) this.#gone.add(number);
  }
}

function bodyOf(number: number, bytes: number): string {
  return `${number} `.padEnd(bytes, 'x').slice(0, bytes);
}

/** Lets what is under way go on for a while. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
