import {
  daysFromCivil,
  daysInMonth,
  firstWeekStart,
  isLeapYear,
  secondsPerDay,
  type CivilDate,
  civilFromDays,
  weeksInYear,
} from './calendar.ts';
import { type DateFields, fieldSlots, unset } from './date_scanner.ts';
import type { TimeZone } from './time_zone.ts';

/** Two-digit years from here on belong to the 1900s, those before to the 2000s (POSIX strptime). */
const centuryPivot = 69;

/** Spares an allocation per text; nothing outlives a call in it. */
const scratchDate: CivilDate = { year: 0, month: 1, day: 1 };

/** No date: the fields name a day that does not exist. */
const noDay = Number.NaN;

/** Turns scanned fields into seconds since 1970-01-01 UTC; gives NaN for a date that does not exist.
 *  `reference` is the time, in UTC seconds, that a missing year, month or date is looked for from, backwards; it is asked only then.
 *  A zone in the text wins over `zone`. */
export function resolveFields(
  fields: DateFields,
  zone: TimeZone,
  reference: () => { seconds: number },
): number {
  const { values } = fields;
  const timeOfDay = secondsOfDay(values);
  const effective = fields.zone ?? zone;
  let days: number;
  if (hasYear(values)) {
    days = dayInYear(values, yearOf(values));
  } else if (values[fieldSlots.weekYear] !== unset) {
    days = dayOfWeekDate(values);
  } else {
    const now = reference().seconds;
    const offset = fields.hasOffset ? fields.offset : effective.offsetSecondsAt(now);
    days = lastDay(values, timeOfDay, now + offset);
  }
  const local = days * secondsPerDay + timeOfDay;
  if (Number.isNaN(local)) return local;
  return fields.hasOffset ? local - fields.offset : effective.toUtc(local);
}

/** Whether the fields leave the year to be chosen by the time of reading. */
export function needsReference(values: Int32Array): boolean {
  return !hasYear(values) && values[fieldSlots.weekYear] === unset;
}

function secondsOfDay(values: Int32Array): number {
  const hour12 = values[fieldSlots.hour12]!;
  let hour = values[fieldSlots.hour]!;
  if (hour === unset) {
    hour = hour12 === unset ? 0 : hour12 + (values[fieldSlots.halfDay] === 1 ? 12 : 0);
  }
  const minute = Math.max(values[fieldSlots.minute]!, 0);
  // Second 60, a leap second, runs over into the next minute: Unix time has no name for it.
  const second = Math.max(values[fieldSlots.second]!, 0);
  return hour * 3600 + minute * 60 + second;
}

function hasYear(values: Int32Array): boolean {
  return (
    values[fieldSlots.year] !== unset ||
    values[fieldSlots.yearOfCentury] !== unset ||
    values[fieldSlots.century] !== unset
  );
}

function yearOf(values: Int32Array): number {
  const year = values[fieldSlots.year]!;
  if (year !== unset) return year;
  const yearOfCentury = values[fieldSlots.yearOfCentury]!;
  const century = values[fieldSlots.century]!;
  if (century !== unset) return century * 100 + Math.max(yearOfCentury, 0);
  return yearOfCentury + (yearOfCentury >= centuryPivot ? 1900 : 2000);
}

function dayInYear(values: Int32Array, year: number): number {
  const dayOfYear = values[fieldSlots.dayOfYear]!;
  const month = values[fieldSlots.month]!;
  const day = values[fieldSlots.day]!;
  if (dayOfYear !== unset && month === unset) {
    const most = isLeapYear(year) ? 366 : 365;
    return dayOfYear < 1 || dayOfYear > most ? noDay : daysFromCivil(year, 1, 1) + dayOfYear - 1;
  }
  return dayOf(year, month === unset ? 1 : month, day === unset ? 1 : day);
}

function dayOf(year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return noDay;
  return daysFromCivil(year, month, day);
}

function dayOfWeekDate(values: Int32Array): number {
  const weekYear = values[fieldSlots.weekYear]!;
  const week = values[fieldSlots.week] === unset ? 1 : values[fieldSlots.week]!;
  const weekday = values[fieldSlots.weekday] === unset ? 1 : values[fieldSlots.weekday]!;
  if (week < 1 || week > weeksInYear(weekYear) || weekday < 1 || weekday > 7) return noDay;
  return firstWeekStart(weekYear) + (week - 1) * 7 + weekday - 1;
}

/** How far behind now a date may lie that is complete but for its year, its month, its day: logs tell
 *  of the past, but clocks and zones differ. */
const yearLeadSeconds = 31 * secondsPerDay;
const monthLeadSeconds = 3 * secondsPerDay;
const dayLeadSeconds = 3 * 3600;
/** February 29th may be as far back as 1896 is from 1904. */
const yearsBackMax = 8;

/** Chooses what the text leaves open so that the result is the last one before the reference, or a
 *  little after it, both in local seconds. NaN when there is none. */
function lastDay(values: Int32Array, timeOfDay: number, reference: number): number {
  const today = Math.floor(reference / secondsPerDay);
  const hasMonth = values[fieldSlots.month] !== unset || values[fieldSlots.dayOfYear] !== unset;
  const day = values[fieldSlots.day]!;
  const wanted = reference - timeOfDay;
  if (!hasMonth && day === unset) {
    return today + Math.floor((wanted + dayLeadSeconds - today * secondsPerDay) / secondsPerDay);
  }
  civilFromDays(today, scratchDate);
  const { year, month } = scratchDate;
  if (!hasMonth) {
    for (let ahead = 1; ahead >= -2; ahead--) {
      const candidate = dayInMonth(year * 12 + month - 1 + ahead, day);
      if (candidate * secondsPerDay <= wanted + monthLeadSeconds) return candidate;
    }
    return Number.NaN;
  }
  for (let ahead = 1; ahead >= -yearsBackMax; ahead--) {
    const candidate = dayInYear(values, year + ahead);
    if (candidate * secondsPerDay <= wanted + yearLeadSeconds) return candidate;
  }
  return Number.NaN;
}

/** A day of a month that is counted from the year 0; NaN when that month is shorter. */
function dayInMonth(months: number, day: number): number {
  return dayOf(Math.floor(months / 12), (months % 12) + 1, day);
}
