import { SluiceError } from '../errors/sluice_error.ts';
import { type DateElement, type DateField, dateElement, digitsUnlimited } from './date_element.ts';

/** Conversions that stand for others, as in the POSIX locale. */
const expansions: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  c: '%a %b %e %H:%M:%S %Y',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  h: '%b',
};

type Properties = Parameters<typeof dateElement>[2];

const twoDigits: Properties = { width: 2 };
const spacePadded: Properties = { width: 2, padding: ' ' };

const conversions: Readonly<Record<string, readonly [DateField, Properties?]>> = {
  // Fewer digits than four are refused: `24` is hardly ever meant as the year 24.
  Y: ['year', { digitsMin: 4, digitsMax: 4, width: 4 }],
  y: ['yearOfCentury', { digitsMin: 2, width: 2 }],
  C: ['century', twoDigits],
  G: ['weekYear', { digitsMin: 4, digitsMax: 4, width: 4 }],
  g: ['weekYearOfCentury', { digitsMin: 2, width: 2 }],
  V: ['week', twoDigits],
  U: ['weekFromSunday', twoDigits],
  W: ['weekFromMonday', twoDigits],
  u: ['weekday', { digitsMax: 1 }],
  w: ['weekdayFromSunday', { digitsMax: 1 }],
  a: ['weekdayName'],
  A: ['weekdayName', { long: true }],
  j: ['dayOfYear', { digitsMax: 3, width: 3 }],
  m: ['month', twoDigits],
  b: ['monthName'],
  B: ['monthName', { long: true }],
  d: ['day', twoDigits],
  e: ['day', spacePadded],
  p: ['halfDay'],
  P: ['halfDay', { letterCase: 'lower' }],
  H: ['hour', twoDigits],
  k: ['hour', spacePadded],
  I: ['hour12', twoDigits],
  l: ['hour12', spacePadded],
  M: ['minute', twoDigits],
  S: ['second', twoDigits],
  L: ['fraction', { digitsMax: digitsUnlimited, width: 3 }],
  f: ['fraction', { digitsMax: digitsUnlimited, width: 6 }],
  N: ['fraction', { digitsMax: digitsUnlimited, width: 9 }],
  s: ['epochSeconds', { digitsMax: 12 }],
  z: ['offset'],
  Z: ['zoneName'],
  n: ['space', { digitsMin: 0, text: '\n' }],
  t: ['space', { digitsMin: 0, text: '\t' }],
};

/** Reads a strptime or strftime pattern such as `%d/%b/%Y:%H:%M:%S %z` into elements.
 *  White space takes any amount of white space, none included. `%L`, `%f` and `%N` are fractions of a second.
 *  Flags (`%-d`, `%_d`, `%^a`) and widths (`%3N`) count when formatting only; `%E` and `%O` are stepped over.
 *  Errors: SLUICE_DATE_FORMAT_INVALID, naming the element. Source: POSIX strptime, glibc, Fluent Bit (`%L`). */
export function readStrptimePattern(pattern: string): DateElement[] {
  const elements: DateElement[] = [];
  readInto(elements, pattern, pattern);
  return elements;
}

const conversionShape = /%([-_0^#]*)([0-9]*)(?:[EO]|(:{1,2}))?([A-Za-z%])/y;

function readInto(elements: DateElement[], part: string, pattern: string): void {
  let at = 0;
  while (at < part.length) {
    if (part[at] !== '%') {
      const run = /\s+|[^\s%]+/y;
      run.lastIndex = at;
      const text = run.exec(part)![0];
      const space = text.trim() === '';
      elements.push(dateElement(space ? 'space' : 'literal', text, { text, digitsMin: 0 }));
      at += text.length;
      continue;
    }
    conversionShape.lastIndex = at;
    const match = conversionShape.exec(part);
    if (match === null) throw unknownElement(pattern, part.slice(at, at + 2));
    readConversion(elements, match, pattern);
    at += match[0].length;
  }
}

function readConversion(elements: DateElement[], match: RegExpExecArray, pattern: string): void {
  const [source, flags, width, colons, letter] = match;
  if (letter === '%') {
    if (source !== '%%') throw unknownElement(pattern, source);
    elements.push(dateElement('literal', source, { text: '%' }));
    return;
  }
  if (colons !== undefined && letter !== 'z') throw unknownElement(pattern, source);
  const expansion = expansions[letter!];
  if (expansion !== undefined) {
    readInto(elements, expansion, pattern);
    return;
  }
  const conversion = conversions[letter!];
  if (conversion === undefined) throw unknownElement(pattern, source);
  const [field, properties] = conversion;
  const element = dateElement(field, source, {
    skips: skippedBefore(field, elements.at(-1)),
    ...properties,
    ...(colons === undefined ? {} : { long: true }),
  });
  elements.push(flags === '' && width === '' ? element : withFlags(element, flags!, width!));
}

function skippedBefore(field: DateField, previous: DateElement | undefined): DateElement['skips'] {
  if (field === 'space') return 'nothing';
  if (field !== 'fraction') return 'spaces';
  // `%S%L` finds the fraction behind its separator; `%S.%L` has read that one already.
  return previous !== undefined && /[.,]$/.test(previous.text) ? 'nothing' : 'separator';
}

function withFlags(element: DateElement, flags: string, width: string): DateElement {
  let { padding, letterCase } = element;
  if (flags.includes('-')) padding = '';
  else if (flags.includes('_')) padding = ' ';
  else if (flags.includes('0')) padding = '0';
  if (flags.includes('^')) letterCase = 'upper';
  if (width === '') return { ...element, padding, letterCase };
  const wanted = Number(width);
  const widthMax = element.field === 'fraction' ? 9 : 20;
  return { ...element, padding, letterCase, width: Math.min(Math.max(wanted, 1), widthMax) };
}

function unknownElement(pattern: string, source: string): SluiceError {
  return new SluiceError(
    'SLUICE_DATE_FORMAT_INVALID',
    `Date format "${pattern}" has the unknown element "${source}"; write %% for a percent sign, or use %Y %m %d %H %M %S %L %z.`,
  );
}
