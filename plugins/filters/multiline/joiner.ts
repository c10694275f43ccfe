import type { LineAt, RecordReceiver } from '../../shared/multiline/index.ts';

/** Puts the texts of one stream together. Offsets are the numbers of records: a whole one goes
 *  from its first to behind its last. */
export interface Joiner {
  push(line: LineAt, nowMs: number, receive: RecordReceiver): void;
  /** Passes on what has waited long enough, at most so many. */
  flushDue(nowMs: number, receive: RecordReceiver, most: number): unknown;
  flushAll(receive: RecordReceiver): void;
  /** When the next is due (monotonic ms), or Infinity. */
  nextDeadlineMs(): number;
  forEachHeld(visit: (offset: number, offsetEnd: number) => void): void;
  heldBytes(): number;
}
