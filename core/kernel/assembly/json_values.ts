import { digitCount, isDigit, skipDigits } from './bytes';
import { specials } from './escape';

/** Values of JSON that is not validated yet. */

/** Some string had an escape since `forgetEscape`. */
export let sawEscape: bool = false;

export function forgetEscape(): void {
  sawEscape = false;
}

/** Position behind a string of which the rest begins at `at`; 0 when it is not valid. */
export function skipLongString(at: usize, end: usize): usize {
  while (at < end) {
    const found = specials(v128.load(at)) | (specials(v128.load(at, 16)) << 16);
    at += <usize>ctz(found);
    if (!found) continue;
    if (at >= end) return 0;
    const byte = load<u8>(at);
    if (byte == 0x22) return at + 1;
    if (byte != 0x5c || at + 1 >= end) return 0;
    sawEscape = true;
    const escape = load<u8>(at + 1);
    at += 2;
    if (escape == 0x75) {
      if (at + 4 > end) return 0;
      for (let i: usize = 0; i < 4; i++) if (!isHex(load<u8>(at + i))) return 0;
      at += 4;
    } else if (!isEscape(escape)) return 0;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function isHex(byte: u32): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 6;
}

// @ts-ignore: decorator
@inline
function isEscape(byte: u32): bool {
  switch (byte) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    default:
      return false;
  }
}

/** As `skipDigits`, without a branch on how many there are. */
// @ts-ignore: decorator
@inline
function skipManyDigits(at: usize, end: usize): usize {
  const stop = at + digitCount(at);
  if (stop > end) return end;
  return stop == at + 16 ? skipDigits(stop, end) : stop;
}

/** Position behind a number; 0 when it is not one. */
export function skipStrictNumber(at: usize, end: usize): usize {
  if (load<u8>(at) == 0x2d) at++;
  if (at >= end) return 0;
  if (load<u8>(at) == 0x30) at++;
  else {
    const digits = skipManyDigits(at, end);
    if (digits == at) return 0;
    at = digits;
  }
  if (at < end && load<u8>(at) == 0x2e) {
    const digits = skipDigits(at + 1, end);
    if (digits == at + 1) return 0;
    at = digits;
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    if (at < end && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) at++;
    const digits = skipDigits(at, end);
    if (digits == at) return 0;
    at = digits;
  }
  return at;
}

/** Position behind `true`, `false` or `null`; 0 when none stands there. */
export function skipName(at: usize, end: usize, first: u32): usize {
  if (first == 0x66) {
    return at + 5 <= end && load<u32>(at + 1) == 0x65736c61 ? at + 5 : 0;
  }
  if (at + 4 > end) return 0;
  const word = load<u32>(at);
  return word == 0x65757274 || word == 0x6c6c756e ? at + 4 : 0;
}
