import {
  type DateFields,
  type DateScanner,
  fieldSlots,
  isDigit,
  scanFraction,
  twoDigits,
} from './date_scanner.ts';
import { scanZone } from './zone_scanner.ts';

/** Scans ISO 8601 and RFC 3339 times.
 *  Dates: `2024-03-09`, `20240309`, `2024-03`, `2024-069`, `2024069`, `2024-W10-6`, `2024-W10`.
 *  Then, after `T` or a space, `hh`, `hh:mm`, `hh:mm:ss`, `hhmm` or `hhmmss`, a fraction of the second after `.` or `,`,
 *  and a zone: `Z`, `+hh`, `+hhmm`, `+hh:mm`, with or without a space before it. `24:00` is the end of the day. */
export class Iso8601Scanner implements DateScanner {
  // hot path
  scan(bytes: Uint8Array, start: number, end: number, fields: DateFields): boolean {
    let at = scanDate(bytes, start, end, fields);
    if (at < 0) return false;
    if (at === end) return true;
    const separator = bytes[at]!;
    if (separator !== 84 && separator !== 116 && separator !== 32) return false;
    at = scanTime(bytes, at + 1, end, fields);
    if (at < 0) return false;
    if (at === end) return true;
    return scanZone(bytes, bytes[at] === 32 ? at + 1 : at, end, fields) === end;
  }
}

function scanDate(bytes: Uint8Array, start: number, end: number, fields: DateFields): number {
  const century = twoDigits(bytes, start, end);
  const yearOfCentury = twoDigits(bytes, start + 2, end);
  if (century < 0 || yearOfCentury < 0) return -1;
  const { values } = fields;
  const year = century * 100 + yearOfCentury;
  values[fieldSlots.year] = year;
  const at = start + 4;
  if (at >= end) return -1;
  if (bytes[at] !== 45) return scanBasicDate(bytes, at, end, fields);
  if ((bytes[at + 1]! | 32) === 119) return scanWeekDate(bytes, at + 2, end, fields, year);
  const month = twoDigits(bytes, at + 1, end);
  if (month < 0) return -1;
  const next = at + 3;
  if (next < end && isDigit(bytes[next]!)) {
    values[fieldSlots.dayOfYear] = month * 10 + bytes[next]! - 48;
    return next + 1;
  }
  values[fieldSlots.month] = month;
  if (next >= end || bytes[next] !== 45) return next;
  const day = twoDigits(bytes, next + 1, end);
  if (day < 0) return -1;
  values[fieldSlots.day] = day;
  return next + 3;
}

/** Reads `MMdd` or `DDD` after the year. */
function scanBasicDate(bytes: Uint8Array, at: number, end: number, fields: DateFields): number {
  let count = 0;
  while (count < 5 && at + count < end && isDigit(bytes[at + count]!)) count++;
  const first = twoDigits(bytes, at, end);
  if (count === 3) {
    fields.values[fieldSlots.dayOfYear] = first * 10 + bytes[at + 2]! - 48;
    return at + 3;
  }
  if (count !== 4) return -1;
  fields.values[fieldSlots.month] = first;
  fields.values[fieldSlots.day] = twoDigits(bytes, at + 2, end);
  return at + 4;
}

/** Reads `ww` or `ww-e` after `W`. */
function scanWeekDate(
  bytes: Uint8Array,
  at: number,
  end: number,
  fields: DateFields,
  year: number,
): number {
  const { values } = fields;
  const week = twoDigits(bytes, at, end);
  if (week < 0) return -1;
  values[fieldSlots.year] = -1;
  values[fieldSlots.weekYear] = year;
  values[fieldSlots.week] = week;
  if (at + 3 >= end || bytes[at + 2] !== 45 || !isDigit(bytes[at + 3]!)) return at + 2;
  values[fieldSlots.weekday] = bytes[at + 3]! - 48;
  return at + 4;
}

function scanTime(bytes: Uint8Array, start: number, end: number, fields: DateFields): number {
  const { values } = fields;
  const hour = twoDigits(bytes, start, end);
  if (hour < 0 || hour > 24) return -1;
  values[fieldSlots.hour] = hour;
  let at = start + 2;
  const extended = at < end && bytes[at] === 58;
  if (!extended && !(at < end && isDigit(bytes[at]!))) return at;
  if (extended) at++;
  const minute = twoDigits(bytes, at, end);
  if (minute < 0 || minute > 59 || (hour === 24 && minute > 0)) return -1;
  values[fieldSlots.minute] = minute;
  at += 2;
  if (at >= end || (extended ? bytes[at] !== 58 : !isDigit(bytes[at]!))) return at;
  if (extended) at++;
  const second = twoDigits(bytes, at, end);
  if (second < 0 || second > 60 || (hour === 24 && second > 0)) return -1;
  values[fieldSlots.second] = second;
  at += 2;
  if (at >= end || (bytes[at] !== 46 && bytes[at] !== 44)) return at;
  at = scanFraction(bytes, at + 1, end, fields);
  return hour === 24 && fields.nanos > 0 ? -1 : at;
}
