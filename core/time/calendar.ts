/** Arithmetic of the proleptic Gregorian calendar on whole days since 1970-01-01. No zones here. */

export const secondsPerDay = 86_400;

/** First and last second of the years 0000 to 9999 in UTC, the only ones that four digits can write. */
export const earliestSeconds = -62_167_219_200;
export const latestSeconds = 253_402_300_799;

/** A calendar date that functions write into, so that a caller can reuse one object. */
export interface CivilDate {
  year: number;
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  day: number;
}

/** Counts the days from 1970-01-01 to a date; the date must exist. */
export function daysFromCivil(year: number, month: number, day: number): number {
  // A year that begins in March puts the leap day last, so month lengths follow one formula.
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = ((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0;
  const leaps = ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0);
  return era * 146_097 + yearOfEra * 365 + leaps + dayOfYear + day - 1 - 719_468;
}

/** Writes the date that lies `days` after 1970-01-01 into `into`. */
export function civilFromDays(days: number, into: CivilDate): void {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const correction =
    ((dayOfEra / 1460) | 0) - ((dayOfEra / 36_524) | 0) + ((dayOfEra / 146_096) | 0);
  const yearOfEra = ((dayOfEra - correction) / 365) | 0;
  const leaps = ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0);
  const dayOfYear = dayOfEra - (yearOfEra * 365 + leaps);
  const monthFromMarch = ((5 * dayOfYear + 2) / 153) | 0;
  into.day = dayOfYear - (((153 * monthFromMarch + 2) / 5) | 0) + 1;
  into.month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  into.year = yearOfEra + era * 400 + (into.month <= 2 ? 1 : 0);
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Length of a month, 1 to 12, in days. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Weekday of a day count, from 1 for Monday to 7 for Sunday (ISO 8601). */
export function weekdayOf(days: number): number {
  // 1970-01-01 was a Thursday.
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

/** Day count of the Monday that begins ISO week 1 of a week-based year. */
export function firstWeekStart(weekYear: number): number {
  const fourth = daysFromCivil(weekYear, 1, 4);
  return fourth - (weekdayOf(fourth) - 1);
}

/** Number of ISO weeks in a week-based year, 52 or 53. */
export function weeksInYear(weekYear: number): number {
  return (firstWeekStart(weekYear + 1) - firstWeekStart(weekYear)) / 7;
}
