import { type CivilDate, civilFromDays, secondsPerDay } from './calendar.ts';

/** Bytes that `writeIso8601` needs free at most: years outside 0000 to 9999 take seven. */
export const iso8601BytesMax = 33;

/** What `Date` can hold, and six digits of a year can write. */
const secondsMax = 8_640_000_000_000;

// Memo of the last second, its digits ready to copy. It depends on nothing but the second itself.
const memoText = new Uint8Array(23);
const memoDate: CivilDate = { year: 1970, month: 1, day: 1 };
let memoSeconds = Number.NaN;
let memoDays = Number.NaN;
let memoDateLength = 0;

/** Writes an instant as `2024-03-09T12:00:00.000000000Z`, in UTC, with 0, 3, 6 or 9 digits of fraction (cut off, not
 *  rounded), and gives the position after it. The caller leaves `iso8601BytesMax` bytes free at `at`.
 *  Years outside 0000 to 9999 have a sign and six digits (ISO 8601 expanded years); seconds past what `Date` holds are
 *  brought to its end. */
// hot path
export function writeIso8601(
  bytes: Uint8Array,
  at: number,
  seconds: number,
  nanos: number,
  digits: 0 | 3 | 6 | 9,
): number {
  if (seconds !== memoSeconds) renderSecond(seconds);
  const length = memoDateLength + 9;
  for (let index = 0; index < length; index++) bytes[at + index] = memoText[index]!;
  let next = at + length;
  if (digits > 0) {
    bytes[next] = 46;
    let rest = nanos;
    if (digits === 3) rest = (nanos / 1_000_000) | 0;
    else if (digits === 6) rest = (nanos / 1000) | 0;
    for (let place = digits; place > 0; place--) {
      const tenth = (rest / 10) | 0;
      bytes[next + place] = 48 + rest - tenth * 10;
      rest = tenth;
    }
    next += digits + 1;
  }
  bytes[next] = 90;
  return next + 1;
}

function renderSecond(wanted: number): void {
  const seconds = Math.min(Math.max(wanted, -secondsMax), secondsMax);
  const days = Math.floor(seconds / secondsPerDay);
  if (days !== memoDays) renderDay(days);
  const secondOfDay = seconds - days * secondsPerDay;
  const minuteOfDay = (secondOfDay / 60) | 0;
  const hour = (minuteOfDay / 60) | 0;
  const at = memoDateLength;
  memoText[at] = 84;
  writeTwoDigits(at + 1, hour);
  memoText[at + 3] = 58;
  writeTwoDigits(at + 4, minuteOfDay - hour * 60);
  memoText[at + 6] = 58;
  writeTwoDigits(at + 7, secondOfDay - minuteOfDay * 60);
  memoSeconds = wanted;
}

function renderDay(days: number): void {
  civilFromDays(days, memoDate);
  const { year, month, day } = memoDate;
  const magnitude = Math.abs(year);
  let at = 0;
  if (year < 0 || year > 9999) {
    memoText[0] = year < 0 ? 45 : 43;
    writeTwoDigits(1, (magnitude / 10_000) | 0);
    at = 3;
  }
  writeTwoDigits(at, ((magnitude / 100) | 0) % 100);
  writeTwoDigits(at + 2, magnitude % 100);
  memoText[at + 4] = 45;
  writeTwoDigits(at + 5, month);
  memoText[at + 7] = 45;
  writeTwoDigits(at + 8, day);
  memoDateLength = at + 10;
  memoDays = days;
}

function writeTwoDigits(at: number, value: number): void {
  const tens = (value / 10) | 0;
  memoText[at] = 48 + tens;
  memoText[at + 1] = 48 + value - tens * 10;
}
