import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DeadLetterInput } from '../../core/dead_letter/dead_letter.ts';
import { readDeadLetters } from '../../core/dead_letter/dead_letter_reader.ts';
import {
  type DeadLetterStore,
  openDeadLetterStore,
} from '../../core/dead_letter/dead_letter_store.ts';
import { recordingLog } from '../unit/buffer/buffer_fixture.ts';
import { type FaultyCall, PowerLossFileSystem } from './power_loss_file_system.ts';
import { Random } from './random.ts';

export type LetterStep =
  | { readonly do: 'append'; readonly count: number; readonly wait: boolean }
  | { readonly do: 'remove'; readonly pick: number; readonly count: number }
  | { readonly do: 'power'; readonly seed: number }
  | { readonly do: 'kill' }
  | { readonly do: 'fail'; readonly call: FaultyCall }
  | { readonly do: 'fill'; readonly bytesFree: number }
  | { readonly do: 'heal' };

const calls: FaultyCall[] = ['open', 'write', 'truncate', 'sync', 'sync_directory', 'rename'];

export const letterSteps: fc.Arbitrary<LetterStep[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('append'),
        count: fc.integer({ min: 1, max: 6 }),
        wait: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('remove'), pick: fc.nat(), count: fc.nat(8) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('power'), seed: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('kill') }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('fail'), call: fc.constantFrom(...calls) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fill'), bytesFree: fc.nat(3000) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('heal') }) },
  ) as fc.Arbitrary<LetterStep>,
  { maxLength: 25 },
);

const directory = '/dead';
let pid = 90_000;

/** Dead letters on a disk that loses power, beside what must be there. */
export class PoweredLetters {
  powerLosses = 0;
  kills = 0;
  faults = 0;
  #disk = new PowerLossFileSystem();
  #store!: DeadLetterStore;
  #next = 0;
  readonly #tried = new Set<number>();
  readonly #stored = new Set<number>();
  readonly #removing = new Set<number>();
  readonly #removed = new Set<number>();

  async run(steps: readonly LetterStep[]): Promise<void> {
    await this.#open(this.#disk);
    for (const step of steps) await this.#step(step);
    await this.#step({ do: 'power', seed: steps.length });
    await this.#store.close();
  }

  async #step(step: LetterStep): Promise<void> {
    switch (step.do) {
      case 'append': {
        const appended = this.#append(step.count);
        if (step.wait) await appended;
        return;
      }
      case 'remove':
        return this.#remove(step.pick, step.count);
      case 'power':
        this.powerLosses++;
        return this.#open(this.#disk.afterPowerLoss(new Random(step.seed)));
      case 'kill':
        this.kills++;
        return this.#open(this.#disk.afterKill());
      case 'fail':
        this.faults++;
        this.#disk.failing.add(step.call);
        return;
      case 'fill':
        this.faults++;
        this.#disk.bytesFree = step.bytesFree;
        return;
      case 'heal':
        this.#disk.heal();
    }
  }

  async #append(count: number): Promise<void> {
    const numbers = Array.from({ length: count }, () => this.#next++);
    for (const number of numbers) this.#tried.add(number);
    const disk = this.#disk;
    try {
      const outcomes = await this.#store.append(numbers.map(letterOf));
      if (disk !== this.#disk) return;
      for (const [index, outcome] of outcomes.entries()) {
        assert.equal(outcome, 'stored');
        const number = numbers[index]!;
        if (!this.#removing.has(number)) this.#stored.add(number);
      }
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'SLUICE_STORAGE_FAILED');
      assert.ok(this.faults > 0 || disk !== this.#disk);
    }
  }

  async #remove(pick: number, count: number): Promise<void> {
    const all = await this.#read().catch(() => []);
    const chosen = all.slice(pick % (all.length + 1)).slice(0, count);
    if (chosen.length === 0) return;
    // One whose append failed was never there for good; should it show again, so be it.
    const kept = new Set(chosen.filter(({ number }) => this.#stored.has(number)));
    // Until it is confirmed, a removal may hold or not.
    for (const { number } of chosen) {
      this.#removing.add(number);
      this.#stored.delete(number);
    }
    const places = all.map(({ number }) => number);
    try {
      await this.#store.remove(chosen.map(({ reference }) => reference));
      for (const { number } of kept) {
        // A letter that a crash doubled is gone when both are.
        const twice = places.filter((other) => other === number).length > 1;
        if (!twice) this.#removed.add(number);
      }
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'SLUICE_STORAGE_FAILED');
    }
  }

  async #open(disk: PowerLossFileSystem): Promise<void> {
    this.#disk = disk;
    disk.heal();
    const own = ++pid;
    this.#store = await openDeadLetterStore({
      directory,
      output: 'es',
      limitBytes: 1024 * 1024,
      fileBytes: 16 * 1024,
      whenFull: 'block',
      log: recordingLog(),
      fileSystem: disk,
      processProbe: { pid: own, isAlive: (other) => other === own, startedAt: () => 'now' },
    });
    const found = new Set<number>();
    for (const { number } of await this.#read()) {
      assert.ok(this.#tried.has(number), `letter ${number} was never appended`);
      assert.ok(!this.#removed.has(number), `letter ${number} came back`);
      found.add(number);
    }
    for (const number of this.#stored) assert.ok(found.has(number), `letter ${number} is lost`);
  }

  async #read() {
    const found: { number: number; reference: { file: number; position: number; id: string } }[] =
      [];
    for await (const entry of readDeadLetters(directory, {
      salvage: true,
      fileSystem: this.#disk,
    })) {
      if (entry.kind !== 'letter') continue;
      const { origin, record, reference } = entry.letter;
      assert.equal(record.toString(), letterOf(origin.offset).record.toString());
      found.push({ number: origin.offset, reference });
    }
    return found;
  }
}

function letterOf(offset: number): DeadLetterInput {
  return {
    record: Buffer.from(`${offset} ${'x'.repeat((offset * 37) % 900)}`),
    origin: { source: '/var/log/a.log', generation: 'ab'.repeat(16), offset, part: 0 },
    tag: 'app.log',
    time: { seconds: 1_600_000_000, nanos: 5 },
    reason: 'mapper_parsing_exception',
    reasonCode: 'rejected',
    status: 400,
    attempts: 1,
  };
}
