import {
  type CivilDate,
  civilFromDays,
  daysFromCivil,
  firstWeekStart,
  secondsPerDay,
  weekdayOf,
} from './calendar.ts';
import { type DateElement, monthNames, weekdayNames } from './date_element.ts';
import { readJodaPattern } from './joda_pattern.ts';
import { readStrptimePattern } from './strptime_pattern.ts';
import { type TimeZone, timeZone } from './time_zone.ts';

export { iso8601BytesMax, writeIso8601 } from './iso8601_writer.ts';

/** Formats an instant, given as whole seconds since 1970-01-01 UTC and nanoseconds after them. */
export type DateFormatter = (seconds: number, nanos: number) => string;

/** Compiles a Joda pattern such as `YYYY.MM.dd`, as in `%{+YYYY.MM.dd}`, into a formatter with a memo: as long as the time
 *  stays within the finest unit of the pattern, the same string comes back.
 *  A zone name (`z`, `ZZZ`) is written as the zone is called here. Errors: SLUICE_DATE_FORMAT_INVALID. */
export function compileDatePattern(pattern: string, zone = 'UTC'): DateFormatter {
  return compileElements(readJodaPattern(pattern), timeZone(zone));
}

/** Compiles a strftime pattern such as `%Y.%m.%d`; like `compileDatePattern` otherwise. */
export function compileStrftime(pattern: string, zone = 'UTC'): DateFormatter {
  return compileElements(readStrptimePattern(pattern), timeZone(zone));
}

/** Formats one instant with a Joda pattern in UTC; for a pattern used more than once, compile it. */
export function formatJoda(pattern: string, seconds: number, nanos = 0): string {
  return compileDatePattern(pattern)(seconds, nanos);
}

/** The fields of one local time. */
interface LocalTime extends CivilDate {
  utcSeconds: number;
  nanos: number;
  offset: number;
  zoneName: string;
  days: number;
  /** 1 for Monday to 7 for Sunday. */
  weekday: number;
  hour: number;
  minute: number;
  second: number;
}

function compileElements(elements: readonly DateElement[], zone: TimeZone): DateFormatter {
  const unitSeconds = Math.min(...elements.map(unitOf), secondsPerDay);
  const time = emptyTime(zone.name);
  let memoUnit = Number.NaN;
  let memoOffset = 0;
  let memoText = '';
  return (seconds, nanos) => {
    const offset = zone.offsetSecondsAt(seconds);
    const local = seconds + offset;
    const unit = Math.floor(local / unitSeconds);
    if (unit === memoUnit && offset === memoOffset) return memoText;
    setTime(time, seconds, nanos, offset);
    let text = '';
    for (const element of elements) text += render(element, time);
    // A fraction changes with the nanoseconds: unit 0 makes the quotient infinite or NaN.
    memoUnit = Number.isFinite(unit) ? unit : Number.NaN;
    memoOffset = offset;
    memoText = text;
    return text;
  };
}

/** Seconds for which the text of an element stays the same, counted in local time. */
function unitOf(element: DateElement): number {
  switch (element.field) {
    case 'fraction':
      return 0;
    case 'second':
    case 'epochSeconds':
      return 1;
    case 'minute':
      return 60;
    case 'hour':
    case 'hour1to24':
    case 'hour12':
    case 'hour0to11':
    case 'halfDay':
      return 3600;
    default:
      return secondsPerDay;
  }
}

function emptyTime(zoneName: string): LocalTime {
  const date = { year: 1970, month: 1, day: 1, days: 0, weekday: 4 };
  return { ...date, utcSeconds: 0, nanos: 0, offset: 0, zoneName, hour: 0, minute: 0, second: 0 };
}

function setTime(time: LocalTime, seconds: number, nanos: number, offset: number): void {
  const local = seconds + offset;
  const days = Math.floor(local / secondsPerDay);
  const secondOfDay = local - days * secondsPerDay;
  civilFromDays(days, time);
  time.utcSeconds = seconds;
  time.nanos = nanos;
  time.offset = offset;
  time.days = days;
  time.weekday = weekdayOf(days);
  time.hour = Math.floor(secondOfDay / 3600);
  time.minute = Math.floor(secondOfDay / 60) % 60;
  time.second = secondOfDay % 60;
}

function render(element: DateElement, time: LocalTime): string {
  const text = renderText(element, time) ?? padded(renderNumber(element, time), element);
  if (element.letterCase === 'kept') return text;
  return element.letterCase === 'upper' ? text.toUpperCase() : text.toLowerCase();
}

function renderText(element: DateElement, time: LocalTime): string | undefined {
  switch (element.field) {
    case 'literal':
    case 'space':
      return element.text;
    case 'era':
      return time.year > 0 ? 'AD' : 'BC';
    case 'monthName':
      return named(monthNames[time.month - 1]!, element);
    case 'weekdayName':
      return named(weekdayNames[time.weekday - 1]!, element);
    case 'halfDay':
      return time.hour < 12 ? 'AM' : 'PM';
    case 'fraction':
      return String(time.nanos).padStart(9, '0').slice(0, element.width);
    case 'offset':
      return offsetText(time.offset, element.long ? ':' : '');
    case 'zoneName':
      return time.zoneName;
    default:
      return undefined;
  }
}

function renderNumber(element: DateElement, time: LocalTime): number {
  switch (element.field) {
    case 'year':
      return time.year;
    case 'century':
      return Math.floor(time.year / 100);
    case 'yearOfCentury':
      return modulo(time.year, 100);
    case 'weekYear':
      return weekYearOf(time);
    case 'weekYearOfCentury':
      return modulo(weekYearOf(time), 100);
    case 'week':
      return Math.floor((time.days - firstWeekStart(weekYearOf(time))) / 7) + 1;
    case 'weekFromSunday':
      return Math.floor((dayOfYear(time) + 6 - (time.weekday % 7)) / 7);
    case 'weekFromMonday':
      return Math.floor((dayOfYear(time) + 7 - time.weekday) / 7);
    case 'weekday':
      return time.weekday;
    case 'weekdayFromSunday':
      return time.weekday % 7;
    case 'dayOfYear':
      return dayOfYear(time);
    case 'month':
      return time.month;
    case 'day':
      return time.day;
    case 'hour':
      return time.hour;
    case 'hour1to24':
      return time.hour === 0 ? 24 : time.hour;
    case 'hour12':
      return time.hour % 12 === 0 ? 12 : time.hour % 12;
    case 'hour0to11':
      return time.hour % 12;
    case 'minute':
      return time.minute;
    case 'second':
      return time.second;
    default:
      return time.utcSeconds;
  }
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

function named(name: string, element: DateElement): string {
  return element.long ? name : name.slice(0, 3);
}

function padded(value: number, element: DateElement): string {
  const digits = String(Math.abs(value));
  const text = element.padding === '' ? digits : digits.padStart(element.width, element.padding);
  return value < 0 ? `-${text}` : text;
}

/** 1 for January 1st. */
function dayOfYear(time: LocalTime): number {
  return time.days - daysFromCivil(time.year, 1, 1) + 1;
}

/** The year whose ISO weeks the day belongs to. */
function weekYearOf(time: LocalTime): number {
  if (time.days < firstWeekStart(time.year)) return time.year - 1;
  return time.days < firstWeekStart(time.year + 1) ? time.year : time.year + 1;
}

function offsetText(offset: number, separator: string): string {
  const minutes = Math.floor(Math.abs(offset) / 60);
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  const rest = String(minutes % 60).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${hours}${separator}${rest}`;
}
