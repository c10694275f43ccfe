import type { BodyWindow } from './body_window.ts';

const spansMax = 2048;

/** Where records stand in a window; start -1 stands for one that was too large to be held. */
export class RecordSpans {
  readonly starts = new Int32Array(spansMax);
  readonly ends = new Int32Array(spansMax);
  count = 0;

  get isFull(): boolean {
    return this.count === spansMax;
  }

  add(start: number, end: number): void {
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }
}

/** Finds records in a body, however it is cut into pieces. Positions are of the window. */
export interface RecordCutter {
  /** Looks at what is new and adds the records that are whole. True when the spans are full and
   *  there may be more. `isLast`: nothing follows. */
  cut(window: BodyWindow, spans: RecordSpans, isLast: boolean): boolean;
  /** The first byte that is still needed. */
  readonly keepFrom: number;
  /** The window has forgotten this many bytes. */
  shift(bytes: number): void;
  /** The record that is unfinished at `end` is too large: its bytes are not wanted. */
  dropUnfinished(end: number): void;
}
