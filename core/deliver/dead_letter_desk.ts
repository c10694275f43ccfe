import { messageOf } from '../errors/sluice_error.ts';
import type { Log } from '../sdk/contracts.ts';
import type { ComponentCounters } from '../telemetry/component_counters.ts';
import { type Clock, pause } from '../time/clock.ts';
import type { RecordOrigin } from '../chunk/chunk.ts';

/** A record that its output refused for good. */
export interface DeadLetter {
  /** The record as JSON text. */
  readonly record: string;
  readonly origin: RecordOrigin;
  readonly output: string;
  readonly reason: string;
  readonly code: string;
  readonly status: number | undefined;
  readonly attempts: number;
}

/** Where dead letters are kept. `append` resolves, with one outcome a letter, when those that are
 *  stored are durable. */
export interface DeadLetterStore {
  append(letters: readonly DeadLetter[]): Promise<('stored' | 'full' | 'dropped')[]>;
  close(): Promise<void>;
}

export interface DeadLetterDeskOptions {
  readonly store: DeadLetterStore;
  readonly clock: Clock;
  readonly log: Log;
  setHealth(problem: string | undefined): void;
}

/** Takes refused records until they are durable, or dropped by the user's own choice. */
export class DeadLetterDesk {
  private readonly options: DeadLetterDeskOptions;

  constructor(options: DeadLetterDeskOptions) {
    this.options = options;
  }

  /** Resolves true when every letter is settled; false when the signal ended the wait. */
  async keep(
    letters: readonly DeadLetter[],
    counters: ComponentCounters,
    signal: AbortSignal,
  ): Promise<boolean> {
    let left = letters;
    while (left.length > 0) {
      if (signal.aborted) return false;
      const { rest, problem } = await this.tryToKeep(left, counters);
      left = rest;
      this.options.setHealth(problem);
      if (problem === undefined) continue;
      this.options.log.error({ records: left.length, problem }, 'Dead letters cannot be kept.');
      await pause(this.options.clock, 1000, signal);
    }
    return true;
  }

  /** Returns the letters that are still to be kept, and what stands in their way. */
  private async tryToKeep(
    letters: readonly DeadLetter[],
    counters: ComponentCounters,
  ): Promise<{ rest: readonly DeadLetter[]; problem: string | undefined }> {
    try {
      const outcomes = await this.options.store.append(letters);
      const dropped = outcomes.filter((outcome) => outcome === 'dropped').length;
      if (dropped > 0) counters.dropped('dead_letters_full', dropped);
      counters.deadLettered.value += outcomes.filter((outcome) => outcome === 'stored').length;
      const rest = letters.filter((_, index) => outcomes[index] === 'full');
      if (rest.length === 0) return { rest, problem: undefined };
      const problem = 'the dead-letter store is full: replay or remove letters (`sluice dlq`)';
      return { rest, problem };
    } catch (error) {
      return { rest: letters, problem: `the dead-letter store failed: ${messageOf(error)}` };
    }
  }
}
