import {
  compileDateFormat,
  compileFieldPath,
  type DateMemo,
  type DateParser,
  type Field,
  fieldOf,
  type ParserTime,
  systemTimeZoneName,
} from '../../../core/sdk/index.ts';
import type { ParserContext, ParserOptions } from './parser_options.ts';

/** What a format knows of its time when the definition says nothing. */
export interface TimeDefaults {
  readonly key: string;
  /** Tried in order; the one that fitted last comes first. */
  readonly formats: readonly string[];
}

/** Makes the reader of a parser's time, or undefined when it has none. `time_key` alone means
 *  ISO 8601; `time_format` alone means the field `time`, as in Fluent Bit.
 *  Errors: SLUICE_DATE_FORMAT_INVALID. */
export function parserTime(
  options: ParserOptions,
  context: ParserContext,
  defaults?: TimeDefaults,
): ParserTime | undefined {
  const key = options.time_key ?? (options.time_format === undefined ? defaults?.key : 'time');
  if (key === undefined) return undefined;
  const formats =
    options.time_format === undefined ? (defaults?.formats ?? ['ISO8601']) : [options.time_format];
  const reference = { seconds: 0 };
  const parsers = formats.map((format) =>
    compileDateFormat(format, {
      timezone: zoneOf(options),
      trailingText: options.time_strict === false ? 'ignore' : 'refuse',
      referenceTime: () => {
        reference.seconds = Math.floor(context.clock.nowMs() / 1000);
        return reference;
      },
    }),
  );
  return {
    field: timeField(key),
    keep: options.time_keep ?? false,
    reader: parsers.length === 1 ? parsers[0]! : new FirstFittingDate(parsers),
  };
}

/** Only read: so it takes no place among the fields that are added. */
function timeField(key: string): Field {
  const { keys, literal } = compileFieldPath(key);
  return fieldOf(keys, literal);
}

function zoneOf(options: ParserOptions): string {
  if (options.time_zone !== undefined) return options.time_zone;
  if (options.time_offset !== undefined) return options.time_offset;
  return options.time_system_timezone === true ? systemTimeZoneName() : 'UTC';
}

/** Reads a date in the first of several formats that fits, beginning with the one that did last. */
export class FirstFittingDate {
  seconds = 0;
  nanos = 0;
  private readonly parsers: readonly DateParser[];
  private last = 0;

  /** At least one parser. */
  constructor(parsers: readonly DateParser[]) {
    this.parsers = parsers;
  }

  /** That of the format which fitted last. */
  get memo(): DateMemo | undefined {
    return this.parsers[this.last]!.memo;
  }

  parse(text: string): boolean {
    if (this.take(this.last, this.parsers[this.last]!.parse(text))) return true;
    for (let i = 0; i < this.parsers.length; i++) {
      if (i !== this.last && this.take(i, this.parsers[i]!.parse(text))) return true;
    }
    return false;
  }

  parseBytes(bytes: Uint8Array, start: number, end: number): boolean {
    // hot path
    if (this.take(this.last, this.parsers[this.last]!.parseBytes(bytes, start, end))) return true;
    for (let i = 0; i < this.parsers.length; i++) {
      if (i === this.last) continue;
      if (this.take(i, this.parsers[i]!.parseBytes(bytes, start, end))) return true;
    }
    return false;
  }

  private take(position: number, fits: boolean): boolean {
    if (!fits) return false;
    const parser = this.parsers[position]!;
    this.last = position;
    this.seconds = parser.seconds;
    this.nanos = parser.nanos;
    return true;
  }
}
