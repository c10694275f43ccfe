/** What one element of a date format stands for, whichever notation it was written in. */
export type DateField =
  | 'literal'
  | 'space'
  | 'era'
  | 'century'
  | 'year'
  | 'yearOfCentury'
  | 'weekYear'
  | 'weekYearOfCentury'
  | 'week'
  | 'weekFromSunday'
  | 'weekFromMonday'
  | 'weekday'
  | 'weekdayFromSunday'
  | 'weekdayName'
  | 'dayOfYear'
  | 'month'
  | 'monthName'
  | 'day'
  | 'halfDay'
  | 'hour'
  | 'hour1to24'
  | 'hour12'
  | 'hour0to11'
  | 'minute'
  | 'second'
  | 'fraction'
  | 'epochSeconds'
  | 'offset'
  | 'zoneName';

/** One element of a compiled date format, read by the parser and by the formatter alike. */
export interface DateElement {
  readonly field: DateField;
  /** The element as its author wrote it, for error messages. */
  readonly source: string;
  /** The text of a literal; empty for other fields. */
  readonly text: string;
  /** Digits that a parser takes at least and at most; for `space`, characters at least. */
  readonly digitsMin: number;
  readonly digitsMax: number;
  /** What a parser steps over before the element: spaces, as strptime does, or one `.` or `,`. */
  readonly skips: 'nothing' | 'spaces' | 'separator';
  /** Width that a formatter fills up with `padding`. */
  readonly width: number;
  readonly padding: '0' | ' ' | '';
  /** Full names (`January`, `+01:00`) rather than short ones (`Jan`, `+0100`), when formatting. */
  readonly long: boolean;
  readonly letterCase: 'kept' | 'upper' | 'lower';
}

/** More digits than any input can hold: the text itself is bounded. */
export const digitsUnlimited = 1000;

const defaults: Omit<DateElement, 'field' | 'source'> = {
  text: '',
  digitsMin: 1,
  digitsMax: 2,
  skips: 'nothing',
  width: 1,
  padding: '0',
  long: false,
  letterCase: 'kept',
};

/** Builds an element; unnamed properties take the values of a number of one or two digits. */
export function dateElement(
  field: DateField,
  source: string,
  properties: Partial<Omit<DateElement, 'field' | 'source'>> = {},
): DateElement {
  return { ...defaults, field, source, ...properties };
}

export const monthNames: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** Weekdays from Monday, in the order of ISO 8601. */
export const weekdayNames: readonly string[] = [
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
  'Sunday',
];
