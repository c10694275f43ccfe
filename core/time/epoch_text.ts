import { isDigit, isLetter, nanosOfDigits } from './date_scanner.ts';

/** An instant that functions write into. */
export interface Instant {
  seconds: number;
  /** 0 to 999 999 999, counted forward from `seconds` even before 1970. */
  nanos: number;
}

/** Reads whole seconds or milliseconds with an optional fraction, digit by digit: a double could not hold the nanoseconds.
 *  `shift` is 0 for seconds and 3 for milliseconds. Digits finer than a nanosecond are cut off. */
export function readEpoch(
  bytes: Uint8Array,
  start: number,
  end: number,
  shift: 0 | 3,
  into: Instant,
): boolean {
  const negative = start < end && bytes[start] === 45;
  const first = negative ? start + 1 : start;
  let whole = 0;
  let at = first;
  while (at < end && isDigit(bytes[at]!)) {
    whole = whole * 10 + bytes[at]! - 48;
    at++;
  }
  // Fifteen digits are exact in a double, and reach past the year 9999 in milliseconds.
  if (at === first || at - first > 15) return false;
  let nanos = 0;
  if (at < end) {
    if (bytes[at] !== 46 || at + 1 === end) return false;
    for (let digit = at + 1; digit < end; digit++) if (!isDigit(bytes[digit]!)) return false;
    nanos = nanosOfDigits(bytes, at + 1, end);
  }
  let seconds = whole;
  if (shift === 3) {
    seconds = Math.floor(whole / 1000);
    nanos = (whole - seconds * 1000) * 1e6 + Math.floor(nanos / 1000);
  }
  setInstant(into, seconds, nanos, negative);
  return true;
}

/** Writes a sign and a magnitude as an instant, whose nanoseconds always count forward. */
export function setInstant(into: Instant, seconds: number, nanos: number, negative: boolean): void {
  if (!negative) {
    into.seconds = seconds;
    into.nanos = nanos;
  } else if (nanos === 0) {
    into.seconds = 0 - seconds;
    into.nanos = 0;
  } else {
    into.seconds = -seconds - 1;
    into.nanos = 1e9 - nanos;
  }
}

/** Reads a TAI64N label: 24 hexadecimal digits, `@` before them or not. TAI is taken as 10 seconds ahead of UTC, its lead
 *  in 1970, as daemontools and Logstash do. Source: https://cr.yp.to/libtai/tai64.html */
export function readTai64n(bytes: Uint8Array, start: number, end: number, into: Instant): boolean {
  const first = start < end && bytes[start] === 64 ? start + 1 : start;
  if (end - first !== 24) return false;
  const high = readHex32(bytes, first);
  const low = readHex32(bytes, first + 8);
  const nanos = readHex32(bytes, first + 16);
  if (high < 0 || low < 0 || nanos < 0 || nanos > 999_999_999) return false;
  // 2^62 is 1970-01-01 TAI; the product is exact as long as the date is within reach of four-digit years.
  into.seconds = (high - 0x40000000) * 4_294_967_296 + low - 10;
  into.nanos = nanos;
  return true;
}

/** Reads eight hexadecimal digits; gives -1 when they are not there. */
function readHex32(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + 8; index++) {
    const code = bytes[index]!;
    if (isDigit(code)) value = value * 16 + code - 48;
    else if (isLetter(code) && (code | 32) <= 102) value = value * 16 + (code | 32) - 87;
    else return -1;
  }
  return value;
}
