import type { Batch, Counter } from '../../../core/sdk/index.ts';
import { ByteCache } from '../../shared/lookup_table/byte_cache.ts';
import type { DigitTemplate } from '../../shared/user_agent/digit_template.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import { EncodedValue, type EncodedValues } from './encoded_value.ts';
import type { TargetWriter } from './target_writer.ts';

/** Where values come from. */
export interface ValueSource {
  open?(): Promise<void>;
  close?(): Promise<void>;
  /** What answers are true for; another object when they may have changed. */
  readonly state: unknown;
  /** JSON of the value for a key; undefined when there is none, null when none is expected. */
  find(key: string): string | undefined | null;
  /** A number of the answer for the key at these bytes, the same for all keys with that answer, or
   *  one of `noPlace`; after `unknown`, `find` is asked. */
  placeOf?(bytes: Buffer, start: number, end: number): number;
  /** As `find`, for the key at these bytes. */
  findAt?(bytes: Buffer, start: number, end: number): string | undefined | null;
  /** The JSON object for the key at these bytes, into which digits of the key are to be put; or
   *  undefined, and `findAt` is asked. */
  templateAt?(bytes: Buffer, start: number, end: number): DigitTemplate | undefined;
}

/** Answers without a number. */
export const noPlace = { missing: -1, unexpected: -2, unknown: -3 } as const;

export interface KeyedEnrichmentOptions {
  readonly source: ValueSource;
  readonly finder: FieldFinder;
  /** Number of the key's field in the finder. */
  readonly which: number;
  readonly writer: TargetWriter;
  readonly values: EncodedValues;
  readonly cacheSize: number;
  /** For keys without a value. */
  readonly fallback: EncodedValue | undefined;
  readonly marks: readonly string[];
  readonly misses: Counter;
}

// Stand for keys without a value in the cache.
const missing = new EncodedValue('null', null);
const unexpected = new EncodedValue('null', null);

/** Looks the value of one field up and writes the answer into another. */
export class KeyedEnrichment {
  readonly source: ValueSource;
  private readonly options: KeyedEnrichmentOptions;
  private readonly cache: ByteCache<EncodedValue>;
  /** Answers by their numbers. */
  private readonly places = new Map<number, EncodedValue>();
  private state: unknown;

  constructor(options: KeyedEnrichmentOptions) {
    this.source = options.source;
    this.options = options;
    this.cache = new ByteCache(options.cacheSize);
  }

  run(batch: Batch, batchNumber: number): void {
    // hot path
    const { finder, which, writer } = this.options;
    if (this.state !== this.source.state) {
      this.state = this.source.state;
      this.cache.clear();
      this.places.clear();
    }
    writer.begin(batch, batchNumber);
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, which)) continue;
      if (this.source.templateAt !== undefined && this.filledIn(batch, index)) continue;
      const value = this.found(finder);
      if (value === missing) this.miss(batch, index);
      else if (value !== unexpected) writer.write(batch, index, value);
    }
  }

  private filledIn(batch: Batch, index: number): boolean {
    // hot path
    const { finder, which, writer } = this.options;
    if (!finder.narrowToText()) return false;
    const { bytes, start, end } = finder;
    const template = this.source.templateAt!(bytes, start, end);
    if (template === undefined) return false;
    if (writer.fillIn(batch, index, template, bytes, start)) return true;
    // The writer looks for its own field with the same finder.
    finder.find(batch, index, which);
    return false;
  }

  private found(finder: FieldFinder): EncodedValue {
    // hot path
    if (finder.narrowToText()) return this.valueOf(finder.bytes, finder.start, finder.end);
    const text = Buffer.from(finder.text());
    return this.valueOf(text, 0, text.length);
  }

  private valueOf(bytes: Buffer, start: number, end: number): EncodedValue {
    // hot path
    const place = this.source.placeOf?.(bytes, start, end) ?? noPlace.unknown;
    if (place >= 0) return this.valueAt(place, bytes, start, end);
    if (place === noPlace.missing) return missing;
    if (place === noPlace.unexpected) return unexpected;
    let value = this.cache.find(bytes, start, end);
    if (value === undefined) {
      value = this.ask(bytes, start, end);
      this.cache.keep(value);
    }
    return value;
  }

  private valueAt(place: number, bytes: Buffer, start: number, end: number): EncodedValue {
    let value = this.places.get(place);
    if (value === undefined) {
      if (this.places.size >= placesMax) this.places.clear();
      value = this.ask(bytes, start, end);
      this.places.set(place, value);
    }
    return value;
  }

  private ask(bytes: Buffer, start: number, end: number): EncodedValue {
    const { source } = this;
    const json = source.findAt
      ? source.findAt(bytes, start, end)
      : source.find(bytes.utf8Slice(start, end));
    if (json === undefined) return missing;
    return json === null ? unexpected : this.options.values.of(json);
  }

  private miss(batch: Batch, index: number): void {
    const { fallback, marks, writer, misses } = this.options;
    misses.value++;
    if (fallback !== undefined) writer.write(batch, index, fallback);
    for (let i = 0; i < marks.length; i++) batch.addMark(index, marks[i]!);
  }
}

const placesMax = 8192;
