import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type CheckpointEntry,
  type CheckpointStore,
  openCheckpointStore,
} from '../../core/checkpoint/checkpoint_store.ts';
import { recordingLog } from '../unit/buffer/buffer_fixture.ts';
import { histories, Powered, type WeighedStep } from './power_harness.ts';
import type { PowerLossFileSystem } from './power_loss_file_system.ts';

export type CheckpointStep =
  | { readonly do: 'set'; readonly key: number }
  | { readonly do: 'delete'; readonly key: number }
  | { readonly do: 'flush'; readonly wait: boolean };

const ownSteps: readonly WeighedStep<CheckpointStep>[] = [
  { weight: 10, arbitrary: fc.record({ do: fc.constant('set'), key: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), key: fc.nat(5) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('flush'), wait: fc.boolean() }) },
];

export const checkpointSteps = histories(ownSteps, { maxLength: 50, bytesFreeMax: 900 });

/** Undefined: the key was deleted, or never set. */
type Value = number | undefined;

/** Checkpoints on a disk that loses power, beside the values that each key may have. */
export class PoweredCheckpoints extends Powered<CheckpointStep> {
  flushes = 0;
  #store!: CheckpointStore;
  #next = 1;
  /** What a power loss may leave: the value at the last flush, and those set since. */
  readonly #possible = new Map<string, { order: number; value: Value }[]>();
  #order = 0;
  readonly #ever = new Map<string, Set<Value>>();
  readonly #setHere = new Set<string>();
  #isDoubtful = false;

  protected override async act(step: CheckpointStep): Promise<void> {
    switch (step.do) {
      case 'set':
        return this.#change(`key ${step.key}`, this.#next++);
      case 'delete':
        return this.#change(`key ${step.key}`, undefined);
      case 'flush':
        return this.#flush(step.wait);
    }
  }

  protected override beforeKill(): void {
    this.#isDoubtful ||= this.disk.hasDropped;
  }

  /** The last loss of power was the end: nothing was changed since. */
  protected override async close(): Promise<void> {}

  #change(key: string, value: Value): void {
    if (value === undefined) this.#store.delete(key);
    else this.#store.set(key, entryOf(value));
    const before = this.#possible.get(key) ?? [{ order: 0, value: undefined }];
    this.#possible.set(key, [...before, { order: ++this.#order, value }]);
    this.#ever.set(key, (this.#ever.get(key) ?? new Set<Value>([undefined])).add(value));
    this.#setHere.add(key);
  }

  async #flush(wait: boolean): Promise<void> {
    const disk = this.disk;
    const newest = new Map([...this.#possible].map(([key, all]) => [key, all.at(-1)!.order]));
    const here = new Set(this.#setHere);
    const flushed = this.#store.flush().then(
      () => {
        if (disk !== this.disk) return;
        this.flushes++;
        for (const [key, least] of newest) {
          if (!here.has(key)) continue;
          const left = this.#possible.get(key)!.filter(({ order }) => order >= least);
          this.#possible.set(key, left);
        }
      },
      (error) => {
        assert.equal(error.code, 'SLUICE_STORAGE_FAILED');
        assert.ok(this.faults > 0 || disk !== this.disk);
      },
    );
    if (wait) await flushed;
  }

  protected override async open(disk: PowerLossFileSystem, cause: 'power' | 'kill'): Promise<void> {
    this.#setHere.clear();
    this.#store = await openCheckpointStore({
      path: '/state/checkpoints',
      fileSystem: disk,
      log: recordingLog(),
    });
    const { entries, damagedLines } = this.#store;
    for (const [key, all] of this.#possible) {
      const values = all.map(({ value }) => value);
      const found = entries.get(key)?.position.es;
      if (found !== undefined) assert.deepEqual(entries.get(key), entryOf(found));
      const text = `${key} is ${found}, not one of ${values} (${damagedLines} damaged)`;
      // Damage may bring back, from the generation before, a key that was deleted.
      const wasDeleted = damagedLines > 0 && values.includes(undefined);
      if (this.#isDoubtful || wasDeleted) assert.ok(this.#ever.get(key)!.has(found), text);
      else assert.ok(values.includes(found), text);
      const kept = cause === 'power' ? [] : all;
      this.#possible.set(key, [...kept, { order: ++this.#order, value: found }]);
    }
    if (cause === 'power') this.#isDoubtful = false;
    for (const key of entries.keys()) assert.ok(this.#possible.has(key));
  }
}

function entryOf(value: number): CheckpointEntry {
  return {
    generation: '0123456789abcdef0123456789abcdef',
    position: { es: value, file: value + 1 },
    identity: { device: 1, inode: value, head: 'ff'.repeat(value % 40) },
    updatedAtMs: value,
  };
}
