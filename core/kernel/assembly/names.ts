import { sameBytes } from './bytes';

/** A quick test whether one of a few names can be a key of a JSON text: whether it stands behind
 *  a quote anywhere, or something is escaped that could spell it. Much cheaper than to walk over
 *  the members. */

// First bytes of the names: bit h of byte l says that h * 16 + l is one (see pattern_text.ts).
const starts: usize = memory.data(16);
let highStarts: bool = false;
// Some name has a character that JSON may escape other than by `\u`.
let otherEscapes: bool = false;

const bitOfHigh = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);

/** Forgets all names. */
export function startNames(): void {
  v128.store(starts, i8x16.splat(0));
  highStarts = false;
  otherEscapes = false;
}

export function addName(key: usize, length: usize): void {
  // Behind an empty name in memory stands a quote, as behind an empty key in a text.
  const first = <u32>load<u8>(key);
  if (first >= 0x80) highStarts = true;
  else {
    const column = starts + <usize>(first & 15);
    store<u8>(column, load<u8>(column) | <u8>(<u32>1 << (first >> 4)));
  }
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(key + i);
    if (byte < 0x20 || byte == 0x22 || byte == 0x2f || byte == 0x5c) otherEscapes = true;
  }
}

/** The first place from `at` on where a name may stand: its quote, or a backslash. 0 for none. */
export function nextSuspect(at: usize, end: usize): usize {
  const low = v128.load(starts);
  const high = i8x16.splat(highStarts ? -128 : 0);
  const escapes = i8x16.splat(otherEscapes ? -1 : 0);
  const fifteen = i8x16.splat(15);
  for (; at < end; at += 16) {
    const bytes = v128.load(at);
    const next = v128.load(at + 1);
    const columns = i8x16.swizzle(low, v128.and(next, fifteen));
    const rows = i8x16.swizzle(bitOfHigh, i8x16.shr_u(next, 4));
    const begins = v128.or(v128.and(columns, rows), v128.and(next, high));
    const named = v128.andnot(
      i8x16.eq(bytes, i8x16.splat(0x22)),
      i8x16.eq(begins, i8x16.splat(0)),
    );
    const escaped = v128.and(
      i8x16.eq(bytes, i8x16.splat(0x5c)),
      v128.or(escapes, i8x16.eq(next, i8x16.splat(0x75))),
    );
    const found = i8x16.bitmask(v128.or(named, escaped));
    if (found) {
      at += ctz(found);
      return at < end ? at : 0;
    }
  }
  return 0;
}

/** True when the name stands at `at` with a quote behind it. */
// @ts-ignore: decorator
@inline
export function isNameAt(key: usize, length: usize, at: usize): bool {
  return sameBytes(key, at, length) && load<u8>(at + length) == 0x22;
}
