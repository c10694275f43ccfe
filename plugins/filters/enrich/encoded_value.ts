import { valueKind } from '../../../core/sdk/index.ts';
import { BoundedCache } from '../../shared/lookup_table/bounded_cache.ts';

/** The bytes of a value, written into a batch once for all the records that get it. */
export class EncodedBytes {
  readonly bytes: Buffer;
  readonly kind: 1 | 2;
  /** Where they stand in the scratch space of the batch of this number. */
  batchNumber = -1;
  position = 0;

  /** `json` is the value's text, `value` the same parsed: needed of texts. */
  constructor(json: string, value: unknown) {
    const isText = typeof value === 'string';
    this.bytes = Buffer.from(isText ? value : json);
    this.kind = isText ? valueKind.text : valueKind.json;
  }
}

/** A value, and the members of an object one by one. */
export class EncodedValue extends EncodedBytes {
  /** False for an object that is whole: it joins no other. */
  readonly isObject: boolean;
  private readonly json: string;
  private made: readonly EncodedMember[] | undefined;

  constructor(json: string, value: unknown, isWhole = false) {
    super(json, value);
    this.json = json;
    this.isObject = !isWhole && json.charCodeAt(0) === 0x7b;
  }

  /** Of an object. */
  get members(): readonly EncodedMember[] {
    this.made ??= Object.entries(JSON.parse(this.json) as object).map(([key, member]) => ({
      key,
      value: new EncodedBytes(JSON.stringify(member), member),
    }));
    return this.made;
  }
}

export interface EncodedMember {
  readonly key: string;
  readonly value: EncodedBytes;
}

/** Values by their JSON, so that all that look the same are one. */
export class EncodedValues {
  private readonly values = new BoundedCache<EncodedValue>(encodedMax);

  of(json: string): EncodedValue {
    let value = this.values.get(json);
    if (value === undefined) {
      value = new EncodedValue(json, json.charCodeAt(0) === 0x22 ? JSON.parse(json) : undefined);
      this.values.set(json, value);
    }
    return value;
  }
}

const encodedMax = 8192;
