import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../../core/sdk/index.ts';
import type { JointReader } from './joint_reader.ts';
import type { SweepPace } from './sweep_pace.ts';
import type { TailedFile } from './tailed_file.ts';

/** The reader lets others have their turn so often. */
const yieldMs = 5;

export interface ReadRoundsParts {
  readonly joint: JointReader;
  readonly pace: SweepPace;
  readonly clock: Clock;
  isToBeRead(file: TailedFile): boolean;
  /** Reads a block of the file into a batch of its own. */
  takeTurn(file: TailedFile): Promise<void>;
  complain(file: TailedFile, error: unknown): void;
}

/** Gives files their turns: those that bring a few lines share batches. */
export class ReadRounds {
  private readonly parts: ReadRoundsParts;
  private yieldedMs = 0;

  constructor(parts: ReadRoundsParts) {
    this.parts = parts;
  }

  /** Gives each of the files a turn. Returns those that have more to read. All that was read is
   *  through the filters then. `waitedMs`: how long it may have waited in its file. */
  async round(
    files: readonly TailedFile[],
    waitedMs: number,
    signal: AbortSignal,
  ): Promise<TailedFile[]> {
    const { parts } = this;
    const { joint } = parts;
    try {
      for (const file of files) {
        if (signal.aborted) break;
        if (!parts.isToBeRead(file)) continue;
        if (joint.suits(file) && !joint.hasRoom) {
          await joint.begin(file.generation!, waitedMs);
          if (!parts.isToBeRead(file)) continue;
        }
        if (!joint.suits(file) || !this.readJointly(file)) {
          await joint.send(waitedMs);
          await parts.takeTurn(file);
        }
        if (performance.now() - this.yieldedMs > yieldMs) {
          await setImmediate();
          this.yieldedMs = performance.now();
        }
      }
      await joint.send(waitedMs);
    } finally {
      joint.drop();
    }
    return signal.aborted ? [] : files.filter((file) => parts.isToBeRead(file));
  }

  /** Reads the few lines that a file has into the batch of several. False when they are not few, or
   *  the file needs a turn of its own. */
  private readJointly(file: TailedFile): boolean {
    const { joint, pace, clock, complain } = this.parts;
    const generation = file.generation!;
    const { position } = generation;
    try {
      if (!joint.read(file, generation)) return false;
      file.isReady = false;
      pace.read(generation.position - position, clock.monotonicMs());
    } catch (error) {
      if (!isFileError(error)) throw error;
      complain(file, error);
    }
    return true;
  }
}

/** True for errors of the file system. */
export function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
