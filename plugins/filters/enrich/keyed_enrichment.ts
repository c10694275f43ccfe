import type { Batch, Counter } from '../../../core/sdk/index.ts';
import { BoundedCache } from '../../shared/lookup_table/bounded_cache.ts';
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
}

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
  private readonly cache: BoundedCache<EncodedValue>;
  private state: unknown;

  constructor(options: KeyedEnrichmentOptions) {
    this.source = options.source;
    this.options = options;
    this.cache = new BoundedCache(options.cacheSize);
  }

  run(batch: Batch, batchNumber: number): void {
    // hot path
    const { finder, which, writer } = this.options;
    if (this.state !== this.source.state) {
      this.state = this.source.state;
      this.cache.clear();
    }
    writer.begin(batch, batchNumber);
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, which)) continue;
      const value = this.valueOf(finder.text());
      if (value === missing) this.miss(batch, index);
      else if (value !== unexpected) writer.write(batch, index, value);
    }
  }

  private valueOf(key: string): EncodedValue {
    let value = this.cache.get(key);
    if (value === undefined) {
      const json = this.source.find(key);
      if (json === undefined) value = missing;
      else value = json === null ? unexpected : this.options.values.of(json);
      if (key.length <= keyLengthMax) this.cache.set(key, value);
    }
    return value;
  }

  private miss(batch: Batch, index: number): void {
    const { fallback, marks, writer, misses } = this.options;
    misses.value++;
    if (fallback !== undefined) writer.write(batch, index, fallback);
    for (let i = 0; i < marks.length; i++) batch.addMark(index, marks[i]!);
  }
}

/** Longer keys are not kept. */
const keyLengthMax = 4096;
