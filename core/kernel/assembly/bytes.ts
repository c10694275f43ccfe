/** Copies in steps of 16 bytes: writes up to 15 bytes behind the target's end and reads as far
 *  behind the source's, for which all areas have room. Returns the target's end. */
// @ts-ignore: decorator
@inline
export function copy(target: usize, source: usize, length: usize): usize {
  for (let at: usize = 0; at < length; at += 16) {
    v128.store(target + at, v128.load(source + at));
  }
  return target + length;
}

/** True when two spans of one length hold the same bytes. */
// @ts-ignore: decorator
@inline
export function sameBytes(a: usize, b: usize, length: usize): bool {
  let at: usize = 0;
  while (at + 16 <= length) {
    if (i8x16.bitmask(i8x16.ne(v128.load(a + at), v128.load(b + at)))) return false;
    at += 16;
  }
  const rest = length - at;
  if (rest == 0) return true;
  const differ = i8x16.bitmask(i8x16.ne(v128.load(a + at), v128.load(b + at)));
  return (differ & ((1 << <i32>rest) - 1)) == 0;
}

// @ts-ignore: decorator
@inline
export function isSpace(byte: u32): bool {
  return byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09;
}

// @ts-ignore: decorator
@inline
export function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

/** The first position at or behind `at` that is no JSON white space, or `end`. */
// @ts-ignore: decorator
@inline
export function skipSpace(at: usize, end: usize): usize {
  while (at < end) {
    const byte = load<u8>(at);
    // Mostly there is none.
    if (byte > 0x20 || !isSpace(byte)) break;
    at++;
  }
  return at;
}

// @ts-ignore: decorator
@inline
export function skipDigits(at: usize, end: usize): usize {
  while (at < end && isDigit(load<u8>(at))) at++;
  return at;
}

/** Number of digits from `at` on, up to 16. */
// @ts-ignore: decorator
@inline
export function digitCount(at: usize): usize {
  const above = i8x16.sub(v128.load(at), i8x16.splat(0x30));
  // Digits are those that 9 does not lower.
  const digits = i8x16.bitmask(i8x16.eq(i8x16.min_u(above, i8x16.splat(9)), above));
  return <usize>ctz(~digits);
}

/** Number, below 64, of a key's bit in quick tests: of its first byte (that behind the opening
 *  quote: the closing one for an empty key) and its length. */
// @ts-ignore: decorator
@inline
export function maskNumber(first: u32, length: usize): u32 {
  return (first + <u32>length * 7) & 63;
}

// @ts-ignore: decorator
@inline
export function maskBit(first: u32, length: usize): u64 {
  return (<u64>1) << <u64>maskNumber(first, length);
}

/** Number of 0x0a in [at, end). */
export function countLineEnds(at: usize, end: usize): i32 {
  const lineEnd = i8x16.splat(0x0a);
  let count: i32 = 0;
  for (; at + 16 <= end; at += 16) {
    count += popcnt(i8x16.bitmask(i8x16.eq(v128.load(at), lineEnd)));
  }
  if (at < end) {
    const rest = (1 << <i32>(end - at)) - 1;
    count += popcnt(i8x16.bitmask(i8x16.eq(v128.load(at), lineEnd)) & rest);
  }
  return count;
}
