/** Decodes a snappy block into a buffer that is used again by the next call.
 *  Source: snappy's format_description.txt. Throws on damage. */
export class SnappyBlockDecoder {
  private out = Buffer.alloc(1 << 20);

  decode(block: Buffer): Buffer {
    let at = 0;
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = block[at++];
      if (byte === undefined || scale > 2 ** 28) throw new Error('the length is cut');
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    if (this.out.length < length) this.out = Buffer.alloc(length * 2);
    const end = this.elements(block, at);
    if (end !== length) throw new Error(`the block holds ${end} bytes and promises ${length}`);
    return this.out.subarray(0, length);
  }

  // hot path
  private elements(block: Buffer, from: number): number {
    const { out } = this;
    let at = from;
    let to = 0;
    while (at < block.length) {
      const tag = block[at++]!;
      const kind = tag & 3;
      if (kind === 0) {
        let length = (tag >>> 2) + 1;
        if (length > 60) {
          const bytes = length - 60;
          length = block.readUIntLE(at, bytes) + 1;
          at += bytes;
        }
        if (at + length > block.length) throw new Error('a literal is cut');
        to += block.copy(out, to, at, at + length);
        at += length;
        continue;
      }
      let length: number;
      let offset: number;
      if (kind === 1) {
        length = ((tag >>> 2) & 7) + 4;
        offset = ((tag >>> 5) << 8) | block[at++]!;
      } else {
        length = (tag >>> 2) + 1;
        offset = kind === 2 ? block.readUInt16LE(at) : block.readUInt32LE(at);
        at += kind === 2 ? 2 : 4;
      }
      if (offset === 0 || offset > to) throw new Error('a copy points before the beginning');
      if (to + length > out.length) throw new Error('a copy goes past the end');
      for (let i = 0; i < length; i++) out[to + i] = out[to + i - offset]!;
      to += length;
    }
    return to;
  }
}
