import { Damage } from './damage.ts';

/** The values of the template instances that are being written, one run behind the other. Kept in
 *  flat arrays, because no record may cost an object per value. */
export class ValueFrames {
  readonly start = new Int32Array(valuesMax);
  readonly size = new Int32Array(valuesMax);
  readonly type = new Uint8Array(valuesMax);
  private used = 0;

  clear(): void {
    this.used = 0;
  }

  /** Reads the values at `at` and returns the index of the first; `count` is then their number. */
  read(bytes: Buffer, at: number, end: number): number {
    // hot path
    if (at + 4 > end) throw new Damage('a template without values', at);
    const count = bytes.readUInt32LE(at);
    const base = this.used;
    let value = at + 4 + 4 * count;
    if (value > end || base + count > valuesMax) throw new Damage('too many values', at);
    let descriptor = at + 4;
    for (let i = base; i < base + count; i++) {
      const size = bytes[descriptor]! | (bytes[descriptor + 1]! << 8);
      this.start[i] = value;
      this.size[i] = size;
      this.type[i] = bytes[descriptor + 2]!;
      value += size;
      descriptor += 4;
    }
    if (value > end) throw new Damage('values that end outside their record', at);
    this.used = base + count;
    this.count = count;
    return base;
  }

  /** Number of values of the run read last. */
  count = 0;
}

/** A chunk has no room for more descriptors. */
const valuesMax = 16_384;
