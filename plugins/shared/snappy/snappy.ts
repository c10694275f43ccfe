import { type Kernel, SnappyFragments, snappyFragmentBytes } from '../../../core/sdk/index.ts';

/** Snappy's block format (google/snappy, format_description.txt): the length as a varint, then
 *  literals and copies. Matches are searched within fragments of 64 KiB, so that every offset fits
 *  a copy of three bytes. Eight bytes have to be the same, every second place is looked at: on
 *  protobuf entries of access lines that takes a third less time than four bytes at every place,
 *  for 11 % more bytes. */

const tableBits = 14;
const lowMultiplier = 0x1e35a7bd;
const highMultiplier = 0x9e3779b1;
/** A match is not looked for closer to the end of a fragment than this. */
const marginBytes = 15;

/** Compresses buffers one after another; the table and the output are its own and used again. With
 *  a kernel that does the work, and the bytes are the same. */
export class SnappyCompressor {
  private readonly kernel: SnappyFragments | undefined;
  private table: Uint16Array | undefined;
  private target = Buffer.alloc(0);
  private at = 0;

  constructor(kernel?: Kernel) {
    this.kernel = kernel && new SnappyFragments(kernel);
  }

  /** Compresses a whole buffer, or several as if they were one. The result is valid until the next
   *  call. */
  compress(input: Buffer | readonly Buffer[]): Buffer {
    const parts = Buffer.isBuffer(input) ? [input] : input;
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    // A part may need a literal of its own.
    const most = maxCompressedBytes(bytes) + 3 * parts.length;
    if (this.target.length < most) this.target = Buffer.allocUnsafeSlow(most);
    this.at = 0;
    let length = bytes;
    while (length >= 0x80) {
      this.target[this.at++] = (length % 128) | 0x80;
      length = Math.floor(length / 128);
    }
    this.target[this.at++] = length;
    // Each part begins a fragment of its own, so that none has to be put together.
    for (const part of parts) {
      for (let start = 0; start < part.length; start += snappyFragmentBytes) {
        const end = Math.min(start + snappyFragmentBytes, part.length);
        if (this.kernel === undefined) this.fragment(part, start, end);
        else this.at = this.kernel.compress(part, start, end, this.target, this.at);
      }
    }
    return this.target.subarray(0, this.at);
  }

  private fragment(input: Buffer, start: number, end: number): void {
    // hot path
    this.table ??= new Uint16Array(1 << tableBits);
    const table = this.table.fill(0);
    const limit = end - marginBytes;
    let literalStart = start;
    let at = start + 1;
    let misses = 64;
    while (at < limit) {
      const low = Math.imul(wordAt(input, at), lowMultiplier);
      const mixed = low ^ Math.imul(wordAt(input, at + 4), highMultiplier);
      const hash = mixed >>> (32 - tableBits);
      const candidate = start + table[hash]!;
      table[hash] = at - start;
      if (candidate >= at || !isSame(input, candidate, at)) {
        // The longer nothing repeats, the larger the steps: data that was compressed before costs little.
        at += misses++ >> 5;
        continue;
      }
      this.literal(input, literalStart, at);
      let length = 8;
      while (at + length < end && input[candidate + length] === input[at + length]) length++;
      this.copy(at - candidate, length);
      at += length;
      literalStart = at;
      misses = 64;
    }
    this.literal(input, literalStart, end);
  }

  private literal(input: Buffer, start: number, end: number): void {
    const count = end - start;
    if (count === 0) return;
    const target = this.target;
    const tag = count - 1;
    if (tag < 60) target[this.at++] = tag << 2;
    else if (tag < 256) {
      target[this.at++] = 60 << 2;
      target[this.at++] = tag;
    } else {
      target[this.at++] = 61 << 2;
      target[this.at++] = tag & 0xff;
      target[this.at++] = tag >> 8;
    }
    input.copy(target, this.at, start, end);
    this.at += count;
  }

  private copy(offset: number, length: number): void {
    // hot path
    const target = this.target;
    let rest = length;
    while (rest > 0) {
      // 60, not 64, where what is left would be too short for a copy.
      const count = rest <= 64 ? rest : rest < 68 ? 60 : 64;
      if (count >= 4 && count <= 11 && offset < 2048) {
        target[this.at++] = ((offset >> 8) << 5) | ((count - 4) << 2) | 1;
        target[this.at++] = offset & 0xff;
      } else {
        target[this.at++] = ((count - 1) << 2) | 2;
        target[this.at++] = offset & 0xff;
        target[this.at++] = offset >> 8;
      }
      rest -= count;
    }
  }
}

/** Bytes that compression of `bytes` bytes takes at most, whatever they are. */
export function maxCompressedBytes(bytes: number): number {
  return 32 + bytes + Math.ceil(bytes / 6);
}

/** True when eight bytes are the same at both. */
function isSame(bytes: Buffer, first: number, second: number): boolean {
  if (wordAt(bytes, first) !== wordAt(bytes, second)) return false;
  return wordAt(bytes, first + 4) === wordAt(bytes, second + 4);
}

function wordAt(bytes: Buffer, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Decompresses a block. Throws RangeError on anything that is not one, or is larger than
 *  `bytesMax` when decompressed. */
export function snappyDecompress(input: Buffer, bytesMax: number): Buffer {
  let at = 0;
  const byte = (): number => {
    if (at >= input.length) throw new RangeError('snappy: the block is cut short');
    return input[at++]!;
  };
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    const part = byte();
    length += (part & 0x7f) * scale;
    if (part < 0x80) break;
    if (scale > 2 ** 28) throw new RangeError('snappy: the length is no varint of 32 bits');
  }
  if (length > bytesMax) throw new RangeError(`snappy: ${length} bytes, at most ${bytesMax}`);
  const output = Buffer.alloc(length);
  let to = 0;
  while (at < input.length) {
    const tag = byte();
    const kind = tag & 3;
    if (kind === 0) {
      let count = tag >> 2;
      if (count >= 60) count = littleEndian(byte, count - 59);
      count++;
      if (at + count > input.length || to + count > length) throw new RangeError('snappy: literal');
      to += input.copy(output, to, at, at + count);
      at += count;
      continue;
    }
    const count = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = kind === 1 ? ((tag >> 5) << 8) | byte() : littleEndian(byte, kind === 2 ? 2 : 4);
    if (offset === 0 || offset > to || to + count > length) throw new RangeError('snappy: copy');
    for (let i = 0; i < count; i++, to++) output[to] = output[to - offset]!;
  }
  if (to !== length) throw new RangeError('snappy: fewer bytes than the block says');
  return output;
}

function littleEndian(byte: () => number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value += byte() * 256 ** i;
  return value;
}
