import { createHash } from 'node:crypto';

/** Where a record was read: a position within a generation of a source, and a part of it. */
export interface DeadLetterOrigin {
  /** For people: a path, an address, a channel. */
  readonly source: string;
  /** 32 hexadecimal digits. */
  readonly generation: string;
  readonly offset: number;
  readonly part: number;
}

/** A time as whole seconds since the epoch and the nanoseconds beyond them. */
export interface PreciseTime {
  readonly seconds: number;
  readonly nanos: number;
}

/** A record on its way into the store. */
export interface DeadLetterInput {
  /** The record as JSON text. Bytes that are not valid UTF-8 are kept as they are. */
  readonly record: Uint8Array;
  readonly origin: DeadLetterOrigin;
  readonly tag: string;
  readonly time: PreciseTime;
  /** In the destination's words; cut at 8 KiB. */
  readonly reason: string;
  /** A word from a bounded set, to count by. */
  readonly reasonCode: string;
  readonly status?: number | undefined;
  readonly attempts: number;
}

/** Names one stored letter, for its removal. Good until the letter is removed. */
export interface DeadLetterReference {
  /** The number of its file. */
  readonly file: number;
  /** Where its encoding starts in that file. */
  readonly position: number;
  readonly id: string;
}

/** A record in the store. */
export interface DeadLetter extends Omit<DeadLetterInput, 'record'> {
  readonly record: Buffer;
  readonly failedAt: PreciseTime;
  readonly output: string;
  readonly id: string;
  readonly reference: DeadLetterReference;
}

/** The same for the same record of the same output, so that a replay can be idempotent. */
export function deadLetterId(output: string, origin: DeadLetterOrigin): string {
  const { generation, offset, part } = origin;
  const text = [output, generation, String(offset), String(part)].join('\0');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
