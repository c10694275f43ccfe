import { ContainerLine } from './container_line.ts';

/** A whole record, handed to the receiver; the object is reused for the next. Its bytes are good
 *  only during the call. */
export class AssembledRecord {
  /** `text`: content alone. `cri`: content, and `line` with its spans in `prefix`. `docker`: a
   *  JSON object in `prefix`, its `log` replaced by the content when `isJoined`. `fields`: what a
   *  parser found, with the content under `contentKey`. */
  format: 'text' | 'cri' | 'docker' | 'fields' = 'text';
  /** Origin: from the first line's beginning to behind the last one's end. */
  offset = 0;
  offsetEnd = 0;
  /** The content; for Docker a JSON string with its quotes. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  prefix: Buffer = Buffer.alloc(0);
  prefixStart = 0;
  prefixEnd = 0;
  readonly line = new ContainerLine();
  isJoined = false;
  keys: readonly string[] = [];
  values: readonly unknown[] = [];
  contentKey = '';
  /** The parser that made the fields: for the event's time. */
  rulesIndex = 0;
}

export type RecordReceiver = (record: AssembledRecord) => void;

/** Bytes of a record that is not whole yet: as long as its lines follow each other in one block, a
 *  span of that; else a copy of its own. */
export class HeldBytes {
  bytes: Buffer = none;
  start = 0;
  length = 0;
  /** `bytes` are a block's, which stays until `own` is called. */
  private isSpan = false;
  private copy: Buffer = none;

  /** Takes the first line without copying it. */
  beginLine(bytes: Buffer, start: number, end: number): void {
    this.clear();
    this.bytes = bytes;
    this.start = start;
    this.length = end - start;
    this.isSpan = true;
  }

  /** Adds a line behind `joint`, if it can be without copying. */
  appendLine(bytes: Buffer, start: number, end: number, joint: number): void {
    // hot path
    const isNext = this.isSpan && this.bytes === bytes && start === this.start + this.length + 1;
    if (isNext && bytes[start - 1] === joint) {
      this.length = end - this.start;
      return;
    }
    this.appendByte(joint);
    this.append(bytes, start, end);
  }

  append(bytes: Buffer, start: number, end: number): void {
    // hot path
    this.own();
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2, 1024));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    if (end - start > shortBytesMax) bytes.copy(this.bytes, this.length, start, end);
    else {
      // A call into the runtime costs more than a few stores.
      const target = this.bytes;
      let to = this.length;
      for (let at = start; at < end; at++) target[to++] = bytes[at]!;
    }
    this.length = needed;
  }

  appendByte(byte: number): void {
    this.own();
    if (this.length === this.bytes.length) this.append(single, 0, 1);
    else this.length++;
    this.bytes[this.length - 1] = byte;
  }

  /** Copies what stands in a block, which may go then. */
  own(): void {
    if (!this.isSpan) return;
    const { bytes, start, length } = this;
    this.isSpan = false;
    this.bytes = this.copy;
    this.start = 0;
    this.length = 0;
    this.append(bytes, start, start + length);
  }

  /** Empties it, and gives memory back after something large. */
  clear(): void {
    if (!this.isSpan) this.copy = this.bytes.length > 64 * 1024 ? none : this.bytes;
    this.bytes = this.copy;
    this.isSpan = false;
    this.start = 0;
    this.length = 0;
  }
}

const none = Buffer.alloc(0);
const single = Buffer.alloc(1);
const shortBytesMax = 32;
