/** Reads RowBinary values out of a buffer. Throws RangeError at its end. */
export class RowReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Moves over `count` bytes and returns where they begin. */
  take(count: number): number {
    const at = this.at;
    if (at + count > this.bytes.length) throw new RangeError('the row is cut short');
    this.at += count;
    return at;
  }

  varUint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.take(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  text(bytes: number): string {
    const at = this.take(bytes);
    return this.bytes.toString('utf8', at, at + bytes);
  }

  /** A whole number of any width, lowest byte first, two's complement when `signed`. */
  integer(bytes: number, signed: boolean): bigint {
    const at = this.take(bytes);
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[at + i]!);
    return signed ? BigInt.asIntN(bytes * 8, value) : value;
  }
}
