import type { ParsedFields, Parser, ParserTime } from '../../../core/sdk/index.ts';
import { FieldDecoders } from './field_decoders.ts';
import { convertValue, type FieldType, readFieldTypes } from './field_types.ts';
import type { ParserContext, ParserOptions } from './parser_options.ts';
import { parserTime, type TimeDefaults } from './parser_time.ts';

/** Most fields that a parser finds in one text; a text with more does not fit. */
export const parsedFieldsMax = 4096;

/** What the parse stage asks of a parser beyond the contract. All of it may be missing. */
export interface ParserHints {
  /** The keys come from a bounded set that the options fix. */
  readonly fixedKeys?: boolean;
  /** The text just parsed was no record but a header: the event is to be dropped. */
  readonly consumed?: boolean;
  /** A text of this length could take long: `parse` then watches the time itself, at a price. */
  needsGuard?(length: number): boolean;
  /** As `parse`, for a caller that watches the time of many texts at once. */
  parseUnguarded?(text: string, into: ParsedFields): boolean;
}

/** A parser that reads fields out of a text; types, empty values, decoders and the time are the
 *  same for all of them. */
export abstract class FieldParser implements Parser, ParserHints {
  readonly name: string;
  readonly time: ParserTime | undefined;
  abstract readonly fixedKeys: boolean;

  private readonly types: ReadonlyMap<string, FieldType>;
  private readonly skipsEmpty: boolean;
  private readonly decoders: FieldDecoders | undefined;

  constructor(options: ParserOptions, context: ParserContext, time?: TimeDefaults) {
    this.name = context.parserName;
    this.time = parserTime(options, context, time);
    this.types = readFieldTypes(options.types ?? []);
    this.skipsEmpty = options.skip_empty_values ?? true;
    this.decoders = fieldDecoders(options);
  }

  /** Reads the fields as they stand. False when the text does not fit. Never throws. */
  protected abstract read(text: string, into: ParsedFields): boolean;

  parse(text: string, into: ParsedFields): boolean {
    into.clear();
    if (!this.read(text, into)) return false;
    const found = into.count;
    this.finish(into);
    // A record of nothing but empty values would be lost.
    if (found > 0 && into.count === 0) return false;
    this.decoders?.apply(into);
    return into.count <= parsedFieldsMax;
  }

  private finish(into: ParsedFields): void {
    // hot path
    const { keys, values } = into;
    const typed = this.types.size > 0;
    let kept = 0;
    for (let i = 0; i < into.count; i++) {
      let value = values[i];
      if (value === '' && this.skipsEmpty) continue;
      if (typed) {
        const type = this.types.get(keys[i]!);
        if (type !== undefined) value = convertValue(value, type);
      }
      if (value === undefined) continue;
      keys[kept] = keys[i]!;
      values[kept++] = value;
    }
    into.count = kept;
  }
}

/** The decoders that the options ask for, or undefined. */
export function fieldDecoders(options: ParserOptions): FieldDecoders | undefined {
  const { decode_field: adding = [], decode_field_as: replacing = [] } = options;
  return adding.length + replacing.length === 0 ? undefined : new FieldDecoders(adding, replacing);
}
