import { type DateElement, type DateField, monthNames, weekdayNames } from './date_element.ts';
import {
  type DateFields,
  type DateScanner,
  fieldSlots,
  isDigit,
  isLetter,
  isSpace,
  scanFraction,
} from './date_scanner.ts';
import { scanZone } from './zone_scanner.ts';

// Codes of steps. Plain numbers keep the step objects of one shape and the switch a jump table.
const stepNumber = 0;
const stepLiteral = 1;
const stepSpace = 2;
const stepMonthName = 3;
const stepWeekdayName = 4;
const stepHalfDay = 5;
const stepFraction = 6;
const stepEpoch = 7;
const stepZone = 8;
const stepEra = 9;

interface Step {
  readonly code: number;
  readonly slot: number;
  readonly digitsMin: number;
  readonly digitsMax: number;
  readonly least: number;
  readonly most: number;
  /** The highest value means 0: 12 o'clock of a half day, 24 o'clock of a day. */
  readonly wraps: boolean;
  readonly skipsSpaces: boolean;
  readonly skipsSeparator: boolean;
  readonly literal: Uint8Array;
  /** The one byte that must follow a number, in either letter case; -1 for none. Spares a step of its own. */
  readonly next: number;
  readonly nextOther: number;
}

/** What may follow the last element of a format. */
export interface TrailingRules {
  /** A zone is read, when the format has an hour and no zone of its own. */
  readonly readsZone: boolean;
  /** Anything else is stepped over rather than refused. */
  readonly ignoresText: boolean;
}

/** Scans texts of one strptime or Joda format. Letters match in either case. */
export class ElementScanner implements DateScanner {
  readonly #steps: readonly Step[];
  readonly #readsZone: boolean;
  readonly #ignoresText: boolean;

  constructor(elements: readonly DateElement[], trailing: TrailingRules) {
    this.#steps = joinLiterals(elements.map(stepOf));
    const hasZone = this.#steps.some((step) => step.code === stepZone || step.code === stepEpoch);
    const hasHour = elements.some((element) => element.field.startsWith('hour'));
    this.#readsZone = trailing.readsZone && hasHour && !hasZone;
    this.#ignoresText = trailing.ignoresText;
  }

  // hot path
  scan(bytes: Uint8Array, start: number, end: number, fields: DateFields): boolean {
    const steps = this.#steps;
    let at = start;
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index]!;
      if (step.skipsSpaces) while (at < end && isSpace(bytes[at]!)) at++;
      at =
        step.code === stepNumber
          ? scanNumber(bytes, at, end, step, fields)
          : scanStep(bytes, at, end, step, fields);
      if (at < 0) return false;
    }
    return at === end || this.#acceptsTrailing(bytes, at, end, fields);
  }

  #acceptsTrailing(bytes: Uint8Array, at: number, end: number, fields: DateFields): boolean {
    if (this.#readsZone) {
      if (scanZone(bytes, bytes[at] === 32 ? at + 1 : at, end, fields) === end) return true;
      fields.hasOffset = false;
      fields.zone = undefined;
    }
    return this.#ignoresText;
  }
}

function scanNumber(
  bytes: Uint8Array,
  start: number,
  end: number,
  step: Step,
  fields: DateFields,
): number {
  const last = Math.min(end, start + step.digitsMax);
  let at = start;
  let value = 0;
  while (at < last) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    at++;
  }
  if (at - start < step.digitsMin || value < step.least || value > step.most) return -1;
  fields.values[step.slot] = step.wraps && value === step.most ? 0 : value;
  if (step.next < 0) return at;
  if (at >= end || (bytes[at] !== step.next && bytes[at] !== step.nextOther)) return -1;
  return at + 1;
}

function scanStep(
  bytes: Uint8Array,
  at: number,
  end: number,
  step: Step,
  fields: DateFields,
): number {
  switch (step.code) {
    case stepLiteral:
      return scanLiteral(bytes, at, end, step.literal);
    case stepSpace: {
      let after = at;
      while (after < end && isSpace(bytes[after]!)) after++;
      return after - at < step.digitsMin ? -1 : after;
    }
    case stepMonthName:
      return scanName(bytes, at, end, monthNameTable, fields, fieldSlots.month);
    case stepWeekdayName:
      return scanName(bytes, at, end, weekdayNameTable, fields, fieldSlots.weekday);
    case stepHalfDay:
      return scanHalfDay(bytes, at, end, fields);
    case stepFraction: {
      const separated = step.skipsSeparator && at < end && isSeparator(bytes[at]!);
      const first = separated ? at + 1 : at;
      const after = scanFraction(bytes, first, Math.min(end, first + step.digitsMax), fields);
      return after - first < step.digitsMin ? -1 : after;
    }
    case stepEpoch:
      return scanEpoch(bytes, at, end, step.digitsMax, fields);
    case stepZone:
      return scanZone(bytes, at, end, fields);
    default:
      return scanEra(bytes, at, end);
  }
}

function isSeparator(code: number): boolean {
  return code === 46 || code === 44;
}

function scanLiteral(bytes: Uint8Array, start: number, end: number, literal: Uint8Array): number {
  if (start + literal.length > end) return -1;
  for (let index = 0; index < literal.length; index++) {
    const wanted = literal[index]!;
    const found = bytes[start + index]!;
    if (wanted !== found && (wanted !== (found ^ 32) || !isLetter(wanted))) return -1;
  }
  return start + literal.length;
}

interface NameTable {
  /** First three letters of each name, lower case, packed into a number. */
  readonly keys: readonly number[];
  /** Letters after the first three, lower case. */
  readonly rests: readonly Uint8Array[];
}

