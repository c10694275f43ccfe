import type { BodyWindow } from './body_window.ts';
import type { RecordCutter, RecordSpans } from './record_spans.ts';

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Finds the elements of a JSON array, or JSON values one behind the other, without taking them
 *  apart. It only counts brackets: what it leaves in `skeleton`, each value replaced by `0`, says
 *  whether what stands between the values is right, and each value is checked by itself. */
export class JsonCutter implements RecordCutter {
  /** The body since the last look, with `0 ` for each value. */
  skeleton = '';

  private at = 0;
  private start = -1;
  /** Inside an array at the top. */
  private base = 0;
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  private inScalar = false;
  private isDropping = false;

  get keepFrom(): number {
    return this.start >= 0 ? this.start : this.at;
  }

  /** In the middle of a value or of an array. */
  get isOpen(): boolean {
    return this.start >= 0 || this.base > 0;
  }

  cut(window: BodyWindow, spans: RecordSpans, isLast: boolean): boolean {
    // hot path
    const { bytes, length } = window;
    while (this.at < length && !spans.isFull) {
      if (this.inString) this.passString(bytes, length, spans);
      else if (this.depth > this.base) this.passValue(bytes, length, spans);
      else this.passBetween(bytes[this.at]!, spans);
    }
    if (this.at < length) return true;
    if (isLast && this.inScalar && !spans.isFull) this.finish(length, spans);
    return isLast && this.inScalar;
  }

  shift(bytes: number): void {
    this.at -= bytes;
    if (this.start >= 0) this.start -= bytes;
  }

  dropUnfinished(end: number): void {
    this.start = end;
    this.isDropping = true;
  }

  private passString(bytes: Buffer, length: number, spans: RecordSpans): void {
    // hot path
    let at = this.at;
    if (this.isEscaped) {
      this.isEscaped = false;
      at++;
    }
    while (at < length) {
      const byte = bytes[at++]!;
      if (byte === quote) {
        this.inString = false;
        if (this.depth === this.base) this.finish(at, spans);
        break;
      }
      if (byte !== backslash) continue;
      if (at === length) this.isEscaped = true;
      else at++;
    }
    this.at = at;
  }

  /** Inside an object or array that is itself a record. */
  private passValue(bytes: Buffer, length: number, spans: RecordSpans): void {
    // hot path
    let at = this.at;
    while (at < length) {
      const byte = bytes[at++]!;
      if (byte === quote) {
        this.inString = true;
        break;
      }
      if (byte === openBrace || byte === openBracket) this.depth++;
      else if (byte === closeBrace || byte === closeBracket) {
        if (--this.depth === this.base) {
          this.finish(at, spans);
          break;
        }
      }
    }
    this.at = at;
  }

  private passBetween(byte: number, spans: RecordSpans): void {
    const isSpace = byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
    const isMark = byte === comma || byte === closeBracket || byte === closeBrace;
    const opens = byte === quote || byte === openBrace || byte === openBracket;
    if (this.inScalar && (isSpace || isMark || opens)) {
      // The same byte is looked at again, as what follows the value.
      this.finish(this.at, spans);
      return;
    }
    if (isMark) {
      this.skeleton += String.fromCharCode(byte);
      if (byte === closeBracket) {
        this.base = 0;
        this.depth = 0;
      }
    } else if (byte === openBracket && this.base === 0) {
      this.skeleton += '[';
      this.base = 1;
      this.depth = 1;
    } else if (!isSpace && !this.inScalar) this.begin(byte, opens);
    this.at++;
  }

  private begin(byte: number, opens: boolean): void {
    this.start = this.at;
    if (byte === quote) this.inString = true;
    else if (opens) this.depth++;
    else this.inScalar = true;
  }

  private finish(end: number, spans: RecordSpans): void {
    if (this.isDropping) spans.add(-1, -1);
    else spans.add(this.start, end);
    this.skeleton += '0 ';
    this.start = -1;
    this.inScalar = false;
    this.isDropping = false;
  }
}
