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

/** Bytes of a record that is not whole yet, copied out of the blocks they came in. */
export class HeldBytes {
  bytes: Buffer = Buffer.alloc(0);
  length = 0;

  append(bytes: Buffer, start: number, end: number): void {
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
    if (this.length === this.bytes.length) this.append(single, 0, 1);
    else this.length++;
    this.bytes[this.length - 1] = byte;
  }

  /** Empties it, and gives memory back after something large. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > 64 * 1024) this.bytes = Buffer.alloc(0);
  }
}

const single = Buffer.alloc(1);
const shortBytesMax = 32;
