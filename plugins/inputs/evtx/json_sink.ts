/** Writes pieces of JSON text into a part of a buffer. A piece that might not fit is not written
 *  and sets `isFull`: everything after it is for nothing then. */
export class JsonSink {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  isFull = false;
  private end = 0;
  /** The day written last: most events have the same. */
  private day = Number.NaN;
  private readonly dayText = Buffer.alloc(10);

  /** Goes on at `at`; nothing is written from `end` on. */
  open(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.isFull = false;
  }

  /** Undoes what was written behind `at`. */
  rewind(at: number): void {
    this.at = at;
    this.isFull = false;
  }

  private hasRoom(bytes: number): boolean {
    if (this.at + bytes <= this.end) return true;
    this.isFull = true;
    return false;
  }

  byte(value: number): void {
    if (this.hasRoom(1)) this.bytes[this.at++] = value;
  }

  literal(text: Buffer): void {
    // hot path
    const { length } = text;
    if (!this.hasRoom(length)) return;
    const { bytes } = this;
    let to = this.at;
    if (length > 48) {
      bytes.set(text, to);
      to += length;
    } else for (let i = 0; i < length; i++) bytes[to++] = text[i]!;
    this.at = to;
  }

  /** Writes once more what stands in [start, end) of the same buffer. */
  copy(start: number, end: number): void {
    // hot path
    if (!this.hasRoom(end - start)) return;
    const { bytes } = this;
    let to = this.at;
    if (end - start > 48) {
      bytes.copyWithin(to, start, end);
      to += end - start;
    } else for (let from = start; from < end; from++) bytes[to++] = bytes[from]!;
    this.at = to;
  }

  /** Writes UTF-16LE text in [start, end) as the inside of a JSON string. */
  utf16(source: Buffer, start: number, end: number): void {
    // hot path
    if (!this.hasRoom((end - start) * 3)) return;
    const { bytes } = this;
    let to = this.at;
    for (let at = start; at < end; at += 2) {
      const low = source[at]!;
      if (source[at + 1] === 0 && plain[low] === 1) bytes[to++] = low;
      else {
        this.at = to;
        at += this.special(source, at, end);
        to = this.at;
      }
    }
    this.at = to;
  }

  /** Writes a character that is not plain ASCII; returns the bytes that it took beside its two. */
  private special(source: Buffer, at: number, end: number): number {
    const { bytes } = this;
    const code = source[at]! | (source[at + 1]! << 8);
    if (code < 0x80) this.escape(code);
    else if (code < 0x800) {
      bytes[this.at++] = 0xc0 | (code >> 6);
      bytes[this.at++] = 0x80 | (code & 63);
    } else if ((code & 0xf800) !== 0xd800) this.threeBytes(code);
    else {
      const next = at + 4 <= end ? source[at + 2]! | (source[at + 3]! << 8) : 0;
      if (code >= 0xdc00 || (next & 0xfc00) !== 0xdc00) this.threeBytes(0xfffd);
      else {
        const point = 0x10000 + ((code & 0x3ff) << 10) + (next & 0x3ff);
        bytes[this.at++] = 0xf0 | (point >> 18);
        bytes[this.at++] = 0x80 | ((point >> 12) & 63);
        bytes[this.at++] = 0x80 | ((point >> 6) & 63);
        bytes[this.at++] = 0x80 | (point & 63);
        return 2;
      }
    }
    return 0;
  }

  private threeBytes(code: number): void {
    this.bytes[this.at++] = 0xe0 | (code >> 12);
    this.bytes[this.at++] = 0x80 | ((code >> 6) & 63);
    this.bytes[this.at++] = 0x80 | (code & 63);
  }

  private escape(code: number): void {
    const { bytes } = this;
    const short = shortEscapes[code]!;
    bytes[this.at++] = 0x5c;
    if (short !== 0) {
      bytes[this.at++] = short;
      return;
    }
    if (code === 0x7f) {
      bytes[this.at - 1] = code;
      return;
    }
    bytes[this.at++] = 0x75;
    bytes[this.at++] = 0x30;
    bytes[this.at++] = 0x30;
    bytes[this.at++] = smallHex[code >> 4]!;
    bytes[this.at++] = smallHex[code & 15]!;
  }

