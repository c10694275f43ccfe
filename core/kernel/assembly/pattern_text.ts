import { isDigit } from './bytes';

/** Reading a text by character classes. A class is 16 bytes for the vector test (bit h of byte l:
 *  character h * 16 + l is in), a byte that says what bytes of 128 and above are (0 out, 1 in,
 *  2 unknown), and from byte 32 on the same as a table of 256. */

const tableAt: usize = 32;
export const out: u32 = 0;
export const unknown: u32 = 2;

// In memory: a constant vector costs an engine more to make than to load.
export const bitOfHigh: usize = memory.data<u64>([0x8040201008040201, 0], 16);
export const lowBits: usize = memory.data<u64>([0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f], 16);

/** As memory.fill, which is a call out of the module and slow for a few bytes. Writes up to 15
 *  bytes more. */
// @ts-ignore: decorator
@inline
export function fill(at: usize, value: v128, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(at + i, value);
}

/** A bit for each of 16 bytes that is not in the class; the last two are the vectors above, which
 *  a loop keeps in registers. */
// @ts-ignore: decorator
@inline
export function stopsIn(bytes: v128, low: v128, highIn: v128, bits: v128, fifteen: v128): u32 {
  const columns = i8x16.swizzle(low, v128.and(bytes, fifteen));
  const rows = i8x16.swizzle(bits, v128.and(i16x8.shr_u(bytes, 4), fifteen));
  const inside = v128.or(v128.and(columns, rows), v128.and(bytes, highIn));
  return <u32>i8x16.bitmask(i8x16.eq(inside, i8x16.splat(0)));
}

// @ts-ignore: decorator
@inline
function stopsAt(at: usize, low: v128, highIn: v128): u32 {
  return stopsIn(v128.load(at), low, highIn, v128.load(bitOfHigh), v128.load(lowBits));
}

/** What they take: -128 in every byte when bytes of 128 and above are in the class. */
// @ts-ignore: decorator
@inline
export function highOf(set: usize): v128 {
  return i8x16.splat(load<u8>(set + 16) == 1 ? -128 : 0);
}

/** Position of the first byte from `at` on that is not in the class, at most `limit`. */
// @ts-ignore: decorator
@inline
export function runEnd(set: usize, at: usize, limit: usize): usize {
  const low = v128.load(set);
  const highIn = highOf(set);
  while (at < limit) {
    const stops = stopsAt(at, low, highIn);
    if (stops) {
      at += ctz(stops);
      break;
    }
    at += 16;
  }
  return at < limit ? at : limit;
}

/** What bytes of 128 and above are to a class. */
// @ts-ignore: decorator
@inline
export function highMode(set: usize): u32 {
  return load<u8>(set + 16);
}

/** True when the longest run of the class from `at` on has the byte. */
// @ts-ignore: decorator
@inline
export function runHas(set: usize, at: usize, limit: usize, byte: u32): bool {
  const low = v128.load(set);
  const highIn = highOf(set);
  const wanted = i8x16.splat(<i8>byte);
  for (; at < limit; at += 16) {
    const stops = stopsAt(at, low, highIn);
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    // Bits below the first stop.
    if (stops) return found & ((stops & -stops) - 1) ? at + ctz(found) < limit : false;
    if (found) return at + ctz(found) < limit;
  }
  return false;
}

// @ts-ignore: decorator
@inline
export function classOf(set: usize, at: usize): u32 {
  return load<u8>(set + tableAt + <usize>load<u8>(at));
}

// @ts-ignore: decorator
@inline
export function isContinuation(at: usize): bool {
  return (load<u8>(at) & 0xc0) == 0x80;
}

// @ts-ignore: decorator
@inline
export function nextCharacter(at: usize, end: usize): usize {
  if (load<u8>(at++) >= 0x80) while (at < end && isContinuation(at)) at++;
  return at;
}

// As `assertionNumbers` of core/kernel/pattern_ops.ts. Returns 0, 1, or 2 for unknown.
export function assertion(type: i32, at: usize, start: usize, end: usize): u32 {
  switch (type) {
    case 0:
      return at == start || (at < end && load<u8>(at - 1) == 10) ? 1 : 0;
    case 1:
      return at == end || load<u8>(at) == 10 ? 1 : 0;
    case 2:
      return at == start ? 1 : 0;
    case 3:
      return at == end ? 1 : 0;
    case 4:
      return at == end || (at + 1 == end && load<u8>(at) == 10) ? 1 : 0;
    case 5:
    case 6: {
      const before: u32 = at > start ? load<u8>(at - 1) : 32;
      const behind: u32 = at < end ? load<u8>(at) : 32;
      if (before >= 0x80 || behind >= 0x80) return unknown;
      const boundary = isWord(before) != isWord(behind);
      return boundary == (type == 5) ? 1 : 0;
    }
    default:
      return unknown;
  }
}

// @ts-ignore: decorator
@inline
export function isWord(byte: u32): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 26 || byte == 0x5f;
}
