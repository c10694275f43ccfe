import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DeadLetterInput } from '../../core/dead_letter/dead_letter.ts';
import { readDeadLetters } from '../../core/dead_letter/dead_letter_reader.ts';
import {
  type DeadLetterStore,
  openDeadLetterStore,
} from '../../core/dead_letter/dead_letter_store.ts';
import { recordingLog } from '../unit/buffer/buffer_fixture.ts';
import { histories, Powered, type WeighedStep } from './power_harness.ts';
import type { PowerLossFileSystem } from './power_loss_file_system.ts';

export type LetterStep =
  | { readonly do: 'append'; readonly count: number; readonly wait: boolean }
  | { readonly do: 'remove'; readonly pick: number; readonly count: number };

const ownSteps: readonly WeighedStep<LetterStep>[] = [
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
];

export const letterSteps = histories(ownSteps, { maxLength: 25, bytesFreeMax: 3000 });

const directory = '/dead';
let pid = 90_000;

/** Dead letters on a disk that loses power, beside what must be there. */
export class PoweredLetters extends Powered<LetterStep> {
  #store!: DeadLetterStore;
  #next = 0;
  readonly #tried = new Set<number>();
  readonly #stored = new Set<number>();
  readonly #removing = new Set<number>();
  readonly #removed = new Set<number>();

  protected override async act(step: LetterStep): Promise<void> {
    if (step.do === 'remove') return await this.#remove(step.pick, step.count);
    const appended = this.#append(step.count);
    if (step.wait) await appended;
  }

  protected override close(): Promise<void> {
    return this.#store.close();
  }

  async #append(count: number): Promise<void> {
    const numbers = Array.from({ length: count }, () => this.#next++);
    for (const number of numbers) this.#tried.add(number);
    const disk = this.disk;
    try {
      const outcomes = await this.#store.append(numbers.map(letterOf));
      if (disk !== this.disk) return;
      for (const [index, outcome] of outcomes.entries()) {
        assert.equal(outcome, 'stored');
        const number = numbers[index]!;
        if (!this.#removing.has(number)) this.#stored.add(number);
      }
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'SLUICE_STORAGE_FAILED');
      assert.ok(this.faults > 0 || disk !== this.disk);
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

  protected override async open(disk: PowerLossFileSystem): Promise<void> {
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
      fileSystem: this.disk,
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