  /** A whole number up to 2^53. */
  integer(value: number): void {
    // hot path
    if (!this.hasRoom(20)) return;
    const { bytes } = this;
    let rest = value;
    if (rest < 0) {
      bytes[this.at++] = 0x2d;
      rest = -rest;
    }
    let digits = 1;
    for (let power = 10; power <= rest; power *= 10) digits++;
    this.at += digits;
    let to = this.at;
    for (; digits > 0; digits--) {
      const tenth = Math.floor(rest / 10);
      bytes[--to] = 0x30 + (rest - tenth * 10);
      rest = tenth;
    }
  }

  private padded(value: number, digits: number): void {
    let rest = value;
    this.at += digits;
    for (let i = 1; i <= digits; i++) {
      const tenth = Math.floor(rest / 10);
      this.bytes[this.at - i] = 0x30 + (rest - tenth * 10);
      rest = tenth;
    }
  }

  /** `0x1f`: 64 bits without leading zeros. Both halves unsigned. */
  hex64(high: number, low: number): void {
    if (!this.hasRoom(18)) return;
    this.bytes[this.at++] = 0x30;
    this.bytes[this.at++] = 0x78;
    let isLeading = true;
    for (let shift = 60; shift >= 0; shift -= 4) {
      const digit = (shift >= 32 ? high >>> (shift - 32) : low >>> shift) & 15;
      if (isLeading && digit === 0 && shift > 0) continue;
      isLeading = false;
      this.bytes[this.at++] = smallHex[digit]!;
    }
  }

  /** Bytes in capital hex digits. */
  hexBytes(source: Buffer, start: number, end: number): void {
    if (!this.hasRoom((end - start) * 2)) return;
    for (let at = start; at < end; at++) this.hexByte(source[at]!);
  }

  private hexByte(value: number): void {
    this.bytes[this.at++] = capitalHex[value >> 4]!;
    this.bytes[this.at++] = capitalHex[value & 15]!;
  }

  guid(source: Buffer, start: number): void {
    if (!this.hasRoom(38)) return;
    this.bytes[this.at++] = 0x7b;
    for (let i = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) this.bytes[this.at++] = 0x2d;
      this.hexByte(source[start + guidOrder[i]!]!);
    }
    this.bytes[this.at++] = 0x7d;
  }

  /** A time of 1970 to 9999: `2024-01-31T12:00:00.1234567Z`. */
  time(seconds: number, ticks: number): void {
    // hot path
    if (!this.hasRoom(28)) return;
    const day = Math.floor(seconds / 86_400);
    if (day !== this.day) {
      this.day = day;
      this.dayText.latin1Write(new Date(day * 86_400_000).toISOString().slice(0, 10), 0);
    }
    for (let i = 0; i < 10; i++) this.bytes[this.at++] = this.dayText[i]!;
    const rest = seconds - day * 86_400;
    const hours = Math.floor(rest / 3600);
    const minutes = Math.floor((rest - hours * 3600) / 60);
    this.bytes[this.at++] = 0x54;
    this.padded(hours, 2);
    this.bytes[this.at++] = 0x3a;
    this.padded(minutes, 2);
    this.bytes[this.at++] = 0x3a;
    this.padded(rest - hours * 3600 - minutes * 60, 2);
    this.bytes[this.at++] = 0x2e;
    this.padded(ticks, 7);
    this.bytes[this.at++] = 0x5a;
  }

  /** Text as it is, with its JSON already done. */
  text(json: string): void {
    if (!this.hasRoom(json.length * 3)) return;
    this.at += this.bytes.utf8Write(json, this.at);
  }
}

const smallHex = Buffer.from('0123456789abcdef');
const capitalHex = Buffer.from('0123456789ABCDEF');
const guidOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** Characters that stand for themselves in a JSON string. */
const plain = new Uint8Array(256);
for (let code = 0x20; code < 0x7f; code++) plain[code] = 1;
plain[0x22] = 0;
plain[0x5c] = 0;

const shortEscapes = new Uint8Array(128);
for (const [code, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r' })) {
  shortEscapes[Number(code)] = letter.charCodeAt(0);
}
shortEscapes[0x22] = 0x22;
shortEscapes[0x5c] = 0x5c;
