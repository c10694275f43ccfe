import { copy } from './bytes';
import { writeDigits, writeInteger } from './numbers';

// As `timeForms` of core/batch/event_time.ts.
const iso8601: i32 = 1;
const epoch: i32 = 2;

// The date and time of day of the last second that was written: most events share theirs.
const written: usize = memory.data(32);
let writtenSecond: i64 = i64.MIN_VALUE;

/** Writes an event's time as a JSON value; returns 0 when it is outside of what this can. */
export function writeTime(target: usize, seconds: f64, nanos: i32, form: i32, digits: i32): usize {
  if (<u32>nanos > 999999999) return 0;
  if (form == iso8601) {
    if (!(seconds >= -62167219200.0 && seconds < 253402300800.0)) return 0;
    if (<i64>seconds != writtenSecond) remember(<i64>seconds);
    store<u8>(target, 0x22);
    target = copy(target + 1, written, 19);
    if (nanos == 0 && digits == 3) {
      // What most logs have.
      store<u32>(target, 0x3030302e);
      store<u16>(target, 0x225a, 4);
      return target + 6;
    }
    target = writeFraction(target, nanos, digits);
    store<u16>(target, 0x225a);
    return target + 2;
  }
  if (!(seconds >= 0.0 && seconds < 253402300800.0)) return 0;
  if (form == epoch) {
    return writeFraction(writeInteger(target, <u64>seconds), nanos, digits);
  }
  return writeInteger(target, <u64>seconds * 1000 + nanos / 1000000);
}

// @ts-ignore: decorator
@inline
function writeFraction(target: usize, nanos: u32, digits: i32): usize {
  if (digits == 0) return target;
  store<u8>(target, 0x2e);
  if (digits == 3) nanos /= 1000000;
  else if (digits == 6) nanos /= 1000;
  return writeDigits(target + 1, nanos, digits);
}

/** Days to civil date as Howard Hinnant's public-domain algorithm, years from March. */
function remember(seconds: i64): void {
  writtenSecond = seconds;
  const shifted = seconds + 62167219200;
  const dayOfZero = <u32>(shifted / 86400);
  const second = <u32>(shifted % 86400);
  // Year 0 begins 60 days before its March.
  const days = <i32>dayOfZero - 60;
  const era = (days >= 0 ? days : days - 146096) / 146097;
  const dayOfEra = <u32>(days - era * 146097);
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const fromMarch = (5 * dayOfYear + 2) / 153;
  const day = dayOfYear - (153 * fromMarch + 2) / 5 + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = <i32>yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  let at = writeDigits(written, <u32>year, 4);
  store<u8>(at, 0x2d);
  at = writeDigits(at + 1, month, 2);
  store<u8>(at, 0x2d);
  at = writeDigits(at + 1, day, 2);
  store<u8>(at, 0x54);
  at = writeDigits(at + 1, second / 3600, 2);
  store<u8>(at, 0x3a);
  at = writeDigits(at + 1, (second / 60) % 60, 2);
  store<u8>(at, 0x3a);
  writeDigits(at + 1, second % 60, 2);
}
