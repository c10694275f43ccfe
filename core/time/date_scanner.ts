import type { TimeZone } from './time_zone.ts';

/** Places in `DateFields.values`. */
export const fieldSlots = {
  year: 0,
  yearOfCentury: 1,
  century: 2,
  month: 3,
  day: 4,
  dayOfYear: 5,
  weekYear: 6,
  week: 7,
  /** 1 for Monday to 7 for Sunday. */
  weekday: 8,
  /** 0 to 24; 24 only as the end of a day in ISO 8601. */
  hour: 9,
  /** 0 to 11, with `halfDay`. */
  hour12: 10,
  /** 0 before noon, 1 after. */
  halfDay: 11,
  minute: 12,
  second: 13,
  /** Read and dropped: says nothing that other fields do not. */
  ignored: 14,
} as const;

const slotCount = 15;

/** The value of a field that a text does not have. */
export const unset = -1;

/** What a scanner found in one text. Reused from text to text, so that scanning allocates nothing. */
export class DateFields {
  readonly values = new Int32Array(slotCount);
  nanos = 0;
  /** Where the digits of the fraction lie in the bytes; equal when there is none. */
  fractionStart = 0;
  fractionEnd = 0;
  hasEpoch = false;
  epochSeconds = 0;
  epochNegative = false;
  hasOffset = false;
  /** Seconds east of UTC, when `hasOffset`. */
  offset = 0;
  zone: TimeZone | undefined;

  reset(): void {
    const { values } = this;
    // A loop beats fill() on so few.
    for (let slot = 0; slot < slotCount; slot++) values[slot] = unset;
    this.nanos = 0;
    this.fractionStart = 0;
    this.fractionEnd = 0;
    this.hasEpoch = false;
    this.epochNegative = false;
    this.hasOffset = false;
    this.zone = undefined;
  }
}

/** Reads the text of one format into fields. */
export interface DateScanner {
  /** Scans bytes[start, end), filling `fields`, which were reset. True only if all bytes were read. */
  scan(bytes: Uint8Array, start: number, end: number, fields: DateFields): boolean;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}

/** True for space, tab, line feed, vertical tab, form feed and carriage return. */
export function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Reads exactly two digits at `at`; gives -1 when they are not there. */
export function twoDigits(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const tens = bytes[at]! - 48;
  const ones = bytes[at + 1]! - 48;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

const powersOfTen = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 10, 1];

/** Nanoseconds that the digits in bytes[start, end) write after a decimal point; digits past the ninth are cut off. */
export function nanosOfDigits(bytes: Uint8Array, start: number, end: number): number {
  const last = Math.min(end, start + 9);
  let value = 0;
  for (let at = start; at < last; at++) value = value * 10 + bytes[at]! - 48;
  return value * powersOfTen[last - start]!;
}

/** Reads the digits of a fraction at `start`, as many as there are before `end`.
 *  Gives the position after them, or -1 when there is none. */
export function scanFraction(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: DateFields,
): number {
  let at = start;
  while (at < end && isDigit(bytes[at]!)) at++;
  if (at === start) return -1;
  fields.nanos = nanosOfDigits(bytes, start, at);
  fields.fractionStart = start;
  fields.fractionEnd = at;
  return at;
}
