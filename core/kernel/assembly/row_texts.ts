/** Text as a row holds it: its UTF-8 bytes with their count before them (LEB128), escapes of JSON
 *  resolved. What JavaScript would decode to something else gives 0: bytes that are no UTF-8,
 *  halves of surrogate pairs. */

let hasHigh: bool = false;
let hasEscape: bool = false;

export function writeCount(out: usize, value: usize): usize {
  while (value >= 0x80) {
    store<u8>(out++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(out, <u8>value);
  return out + 1;
}

/** Writes [at, end) as it stands, or with its escapes resolved. Needs 24 bytes of room more than
 *  the text has. */
export function writeText(out: usize, at: usize, end: usize, isEscaped: bool): usize {
  const length = end - at;
  const start = writeCount(out, length);
  copySeeing(start, at, end);
  if (isEscaped && hasEscape) {
    const body = out + 8;
    const bodyEnd = unescape(body, at, end);
    if (!bodyEnd || (hasHigh && !isUtf8(body, bodyEnd))) return 0;
    const count = bodyEnd - body;
    out = writeCount(out, count);
    memory.copy(out, body, count);
    return out + count;
  }
  if (hasHigh && !isUtf8(at, end)) return 0;
  return start + length;
}

/** Copies in steps of 16 and notes whether there are backslashes or bytes above 0x7f. */
// @ts-ignore: decorator
@inline
function copySeeing(target: usize, at: usize, end: usize): void {
  const backslash = i8x16.splat(0x5c);
  let escapes: i32 = 0;
  let highs: i32 = 0;
  for (; at + 16 <= end; at += 16, target += 16) {
    const bytes = v128.load(at);
    v128.store(target, bytes);
    highs |= i8x16.bitmask(bytes);
    escapes |= i8x16.bitmask(i8x16.eq(bytes, backslash));
  }
  if (at < end) {
    const bytes = v128.load(at);
    v128.store(target, bytes);
    const rest = (1 << <i32>(end - at)) - 1;
    highs |= i8x16.bitmask(bytes) & rest;
    escapes |= i8x16.bitmask(i8x16.eq(bytes, backslash)) & rest;
  }
  hasHigh = highs != 0;
  hasEscape = escapes != 0;
}

/** Resolves the escapes of a valid JSON string's inside; 0 for half a surrogate pair. */
function unescape(target: usize, at: usize, end: usize): usize {
  const backslash = i8x16.splat(0x5c);
  while (at < end) {
    const bytes = v128.load(at);
    v128.store(target, bytes);
    const found = i8x16.bitmask(i8x16.eq(bytes, backslash));
    const plain = <usize>(found ? ctz(found) : 16);
    if (plain >= end - at) return target + (end - at);
    at += plain;
    target += plain;
    if (!found) continue;
    const byte = <u32>load<u8>(at, 1);
    at += 2;
    if (byte != 0x75) {
      store<u8>(target++, meaningOf(byte));
      continue;
    }
    let code = hexAt(at);
    at += 4;
    if ((code & 0xf800) == 0xd800) {
      if (code >= 0xdc00 || at + 6 > end || load<u16>(at) != 0x755c) return 0;
      const low = hexAt(at + 2);
      if ((low & 0xfc00) != 0xdc00) return 0;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      at += 6;
    }
    target = writeCodePoint(target, code);
  }
  return target;
}

function meaningOf(byte: u32): u8 {
  switch (byte) {
    case 0x6e:
      return 0x0a;
    case 0x74:
      return 0x09;
    case 0x72:
      return 0x0d;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    default:
      return <u8>byte;
  }
}

function hexAt(at: usize): u32 {
  let value: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const byte = <u32>load<u8>(at + i);
    value = (value << 4) | (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return value;
}

function writeCodePoint(target: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(target, <u8>code);
    return target + 1;
  }
  if (code < 0x800) {
    store<u8>(target, <u8>(0xc0 | (code >> 6)));
    store<u8>(target, <u8>(0x80 | (code & 63)), 1);
    return target + 2;
  }
  if (code < 0x10000) {
    store<u8>(target, <u8>(0xe0 | (code >> 12)));
    store<u8>(target, <u8>(0x80 | ((code >> 6) & 63)), 1);
    store<u8>(target, <u8>(0x80 | (code & 63)), 2);
    return target + 3;
  }
  store<u8>(target, <u8>(0xf0 | (code >> 18)));
  store<u8>(target, <u8>(0x80 | ((code >> 12) & 63)), 1);
  store<u8>(target, <u8>(0x80 | ((code >> 6) & 63)), 2);
  store<u8>(target, <u8>(0x80 | (code & 63)), 3);
  return target + 4;
}

/** Unicode's table 3-7 of well-formed byte sequences. */
function isUtf8(at: usize, end: usize): bool {
  while (at < end) {
    const first = <u32>load<u8>(at);
    if (first < 0x80) {
      at++;
      continue;
    }
    const size: usize = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0xc2 || first > 0xf4 || at + size > end) return false;
    const second = <u32>load<u8>(at, 1);
    const least: u32 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const most: u32 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    for (let i: usize = 2; i < size; i++) {
      if ((load<u8>(at + i) & 0xc0) != 0x80) return false;
    }
    at += size;
  }
  return true;
}
