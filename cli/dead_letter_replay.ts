import { type Batch, heapBatch } from '../core/batch/batch.ts';
import type { Source } from '../core/batch/source.ts';
import { Chunk } from '../core/chunk/chunk.ts';
import type { DeadLetter, DeadLetterReference } from '../core/dead_letter/dead_letter.ts';
import { messageOf, SluiceError } from '../core/errors/sluice_error.ts';
import type { DeliveryOutcome, Output, RecordSink } from '../core/sdk/contracts.ts';
import { type Clock, pause } from '../core/time/clock.ts';

export interface ReplayReport {
  accepted: number;
  /** Refused again: they stay where they are. */
  refused: number;
  /** Why, for the first of them. */
  reason: string | undefined;
}

export interface ReplayOptions {
  readonly output: Output;
  readonly outputId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Forgets letters that were accepted, durably. */
  remove(references: readonly DeadLetterReference[]): Promise<void>;
}

const triesMax = 5;
const firstWaitMs = 1000;

/** Sends dead letters through their output again, with the origin they had, so that ids are the
 *  same as the first time. Accepted ones are removed chunk by chunk; a destination that cannot be
 *  reached after five tries ends the replay with SLUICE_OUTPUT_UNREACHABLE. */
export class DeadLetterReplay {
  readonly report: ReplayReport = { accepted: 0, refused: 0, reason: undefined };
  private readonly options: ReplayOptions;

  constructor(options: ReplayOptions) {
    this.options = options;
  }

  /** Replays one chunk's worth of letters. */
  async send(letters: readonly DeadLetter[]): Promise<void> {
    const chunk = new Chunk(this.options.outputId);
    /** The letter of each record, in the chunk's order. */
    const taken: DeadLetter[] = [];
    for (const letter of letters) {
      const before = chunk.count;
      const reason = this.encode(letter, chunk);
      if (chunk.count > before) taken.push(letter);
      else this.refuse(1, reason ?? 'the output does not take it');
    }
    if (chunk.count > 0) await this.deliver(chunk, inSectionOrder(chunk, taken));
  }

  private encode(letter: DeadLetter, chunk: Chunk): string | undefined {
    const batch = batchOf(letter);
    if (batch === undefined) return 'the record is not a JSON object';
    let refused: string | undefined;
    const sink: RecordSink = {
      appendRun: (key, run) => chunk.appendRun(key, run),
      reject: (_batch, _index, reason) => {
        refused = reason;
      },
    };
    this.options.output.encoder.encode(batch, batch.select, sink);
    return refused;
  }

  private async deliver(chunk: Chunk, letters: readonly DeadLetter[]): Promise<void> {
    let waitMs = firstWaitMs;
    for (let attempt = 1; ; attempt++) {
      chunk.attempts = attempt;
      const outcome = await this.attempt(chunk, attempt);
      if (outcome.kind !== 'retry') return await this.settle(chunk, letters, outcome);
      if (attempt === triesMax || this.options.signal.aborted) {
        throw new SluiceError(
          'SLUICE_OUTPUT_UNREACHABLE',
          `The output "${this.options.outputId}" takes nothing (${outcome.reason}); what was not replayed stays.`,
        );
      }
      await pause(this.options.clock, outcome.afterMs ?? waitMs, this.options.signal);
      waitMs *= 2;
    }
  }

  private async attempt(chunk: Chunk, attempt: number): Promise<DeliveryOutcome> {
    try {
      return await this.options.output.deliver(chunk, { signal: this.options.signal, attempt });
    } catch (error) {
      const isPermanent = error instanceof SluiceError && error.kind === 'permanent';
      return { kind: isPermanent ? 'rejected' : 'retry', reason: messageOf(error) };
    }
  }

  private async settle(
    chunk: Chunk,
    letters: readonly DeadLetter[],
    outcome: Exclude<DeliveryOutcome, { kind: 'retry' }>,
  ): Promise<void> {
    switch (outcome.kind) {
      case 'accepted':
        return await this.accept(letters);
      case 'rejected':
        return this.refuse(letters.length, outcome.reason);
      case 'split': {
        if (chunk.count === 1) return this.refuse(1, outcome.reason);
        const middle = chunk.count >> 1;
        await this.deliverPart(chunk, letters, range(0, middle));
        return await this.deliverPart(chunk, letters, range(middle, chunk.count));
      }
      case 'partial': {
        const left = new Set(outcome.retry);
        for (const { index, reason } of outcome.rejected) {
          left.add(index);
          this.refuse(1, reason);
        }
        await this.accept(letters.filter((_, index) => !left.has(index)));
        if (outcome.retry.length === 0) return;
        await pause(this.options.clock, outcome.afterMs ?? firstWaitMs, this.options.signal);
        return await this.deliverPart(chunk, letters, outcome.retry);
      }
    }
  }

  private async deliverPart(
    chunk: Chunk,
    letters: readonly DeadLetter[],
    indices: readonly number[],
  ): Promise<void> {
    if (this.options.signal.aborted) return;
    const part = chunk.subset(indices);
    const partLetters = indices.map((index) => letters[index]!);
    await this.deliver(part, partLetters);
  }

  private async accept(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return;
    await this.options.remove(letters.map((letter) => letter.reference));
    this.report.accepted += letters.length;
  }

  private refuse(count: number, reason: string): void {
    this.report.refused += count;
    this.report.reason ??= reason;
  }
}

/** A batch with the one record, or undefined when it is no JSON object. */
function batchOf(letter: DeadLetter): Batch | undefined {
  const { record, origin, time, tag } = letter;
  if (!isObject(record)) return undefined;
  const batch = heapBatch(record.length, 1);
  batch.reset(sourceOf(letter), tag);
  const index = batch.addEvent(origin.offset, origin.offset + 1, time.seconds, time.nanos);
  batch.part[index] = origin.part;
  record.copy(batch.bytes, batch.dataStart);
  batch.setRoot(index, batch.dataStart, batch.dataStart + record.length);
  batch.select[index] = 1;
  return batch;
}

function isObject(record: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(record.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The letter's source, which nobody waits for any more. */
function sourceOf({ origin }: DeadLetter): Source {
  return {
    name: origin.source,
    inputId: '',
    generation: origin.generation,
    ledger: {
      startMark: () => 0,
      processedPosition: 0,
      pend() {},
      settle() {},
      advance() {},
      hold() {},
      release() {},
    },
  };
}

/** A chunk's indices count through its sections; letters were taken in the order of records. */
function inSectionOrder(chunk: Chunk, letters: readonly DeadLetter[]): DeadLetter[] {
  return chunk.sections.flatMap((section) =>
    Array.from(section.records.subarray(0, section.count), (record) => letters[record]!),
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, k) => from + k);
}
