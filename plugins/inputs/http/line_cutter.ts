import type { BodyWindow } from './body_window.ts';
import type { RecordCutter, RecordSpans } from './record_spans.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Takes each line for a record, without its newline and a carriage return before that. Empty
 *  lines are none. */
export class LineCutter implements RecordCutter {
  private start = 0;
  private scanned = 0;
  private isDropping = false;

  get keepFrom(): number {
    return this.start;
  }

  cut(window: BodyWindow, spans: RecordSpans, isLast: boolean): boolean {
    // hot path
    const bytes = window.bytes.subarray(0, window.length);
    while (!spans.isFull) {
      const stop = bytes.indexOf(newline, this.scanned);
      if (stop < 0) {
        this.scanned = bytes.length;
        if (isLast) this.finish(bytes, bytes.length, spans);
        return false;
      }
      this.finish(bytes, stop, spans);
      this.start = stop + 1;
      this.scanned = stop + 1;
    }
    return true;
  }

  shift(bytes: number): void {
    this.start -= bytes;
    this.scanned -= bytes;
  }

  dropUnfinished(end: number): void {
    this.start = end;
    this.scanned = end;
    this.isDropping = true;
  }

  private finish(bytes: Buffer, stop: number, spans: RecordSpans): void {
    if (this.isDropping) spans.add(-1, -1);
    else {
      const end = stop > this.start && bytes[stop - 1] === carriageReturn ? stop - 1 : stop;
      if (end > this.start) spans.add(this.start, end);
    }
    this.start = stop;
    this.isDropping = false;
  }
}