function nameTable(names: readonly string[]): NameTable {
  const lower = names.map((name) => new TextEncoder().encode(name.toLowerCase()));
  return {
    keys: lower.map((name) => packThree(name, 0)),
    rests: lower.map((name) => name.subarray(3)),
  };
}

function packThree(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! | 32) << 16) | ((bytes[at + 1]! | 32) << 8) | (bytes[at + 2]! | 32);
}

const monthNameTable = nameTable(monthNames);
const weekdayNameTable = nameTable(weekdayNames);

/** Reads a name, short or whole, and puts its number, from 1, into `slot`. */
function scanName(
  bytes: Uint8Array,
  start: number,
  end: number,
  table: NameTable,
  fields: DateFields,
  slot: number,
): number {
  if (start + 3 > end) return -1;
  const { keys } = table;
  const key = packThree(bytes, start);
  let index = 0;
  while (index < keys.length && keys[index] !== key) index++;
  if (index === keys.length) return -1;
  fields.values[slot] = index + 1;
  const rest = table.rests[index]!;
  const short = start + 3;
  if (rest.length === 0 || short >= end || !isLetter(bytes[short]!)) return short;
  const whole = scanLiteral(bytes, short, end, rest);
  if (whole >= 0) return whole;
  // `Sept` is the one four-letter name in wide use.
  const isSept = slot === fieldSlots.month && index === 8 && (bytes[short]! | 32) === 116;
  return isSept ? short + 1 : short;
}

function scanHalfDay(bytes: Uint8Array, start: number, end: number, fields: DateFields): number {
  if (start + 2 > end || (bytes[start + 1]! | 32) !== 109) return -1;
  const letter = bytes[start]! | 32;
  if (letter !== 97 && letter !== 112) return -1;
  fields.values[fieldSlots.halfDay] = letter === 112 ? 1 : 0;
  return start + 2;
}

function scanEpoch(
  bytes: Uint8Array,
  start: number,
  end: number,
  digitsMax: number,
  fields: DateFields,
): number {
  const negative = start < end && bytes[start] === 45;
  const first = negative ? start + 1 : start;
  let at = first;
  let value = 0;
  while (at < end && isDigit(bytes[at]!)) {
    value = value * 10 + bytes[at]! - 48;
    at++;
  }
  if (at === first || at - first > digitsMax) return -1;
  fields.hasEpoch = true;
  fields.epochNegative = negative;
  fields.epochSeconds = negative ? -value : value;
  return at;
}

/** Reads `AD` or `CE`; years before them are out of range. */
function scanEra(bytes: Uint8Array, start: number, end: number): number {
  if (start + 2 > end) return -1;
  const first = bytes[start]! | 32;
  const second = bytes[start + 1]! | 32;
  return (first === 97 && second === 100) || (first === 99 && second === 101) ? start + 2 : -1;
}

type NumberRange = readonly [slot: number, least: number, most: number, wraps?: boolean];

const numberRanges: Partial<Record<DateField, NumberRange>> = {
  year: [fieldSlots.year, 0, 9999],
  yearOfCentury: [fieldSlots.yearOfCentury, 0, 99],
  century: [fieldSlots.century, 0, 99],
  month: [fieldSlots.month, 1, 12],
  day: [fieldSlots.day, 1, 31],
  dayOfYear: [fieldSlots.dayOfYear, 1, 366],
  weekYear: [fieldSlots.weekYear, 0, 9999],
  weekYearOfCentury: [fieldSlots.ignored, 0, 99],
  week: [fieldSlots.week, 1, 53],
  weekFromSunday: [fieldSlots.ignored, 0, 53],
  weekFromMonday: [fieldSlots.ignored, 0, 53],
  weekday: [fieldSlots.weekday, 1, 7],
  weekdayFromSunday: [fieldSlots.ignored, 0, 6],
  hour: [fieldSlots.hour, 0, 23],
  hour1to24: [fieldSlots.hour, 1, 24, true],
  hour12: [fieldSlots.hour12, 1, 12, true],
  hour0to11: [fieldSlots.hour12, 0, 11],
  minute: [fieldSlots.minute, 0, 59],
  second: [fieldSlots.second, 0, 60],
};

const otherSteps: Partial<Record<DateField, number>> = {
  literal: stepLiteral,
  space: stepSpace,
  monthName: stepMonthName,
  weekdayName: stepWeekdayName,
  halfDay: stepHalfDay,
  fraction: stepFraction,
  epochSeconds: stepEpoch,
  offset: stepZone,
  zoneName: stepZone,
  era: stepEra,
};

function stepOf(element: DateElement): Step {
  const range = numberRanges[element.field] ?? [fieldSlots.ignored, 0, 0];
  const [slot, least, most, wraps = false] = range;
  return {
    code: otherSteps[element.field] ?? stepNumber,
    slot,
    digitsMin: element.digitsMin,
    digitsMax: element.digitsMax,
    least,
    most,
    wraps,
    skipsSpaces: element.skips === 'spaces',
    skipsSeparator: element.skips === 'separator',
    literal: new TextEncoder().encode(element.text),
    next: -1,
    nextOther: -1,
  };
}

/** Moves literals of one byte into the number before them: most steps of a date format are such pairs. */
function joinLiterals(steps: readonly Step[]): Step[] {
  const joined: Step[] = [];
  for (const step of steps) {
    const last = joined.at(-1);
    const isByte = step.code === stepLiteral && step.literal.length === 1;
    if (!isByte || last === undefined || last.code !== stepNumber || last.next >= 0) {
      joined.push(step);
      continue;
    }
    const next = step.literal[0]!;
    joined[joined.length - 1] = { ...last, next, nextOther: isLetter(next) ? next ^ 32 : next };
  }
  return joined;
}
