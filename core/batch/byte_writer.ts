import './buffer_methods.ts';
/** A growing buffer that encoders write into. `length` is what is written so far. */
export class ByteWriter {
  buffer: Buffer;
  length = 0;
  /** Size that a large writer ends up with: past a quarter of it, growing goes there at once. */
  private readonly expectedBytes: number;

  constructor(initialBytes = 64 * 1024, expectedBytes = 0) {
    this.buffer = Buffer.allocUnsafeSlow(initialBytes);
    this.expectedBytes = expectedBytes;
  }

  /** A writer that starts in memory it was given; what does not fit there moves to its own. */
  static over(memory: Buffer, expectedBytes = 0): ByteWriter {
    const writer = new ByteWriter(0, expectedBytes);
    writer.buffer = memory;
    return writer;
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const doubled = Math.max(needed, this.buffer.length * 2);
    const isNearlyThere = doubled * 4 > this.expectedBytes && doubled < this.expectedBytes;
    const grown = Buffer.allocUnsafeSlow(isNearlyThere ? this.expectedBytes : doubled);
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  bytes(source: Buffer, start = 0, end = source.length): void {
    // hot path
    const count = end - start;
    this.reserve(count);
    if (count < 24) {
      // A call into the runtime costs more than a few stores.
      const target = this.buffer;
      let to = this.length;
      for (let at = start; at < end; at++) target[to++] = source[at]!;
    } else source.copy(this.buffer, this.length, start, end);
    this.length += count;
  }

  /** Makes room for `bytes` that the caller puts there; returns where. */
  skip(bytes: number): number {
    this.reserve(bytes);
    this.length += bytes;
    return this.length - bytes;
  }

  text(value: string): void {
    this.reserve(value.length * 3);
    this.length += this.buffer.utf8Write(value, this.length);
  }

  /** Writes UTF-8 text as the inside of a JSON string (RFC 8259 section 7). */
  escaped(source: Buffer, start: number, end: number): void {
    // hot path
    this.reserve((end - start) * 6);
    const target = this.buffer;
    let to = this.length;
    for (let at = start; at < end; at++) {
      const byte = source[at]!;
      if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) {
        target[to++] = byte;
        continue;
      }
      target[to++] = 0x5c;
      const short = shortEscape(byte);
      if (short !== 0) {
        target[to++] = short;
        continue;
      }
      target[to++] = 0x75;
      target[to++] = 0x30;
      target[to++] = 0x30;
      target[to++] = hexDigits[byte >> 4]!;
      target[to++] = hexDigits[byte & 15]!;
    }
    this.length = to;
  }

  clear(): void {
    this.length = 0;
  }

  /** Lets go of the memory: what was written is gone. */
  forget(): void {
    this.buffer = nothing;
    this.length = 0;
  }

  view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

const nothing = Buffer.alloc(0);
const hexDigits = Buffer.from('0123456789abcdef');

function shortEscape(byte: number): number {
  switch (byte) {
    case 0x22:
    case 0x5c:
      return byte;
    case 0x0a:
      return 0x6e;
    case 0x0d:
      return 0x72;
    case 0x09:
      return 0x74;
    case 0x08:
      return 0x62;
    case 0x0c:
      return 0x66;
    default:
      return 0;
  }
}
