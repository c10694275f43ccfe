import { isDigit } from './bytes';

/** Reads instants in the spellings that logs have: `2024-01-02T03:04:05.678Z`, with a space for the
 *  `T`, with an offset `+01:00`, without a fraction, the date alone; and Unix seconds. All else is
 *  for JavaScript to read or to refuse. */

/** What `readInstant` read: Unix seconds, and nanoseconds that count forward. */
export let instantSeconds: i64 = 0;
export let instantNanos: u32 = 0;

// @ts-ignore: decorator
@inline
function pair(at: usize): u32 {
  const high = <u32>load<u8>(at) - 0x30;
  const low = <u32>load<u8>(at, 1) - 0x30;
  return high < 10 && low < 10 ? high * 10 + low : 1000;
}

/** `isUtc`: a text without a zone is in UTC; without that it is not taken. */
export function readInstant(at: usize, end: usize, isQuoted: bool, isUtc: bool): bool {
  if (at + 10 <= end && isQuoted && load<u8>(at, 4) == 0x2d) return readIso(at, end, isUtc);
  return readEpoch(at, end);
}

function readEpoch(at: usize, end: usize): bool {
  if (end - at > 40) return false;
  const start = at;
  let whole: i64 = 0;
  while (at < end && isDigit(load<u8>(at))) whole = whole * 10 + load<u8>(at++) - 0x30;
  if (at == start || at - start > 12) return false;
  instantSeconds = whole;
  instantNanos = 0;
  if (at == end) return true;
  if (load<u8>(at) != 0x2e) return false;
  return readFraction(at + 1, end) == end;
}

/** Reads digits and returns the position behind them; those behind the ninth are cut off. */
function readFraction(at: usize, end: usize): usize {
  let nanos: u32 = 0;
  let unit: u32 = 100000000;
  while (at < end && isDigit(load<u8>(at))) {
    nanos += (<u32>load<u8>(at) - 0x30) * unit;
    unit /= 10;
    at++;
  }
  instantNanos = nanos;
  return at;
}

function readIso(at: usize, end: usize, isUtc: bool): bool {
  const year = pair(at) * 100 + pair(at + 2);
  const month = pair(at + 5);
  const day = pair(at + 8);
  if (year > 9999 || load<u8>(at, 7) != 0x2d) return false;
  if (month - 1 > 11 || day - 1 > 30 || day > daysIn(year, month)) return false;
  instantSeconds = daysFromCivil(year, month, day) * 86400;
  instantNanos = 0;
  at += 10;
  if (at == end) return isUtc;
  const separator = load<u8>(at);
  if ((separator != 0x54 && separator != 0x20) || at + 9 > end) return false;
  const hour = pair(at + 1);
  const minute = pair(at + 4);
  const second = pair(at + 7);
  if (hour > 23 || minute > 59 || second > 59) return false;
  if (load<u8>(at, 3) != 0x3a || load<u8>(at, 6) != 0x3a) return false;
  instantSeconds += hour * 3600 + minute * 60 + second;
  at += 9;
  if (at < end && load<u8>(at) == 0x2e) {
    const digits = at + 1;
    at = readFraction(digits, end);
    if (at == digits || at - digits > 9) return false;
  }
  if (at == end) return isUtc;
  const zone = load<u8>(at);
  if (zone == 0x5a) return at + 1 == end;
  if ((zone != 0x2b && zone != 0x2d) || at + 6 != end || load<u8>(at, 3) != 0x3a) return false;
  const hours = pair(at + 1);
  const minutes = pair(at + 4);
  if (hours > 23 || minutes > 59) return false;
  const offset = <i64>(hours * 3600 + minutes * 60);
  instantSeconds += zone == 0x2b ? -offset : offset;
  return true;
}

function daysIn(year: u32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Civil date to days as Howard Hinnant's public-domain algorithm, years from March. */
function daysFromCivil(year: u32, month: u32, day: u32): i64 {
  const years = month > 2 ? <i64>year : <i64>year - 1;
  const era = (years >= 0 ? years : years - 399) / 400;
  const yearOfEra = years - era * 400;
  const fromMarch = <i64>(month > 2 ? month - 3 : month + 9);
  const dayOfYear = (153 * fromMarch + 2) / 5 + <i64>day - 1;
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
}
