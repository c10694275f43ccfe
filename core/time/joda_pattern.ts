import { SluiceError } from '../errors/sluice_error.ts';
import { type DateElement, type DateField, dateElement, digitsUnlimited } from './date_element.ts';

/** Reads a Joda pattern such as `dd/MMM/yyyy:HH:mm:ss Z` into elements.
 *  A run of one letter is an element, text in single quotes and other characters stand for themselves,
 *  `''` is a quote. Beyond Joda: `u` is the year and `X` the offset, as in java.time.
 *  Errors: SLUICE_DATE_FORMAT_INVALID, naming the element.
 *  Source: Joda-Time DateTimeFormat. */
export function readJodaPattern(pattern: string): DateElement[] {
  const runs = splitRuns(pattern);
  return runs.map((run, index) => elementOfRun(pattern, run, runs[index + 1]));
}

interface Run {
  readonly kind: 'letters' | 'literal' | 'space';
  readonly text: string;
}

function splitRuns(pattern: string): Run[] {
  const runs: Run[] = [];
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at]!;
    if (character === "'") {
      const quoted = readQuoted(pattern, at);
      pushLiteral(runs, quoted.text);
      at = quoted.next;
      continue;
    }
    let next = at + 1;
    while (next < pattern.length && pattern[next] === character) next++;
    const text = pattern.slice(at, next);
    if (/[A-Za-z]/.test(character)) runs.push({ kind: 'letters', text });
    else if (character === ' ') runs.push({ kind: 'space', text });
    else pushLiteral(runs, text);
    at = next;
  }
  return runs;
}

/** Joins neighbouring literals, so that the scanner compares them in one go. */
function pushLiteral(runs: Run[], text: string): void {
  const last = runs.at(-1);
  if (last?.kind === 'literal') runs[runs.length - 1] = { kind: 'literal', text: last.text + text };
  else runs.push({ kind: 'literal', text });
}

function readQuoted(pattern: string, from: number): { text: string; next: number } {
  if (pattern[from + 1] === "'") return { text: "'", next: from + 2 };
  let text = '';
  let at = from + 1;
  while (at < pattern.length) {
    if (pattern[at] !== "'") {
      text += pattern[at];
      at++;
    } else if (pattern[at + 1] === "'") {
      text += "'";
      at += 2;
    } else {
      return { text, next: at + 1 };
    }
  }
  throw new SluiceError(
    'SLUICE_DATE_FORMAT_INVALID',
    `Date format "${pattern}" has an open quote at ${pattern.slice(from)}; close it with another '.`,
  );
}

const numericLetters = new Set('CYxwyueDdKhHkmsS');

function isNumeric(run: Run | undefined): boolean {
  if (run === undefined) return false;
  if (run.kind === 'literal') return /^[0-9]/.test(run.text);
  if (run.kind === 'space') return false;
  const letter = run.text[0]!;
  return numericLetters.has(letter) || (letter === 'M' && run.text.length < 3);
}

/** Fields of one or two digits, whose letter count only pads when formatting. */
const shortNumbers: Readonly<Record<string, DateField>> = {
  C: 'century',
  w: 'week',
  d: 'day',
  K: 'hour0to11',
  h: 'hour12',
  H: 'hour',
  k: 'hour1to24',
  m: 'minute',
  s: 'second',
};

function elementOfRun(pattern: string, run: Run, next: Run | undefined): DateElement {
  const { text } = run;
  if (run.kind === 'literal') return dateElement('literal', text, { text });
  // A run of spaces takes any number of them: `MMM d` reads both `Oct 11` and `Oct  1`.
  if (run.kind === 'space') return dateElement('space', text, { text, digitsMin: 1 });
  const letter = text[0]!;
  const count = text.length;
  const shortNumber = shortNumbers[letter];
  if (shortNumber !== undefined) return dateElement(shortNumber, text, { width: count });
  switch (letter) {
    case 'y':
    case 'Y':
    case 'u':
      return yearElement('year', 'yearOfCentury', text, next);
    case 'x':
      return yearElement('weekYear', 'weekYearOfCentury', text, next);
    case 'M':
      if (count >= 3) return dateElement('monthName', text, { long: count > 3 });
      return dateElement('month', text, { width: count });
    case 'D':
      return dateElement('dayOfYear', text, { digitsMax: 3, width: count });
    case 'e':
      return dateElement('weekday', text, { digitsMax: 1, width: count });
    case 'E':
      return dateElement('weekdayName', text, { long: count > 3 });
    case 'S':
      return dateElement('fraction', text, {
        digitsMin: isNumeric(next) ? count : 1,
        digitsMax: isNumeric(next) ? count : digitsUnlimited,
        width: Math.min(count, 9),
      });
    case 'a':
      return dateElement('halfDay', text);
    case 'G':
      return dateElement('era', text);
    case 'z':
      return dateElement('zoneName', text);
    case 'X':
      return dateElement('offset', text, { long: count > 2 });
    case 'Z':
      if (count > 2) return dateElement('zoneName', text);
      return dateElement('offset', text, { long: count === 2 });
    default:
      throw new SluiceError(
        'SLUICE_DATE_FORMAT_INVALID',
        `Date format "${pattern}" has the unknown element "${text}"; put literal text in single quotes, or use letters such as yyyy MM dd HH mm ss SSS Z.`,
      );
  }
}

/** `yy` is two digits; `yyyy` takes exactly four, so that a stray `24` is refused rather than read as the year 24. */
function yearElement(
  field: DateField,
  ofCentury: DateField,
  text: string,
  next: Run | undefined,
): DateElement {
  const count = text.length;
  if (count === 2) return dateElement(ofCentury, text, { digitsMin: 2, width: 2 });
  const digitsMin = count >= 4 ? 4 : 1;
  const digitsMax = isNumeric(next) ? Math.min(count, 4) : 4;
  return dateElement(field, text, { digitsMin, digitsMax, width: count });
}
