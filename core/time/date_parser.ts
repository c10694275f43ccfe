import { SluiceError } from '../errors/sluice_error.ts';
import { earliestSeconds, latestSeconds } from './calendar.ts';
import type { DateElement } from './date_element.ts';
import { needsReference, resolveFields } from './date_resolver.ts';
import {
  DateFields,
  type DateScanner,
  fieldSlots,
  isDigit,
  nanosOfDigits,
} from './date_scanner.ts';
import { DateTable } from './date_table.ts';
import { ElementScanner } from './element_scanner.ts';
import { type Instant, readEpoch, readTai64n, setInstant } from './epoch_text.ts';
import { Iso8601Scanner } from './iso8601_scanner.ts';
import { readJodaPattern } from './joda_pattern.ts';
import { readStrptimePattern } from './strptime_pattern.ts';
import { type TimeZone, timeZone } from './time_zone.ts';

export interface DateFormatOptions {
  /** Zone of texts that name none: an IANA name or a fixed offset. Default UTC. */
  readonly timezone?: string;
  /** Language of month and weekday names. */
  readonly locale?: 'en';
  /** The time, in UTC seconds, behind which a missing year or date is looked for. Default: now. */
  readonly referenceTime?: () => { seconds: number };
  /** What strptime and Joda formats do with text after their last element. Default `refuse`: a date must be the whole
   *  text, so that a lost zone or time of day is noticed. `ignore` is what strptime itself does. */
  readonly trailingText?: 'refuse' | 'ignore';
}

/** The text that a parser read last, for readers that know it again: those that differ from it
 *  only in the digits of the fraction say the same second. */
export interface DateMemo {
  readonly text: Buffer;
  /** -1 while there is none. */
  readonly length: number;
  /** Where the fraction's digits stand in it; equal where it has none. */
  readonly fractionStart: number;
  readonly fractionEnd: number;
  readonly seconds: number;
  /** Another one for every text. */
  readonly version: number;
}

/** Reads texts of one format. One parser serves one caller at a time: its results are its own fields. */
export interface DateParser {
  readonly format: string;
  /** Whole seconds since 1970-01-01 UTC of the last text that parsed; negative before 1970. */
  readonly seconds: number;
  /** 0 to 999 999 999; counts forward from `seconds`. */
  readonly nanos: number;
  /** Left out by formats that remember nothing. */
  readonly memo?: DateMemo;
  /** Reads a text; false if it is not of the format or names no instant in the years 0000 to 9999. */
  parse(text: string): boolean;
  /** Like `parse`, for UTF-8 in bytes[start, end). */
  parseBytes(bytes: Uint8Array, start: number, end: number): boolean;
}

/** Longer texts are no dates. */
export const dateTextBytesMax = 256;

/** Compiles a format, recognised by its shape: `ISO8601`, `UNIX`, `UNIX_MS`, `TAI64N`; strptime if it holds a `%`; else Joda.
 *  Names are English, in any letter case. What a date leaves open, the year or the day, is the last one before the
 *  reference time, or up to 31 days (a time alone: 3 hours) behind it. Local times that a clock change skips move forward by the gap, those it repeats mean the first.
 *  A strptime format with an hour and no zone also takes a zone at the end of the text, and applies it.
 *  Errors: SLUICE_DATE_FORMAT_INVALID, naming the element or zone. */
export function compileDateFormat(format: string, options: DateFormatOptions = {}): DateParser {
  const zone = timeZone(options.timezone ?? 'UTC');
  const reference = options.referenceTime ?? systemReference();
  switch (format.toUpperCase()) {
    case 'ISO8601':
      return new FieldDateParser(format, new Iso8601Scanner(), zone, reference);
    case 'UNIX':
      return new EpochDateParser(format, (bytes, start, end, into) =>
        readEpoch(bytes, start, end, 0, into),
      );
    case 'UNIX_MS':
      return new EpochDateParser(format, (bytes, start, end, into) =>
        readEpoch(bytes, start, end, 3, into),
      );
    case 'TAI64N':
      return new EpochDateParser(format, readTai64n);
  }
  const isStrptime = format.includes('%');
  const elements = isStrptime ? readStrptimePattern(format) : readJodaPattern(format);
  assertSaysWhen(format, elements);
  const ignoresText = options.trailingText === 'ignore';
  const scanner = new ElementScanner(elements, { readsZone: isStrptime, ignoresText });
  return new FieldDateParser(format, scanner, zone, reference);
}

/** Tells the time of the machine in one object that it reuses: it is asked for every text without a year. */
function systemReference(): () => { seconds: number } {
  const now = { seconds: 0 };
  return () => {
    now.seconds = Math.floor(Date.now() / 1000);
    return now;
  };
}

const silentFields = new Set(['literal', 'space', 'offset', 'zoneName', 'era']);

function assertSaysWhen(format: string, elements: readonly DateElement[]): void {
  if (elements.some((element) => !silentFields.has(element.field))) return;
  throw new SluiceError(
    'SLUICE_DATE_FORMAT_INVALID',
    `Date format "${format}" has no element of a date or time; use %Y-%m-%d, yyyy-MM-dd, ISO8601, UNIX, UNIX_MS or TAI64N.`,
  );
}

/** Copies a text into scratch bytes; gives their count, or -1 if they are too many. */
function copyText(text: string, scratch: Buffer): number {
  const { length } = text;
  if (length > dateTextBytesMax) return -1;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) {
      return Buffer.byteLength(text) > dateTextBytesMax ? -1 : scratch.write(text, 'utf8');
    }
    scratch[at] = code;
  }
  return length;
}

