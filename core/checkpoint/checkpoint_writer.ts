import { randomBytes } from 'node:crypto';
import { messageOf } from '../errors/sluice_error.ts';
import type { Counter, Log } from '../sdk/contracts.ts';
import type { Clock } from '../time/clock.ts';

/** An entry as the store keeps it. */
export interface CheckpointEntry {
  readonly generation: string;
  readonly position: Readonly<Record<string, number>>;
  readonly identity: unknown;
  readonly updatedAtMs: number;
}

/** What the writer needs of `checkpoint_store.ts`. */
export interface CheckpointStorage {
  readonly entries: ReadonlyMap<string, CheckpointEntry>;
  set(key: string, entry: CheckpointEntry): void;
  delete(key: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A source that has a checkpoint. */
export interface CheckpointedSource {
  readonly checkpointKey: string;
  readonly generation: string;
  settledPosition(): number;
  positions(): Record<string, number>;
  identity(position: number): Promise<unknown>;
}

/** Writes the positions of sources that moved, at most about once a second and once more at the
 *  end. A failed write is tried again with the next: until then a crash repeats records, it
 *  never loses any. */
export class CheckpointWriter {
  private readonly store: CheckpointStorage;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly writes: Counter;
  private readonly failures: Counter;
  private readonly setHealth: (problem: string | undefined) => void;
  private readonly dirty = new Set<CheckpointedSource>();
  /** Positions were raised and are not on the disk yet. */
  hasRaised = false;
  private running: Promise<void> | undefined;
  private again: Promise<void> | undefined;
  private cancelTimer: (() => void) | undefined;

  constructor(options: CheckpointWriterOptions) {
    this.store = options.store;
    this.clock = options.clock;
    this.log = options.log;
    this.writes = options.writes;
    this.failures = options.failures;
    this.setHealth = options.setHealth;
  }

  start(periodMs = 1000): void {
    this.cancelTimer = this.clock.every(periodMs, () => {
      if ((this.dirty.size > 0 || this.hasRaised) && this.running === undefined)
        void this.flush().catch(() => undefined);
    });
  }

  entries(): ReadonlyMap<string, CheckpointEntry> {
    return this.store.entries;
  }

  markDirty(source: CheckpointedSource): void {
    this.dirty.add(source);
  }

  /** Notes what stored chunks of an output say of generations: all below these positions is in
   *  them, or was before. Written with the next `flush`. */
  raise(output: string, covered: Readonly<Record<string, number>>): void {
    for (const [key, entry] of this.store.entries) {
      const position = covered[entry.generation];
      if (position === undefined || position <= (entry.position[output] ?? 0)) continue;
      this.store.set(key, { ...entry, position: { ...entry.position, [output]: position } });
      this.hasRaised = true;
    }
  }

  /** Lets all sources go on under new generations, from where they are: for storage that is a copy,
   *  whose original may give the same generation and position to another record. To be called
   *  before sources are opened; written with the next `flush`. */
  renewGenerations(): void {
    for (const [key, entry] of this.store.entries) {
      this.store.set(key, { ...entry, generation: newGeneration() });
      this.hasRaised = true;
    }
  }

  forget(key: string): void {
    for (const source of this.dirty) if (source.checkpointKey === key) this.dirty.delete(source);
    this.store.delete(key);
  }

  /** Resolves when everything that is dirty now is durable. Rejects when it cannot be. */
  flush(): Promise<void> {
    if (this.running !== undefined) {
      // What became dirty meanwhile goes with one more write, shared by all who ask.
      this.again ??= this.running
        .catch(() => undefined)
        .then(() => {
          this.again = undefined;
          return this.flush();
        });
      return this.again;
    }
    this.running = this.write().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async write(): Promise<void> {
    const sources = [...this.dirty];
    this.dirty.clear();
    try {
      for (const source of sources) {
        const position = source.settledPosition();
        this.store.set(source.checkpointKey, {
          generation: source.generation,
          position: source.positions(),
          identity: await source.identity(position),
          updatedAtMs: Math.round(this.clock.nowMs()),
        });
      }
      await this.store.flush();
      this.hasRaised = false;
      this.writes.value++;
      this.setHealth(undefined);
    } catch (error) {
      for (const source of sources) this.dirty.add(source);
      this.failures.value++;
      this.setHealth(`checkpoints cannot be written: ${messageOf(error)}`);
      this.log.error({ error: messageOf(error) }, 'Checkpoints cannot be written; trying again.');
      throw error;
    }
  }

  async close(): Promise<void> {
    this.cancelTimer?.();
    await this.flush().catch(() => undefined);
    await this.store.close();
  }
}

/** A generation that no other source has: 32 hexadecimal digits. */
export function newGeneration(): string {
  return randomBytes(16).toString('hex');
}

export interface CheckpointWriterOptions {
  readonly store: CheckpointStorage;
  readonly clock: Clock;
  readonly log: Log;
  readonly writes: Counter;
  readonly failures: Counter;
  setHealth(problem: string | undefined): void;
}
