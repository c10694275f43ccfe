import type { Chunk } from '../chunk/chunk.ts';
import { messageOf, SluiceError } from '../errors/sluice_error.ts';
import type { Counter, DeliveryOutcome, Log, Output, RejectedRecord } from '../sdk/contracts.ts';
import type { ComponentCounters } from '../telemetry/component_counters.ts';
import { type Clock, pause } from '../time/clock.ts';
import { backoffMs, type RetryPolicy } from './backoff.ts';
import type { DeadLetter, DeadLetterDesk } from './dead_letter_desk.ts';

export interface DeliveringOptions {
  readonly output: Output;
  readonly retry: RetryPolicy;
  readonly deadLetters: DeadLetterDesk;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Hides secrets in reasons: a destination may repeat what it was sent. */
  readonly conceal?: ((text: string) => string) | undefined;
  readonly counters: ComponentCounters;
  readonly retries: Counter;
  readonly bytesOut: Counter;
  readonly signal: AbortSignal;
  setHealth(problem: string | undefined): void;
}

/** Brings chunks to one output until each record is accepted, dead-lettered, or given up by the
 *  configured limit. What must be tried again is tried with the same bytes and nothing else. */
export class Delivering {
  private readonly options: DeliveringOptions;
  /** When the tries that wait for an answer began. */
  private readonly tries = new Map<Chunk, number>();

  constructor(options: DeliveringOptions) {
    this.options = options;
  }

  /** True when every record of the chunk is settled; false when the signal ended the work. */
  async deliver(chunk: Chunk): Promise<boolean> {
    let current = chunk;
    while (!this.options.signal.aborted) {
      current.attempts++;
      const outcome = this.concealed(await this.attempt(current));
      const rest = await this.settle(current, outcome);
      if (rest === 'settled') return true;
      if (rest === 'interrupted') return false;
      current = rest;
    }
    return false;
  }

  /** How long the oldest try waits for its answer; 0 when none does. */
  silentMs(): number {
    if (this.tries.size === 0) return 0;
    return this.options.clock.monotonicMs() - Math.min(...this.tries.values());
  }

  private async attempt(chunk: Chunk): Promise<DeliveryOutcome> {
    this.tries.set(chunk, this.options.clock.monotonicMs());
    try {
      return await this.options.output.deliver(chunk, {
        signal: this.options.signal,
        attempt: chunk.attempts,
      });
    } catch (error) {
      if (error instanceof SluiceError && error.kind === 'permanent') {
        return { kind: 'rejected', reason: error.message };
      }
      const afterMs = error instanceof SluiceError ? error.retryAfterMs : undefined;
      return { kind: 'retry', reason: messageOf(error), afterMs };
    } finally {
      this.tries.delete(chunk);
    }
  }

  private concealed(outcome: DeliveryOutcome): DeliveryOutcome {
    const { conceal } = this.options;
    if (conceal === undefined || outcome.kind === 'accepted') return outcome;
    const reason = conceal(outcome.reason);
    if (outcome.kind !== 'partial') return { ...outcome, reason };
    const rejected = outcome.rejected.map((one) => ({ ...one, reason: conceal(one.reason) }));
    return { ...outcome, reason, rejected };
  }

  /** Applies an outcome; returns the chunk to try again, if any of it is left. */
  private async settle(
    chunk: Chunk,
    outcome: DeliveryOutcome,
  ): Promise<Chunk | 'settled' | 'interrupted'> {
    // A destination that answers is up, even if it refuses; `retry` below says what is wrong.
    if (outcome.kind !== 'retry') this.options.setHealth(undefined);
    switch (outcome.kind) {
      case 'accepted':
        this.accepted(chunk.count, chunk.bytes);
        return 'settled';
      case 'rejected':
        return (await this.bury(chunk, allRejected(chunk, outcome))) ? 'settled' : 'interrupted';
      case 'split':
        return await this.split(chunk, outcome.reason);
      case 'retry':
        return await this.retry(chunk, outcome.reason, outcome.afterMs);
      case 'partial':
        return await this.partial(chunk, outcome);
    }
  }