function isInRange(seconds: number): boolean {
  return seconds >= earliestSeconds && seconds <= latestSeconds;
}

type EpochReader = (bytes: Uint8Array, start: number, end: number, into: Instant) => boolean;

/** Formats that count from an epoch, and need neither zone nor calendar. */
class EpochDateParser implements DateParser {
  readonly format: string;
  seconds = 0;
  nanos = 0;
  readonly #read: EpochReader;
  readonly #instant: Instant = { seconds: 0, nanos: 0 };
  readonly #scratch = Buffer.alloc(dateTextBytesMax);

  constructor(format: string, read: EpochReader) {
    this.format = format;
    this.#read = read;
  }

  parse(text: string): boolean {
    const length = copyText(text, this.#scratch);
    return length >= 0 && this.parseBytes(this.#scratch, 0, length);
  }

  parseBytes(bytes: Uint8Array, start: number, end: number): boolean {
    const instant = this.#instant;
    if (end - start > dateTextBytesMax) return false;
    if (!this.#read(bytes, start, end, instant) || !isInRange(instant.seconds)) return false;
    this.seconds = instant.seconds;
    this.nanos = instant.nanos;
    return true;
  }
}

/** Formats of calendar fields. Remembers the last text: when the next differs only in the digits of its fraction, its
 *  seconds are known. */
class FieldDateParser implements DateParser {
  readonly format: string;
  seconds = 0;
  nanos = 0;
  readonly #scanner: DateScanner;
  readonly #zone: TimeZone;
  readonly #reference: () => { seconds: number };
  readonly #fields = new DateFields();
  readonly #instant: Instant = { seconds: 0, nanos: 0 };
  readonly #scratch = Buffer.alloc(dateTextBytesMax);
  readonly #table = new DateTable();
  readonly memo = {
    text: Buffer.alloc(dateTextBytesMax),
    length: -1,
    fractionStart: 0,
    fractionEnd: 0,
    seconds: 0,
    version: 0,
  };

  constructor(
    format: string,
    scanner: DateScanner,
    zone: TimeZone,
    reference: () => { seconds: number },
  ) {
    this.format = format;
    this.#scanner = scanner;
    this.#zone = zone;
    this.#reference = reference;
  }

  parse(text: string): boolean {
    const length = copyText(text, this.#scratch);
    return length >= 0 && this.parseBytes(this.#scratch, 0, length);
  }

  // hot path
  parseBytes(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const { memo } = this;
    if (length === memo.length && this.#isRemembered(bytes, start)) {
      this.seconds = memo.seconds;
      const { fractionStart, fractionEnd } = memo;
      const hasFraction = fractionEnd > fractionStart;
      this.nanos = hasFraction
        ? nanosOfDigits(bytes, start + fractionStart, start + fractionEnd)
        : 0;
      return true;
    }
    if (length > dateTextBytesMax) return false;
    const instant = this.#instant;
    if (this.#table.find(bytes, start, end, instant)) {
      this.seconds = instant.seconds;
      this.nanos = 0;
      // Those that alternate are not worth it.
      if (this.#table.isRepeated) this.#noteText(bytes, start, end);
      return true;
    }
    const fields = this.#fields;
    fields.reset();
    if (!this.#scanner.scan(bytes, start, end, fields)) return false;
    if (fields.hasEpoch) {
      setInstant(instant, Math.abs(fields.epochSeconds), fields.nanos, fields.epochNegative);
    } else {
      instant.seconds = resolveFields(fields, this.#zone, this.#reference);
      instant.nanos = fields.nanos;
    }
    if (!isInRange(instant.seconds)) return false;
    this.seconds = instant.seconds;
    this.nanos = instant.nanos;
    this.#remember(bytes, start, end);
    return true;
  }

  #isRemembered(bytes: Uint8Array, start: number): boolean {
    const { text, length, fractionStart, fractionEnd } = this.memo;
    for (let at = 0; at < fractionStart; at++) if (bytes[start + at] !== text[at]) return false;
    for (let at = fractionStart; at < fractionEnd; at++) {
      if (!isDigit(bytes[start + at]!)) return false;
    }
    for (let at = fractionEnd; at < length; at++) if (bytes[start + at] !== text[at]) return false;
    return true;
  }

  #remember(bytes: Uint8Array, start: number, end: number): void {
    const fields = this.#fields;
    const { memo } = this;
    // Left out: what depends on the time of reading, and where the fraction has a say in the seconds or in validity.
    if (fields.hasEpoch || fields.values[fieldSlots.hour] === 24 || needsReference(fields.values)) {
      memo.length = -1;
      return;
    }
    this.#noteText(bytes, start, end);
    if (fields.fractionEnd > fields.fractionStart) {
      memo.fractionStart = fields.fractionStart - start;
      memo.fractionEnd = fields.fractionEnd - start;
    } else if (this.nanos === 0) this.#table.keep(bytes, start, end, this.seconds);
  }

  /** Makes the memo a text without a fraction. */
  #noteText(bytes: Uint8Array, start: number, end: number): void {
    const { memo } = this;
    const length = end - start;
    for (let at = 0; at < length; at++) memo.text[at] = bytes[start + at]!;
    memo.length = length;
    memo.version++;
    memo.seconds = this.seconds;
    memo.fractionStart = length;
    memo.fractionEnd = length;
  }
}
