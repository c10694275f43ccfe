/** An IP address read from text bytes. */
export class AddressBytes {
  /** 4 or 6. */
  version: 4 | 6 = 4;
  /** The address in network order; the first four for version 4. */
  readonly bytes = new Uint8Array(16);

  /** Reads `192.0.2.1` or `2001:db8::1` (RFC 4291 section 2.2), as `net.isIP` takes them. False
   *  for anything else, and for IPv6 that ends in dots or maps IPv4. */
  read(text: Uint8Array, start: number, end: number): boolean {
    // hot path
    const length = end - start;
    if (length < 2 || length > 39) return false;
    return this.read4(text, start, end) || this.read6(text, start, end);
  }

  /** Whether the address is private, local, shared or reserved: as `AddressScope` has it. */
  isLocal(): boolean {
    const { bytes } = this;
    const first = bytes[0]!;
    const second = bytes[1]!;
    if (this.version === 4) {
      if (first === 0 || first === 10 || first === 127 || first >= 224) return true;
      if (first === 172) return second >> 4 === 1;
      if (first === 192) return second === 168;
      if (first === 169) return second === 254;
      return first === 100 && second >> 6 === 1;
    }
    if (first === 0xff || (first & 0xfe) === 0xfc) return true;
    if (first === 0xfe) return (second & 0xc0) === 0x80;
    for (let i = 0; i < 15; i++) if (bytes[i] !== 0) return false;
    return bytes[15]! <= 1;
  }

  private read4(text: Uint8Array, start: number, end: number): boolean {
    let part = 0;
    let value = -1;
    for (let at = start; at < end; at++) {
      const byte = text[at]!;
      if (byte === dot) {
        if (value < 0 || part === 3) return false;
        this.bytes[part++] = value;
        value = -1;
        continue;
      }
      const digit = byte - 0x30;
      // No leading zeros: 010 is octal to some.
      if (digit < 0 || digit > 9 || value === 0) return false;
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return false;
    }
    if (value < 0 || part !== 3) return false;
    this.bytes[3] = value;
    this.version = 4;
    return true;
  }

  private read6(text: Uint8Array, start: number, end: number): boolean {
    const { bytes } = this;
    let group = 0;
    let gapAt = -1;
    let at = start;
    if (text[at] === colon) {
      if (text[at + 1] !== colon) return false;
      gapAt = 0;
      at += 2;
    }
    while (at < end) {
      let value = 0;
      const from = at;
      for (; at < end; at++) {
        const digit = hexDigit(text[at]!);
        if (digit < 0) break;
        value = (value << 4) | digit;
      }
      if (at === from || at - from > 4 || group === 8) return false;
      bytes[group * 2] = value >> 8;
      bytes[group * 2 + 1] = value & 0xff;
      group++;
      if (at === end) break;
      if (text[at++] !== colon || at === end) return false;
      if (text[at] === colon) {
        if (gapAt >= 0) return false;
        gapAt = group;
        at++;
      }
    }
    if (gapAt < 0 ? group !== 8 : group > 7) return false;
    if (gapAt >= 0) this.openGap(gapAt, group);
    this.version = 6;
    return !this.isMapped();
  }

  /** Moves the groups behind `::` to the end and fills the gap with zeros. */
  private openGap(gapAt: number, groups: number): void {
    const { bytes } = this;
    const behind = 16 - (groups - gapAt) * 2;
    bytes.copyWithin(behind, gapAt * 2, groups * 2);
    bytes.fill(0, gapAt * 2, behind);
  }

  private isMapped(): boolean {
    for (let i = 0; i < 10; i++) if (this.bytes[i] !== 0) return false;
    return this.bytes[10] === 0xff && this.bytes[11] === 0xff;
  }
}

const dot = 0x2e;
const colon = 0x3a;

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