  private accepted(records: number, bytes: number): void {
    this.options.counters.out.value += records;
    this.options.bytesOut.value += bytes;
  }

  private async partial(
    chunk: Chunk,
    outcome: Extract<DeliveryOutcome, { kind: 'partial' }>,
  ): Promise<Chunk | 'settled' | 'interrupted'> {
    if (!(await this.bury(chunk, outcome.rejected))) return 'interrupted';
    const rest = outcome.retry.length > 0 ? chunk.subset(outcome.retry) : undefined;
    const accepted = chunk.count - outcome.rejected.length - outcome.retry.length;
    if (accepted > 0) this.accepted(accepted, chunk.bytes - (rest?.bytes ?? 0));
    if (rest === undefined) return 'settled';
    return await this.retry(rest, outcome.reason, outcome.afterMs);
  }

  private async split(chunk: Chunk, reason: string): Promise<'settled' | 'interrupted'> {
    if (chunk.count === 1) {
      const rejected = [{ index: 0, reason, code: 'SLUICE_RECORD_TOO_LARGE' }];
      return (await this.bury(chunk, rejected)) ? 'settled' : 'interrupted';
    }
    const middle = chunk.count >> 1;
    for (const half of [indices(0, middle), indices(middle, chunk.count)]) {
      const part = chunk.subset(half);
      part.attempts = 0;
      if (!(await this.deliver(part))) return 'interrupted';
    }
    return 'settled';
  }

  private async retry(
    chunk: Chunk,
    reason: string,
    afterMs: number | undefined,
  ): Promise<Chunk | 'settled' | 'interrupted'> {
    const { retry, log, clock, signal } = this.options;
    if (signal.aborted) return 'interrupted';
    if (chunk.attempts > retry.retriesMax) {
      const rejected = allRejected(chunk, {
        reason: `gave up after ${chunk.attempts} tries: ${reason}`,
      });
      return (await this.bury(chunk, rejected)) ? 'settled' : 'interrupted';
    }
    this.options.retries.value++;
    this.options.setHealth(reason);
    const waitMs = backoffMs(retry, chunk.attempts, afterMs, this.options.random);
    log.warn(
      { attempt: chunk.attempts, records: chunk.count, waitMs: Math.round(waitMs), reason },
      'Delivery failed; trying again.',
    );
    await pause(clock, waitMs, signal);
    return signal.aborted ? 'interrupted' : chunk;
  }

  private bury(chunk: Chunk, rejected: readonly RejectedRecord[]): Promise<boolean> {
    const letters = rejected.map((one) => this.letter(chunk, one));
    if (letters.length > 0) {
      this.options.log.warn(
        { records: letters.length, reason: letters[0]!.reason },
        'Records were refused and are kept as dead letters.',
      );
    }
    return this.options.deadLetters.keep(letters, this.options.counters, this.options.signal);
  }

  private letter(chunk: Chunk, rejected: RejectedRecord): DeadLetter {
    return {
      record: this.options.output.encoder.recordJson(
        chunk.recordAt(rejected.index),
        chunk.sectionOf(rejected.index),
      ),
      origin: chunk.originAt(rejected.index),
      output: chunk.outputId,
      reason: rejected.reason,
      code: rejected.code ?? 'SLUICE_OUTPUT_REFUSED',
      status: rejected.status,
      attempts: chunk.attempts,
    };
  }
}

function allRejected(
  chunk: Chunk,
  outcome: { readonly reason: string; readonly status?: number },
): RejectedRecord[] {
  return indices(0, chunk.count).map((index) => ({
    index,
    reason: outcome.reason,
    status: outcome.status,
  }));
}

function indices(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, k) => from + k);
}
