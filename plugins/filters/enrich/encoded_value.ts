import { valueKind } from '../../../core/sdk/index.ts';
import { BoundedCache } from '../../shared/lookup_table/bounded_cache.ts';

/** The bytes of a value, written into a batch once for all the records that get it. */
export class EncodedBytes {
  readonly bytes: Buffer;
  readonly kind: 1 | 2;
  /** Where they stand in the scratch space of the batch of this number. */
  batchNumber = -1;
  position = 0;

  /** `json` is the value's text, `value` the same parsed. */
  constructor(json: string, value: unknown) {
    const isText = typeof value === 'string';
    this.bytes = Buffer.from(isText ? value : json);
    this.kind = isText ? valueKind.text : valueKind.json;
  }
}

/** A value, and the members of an object one by one. */
export class EncodedValue extends EncodedBytes {
  /** Undefined for what is no object, and for an object that is `isWhole`: it joins no other. */
  readonly members: readonly EncodedMember[] | undefined;

  constructor(json: string, value: unknown, isWhole = false) {
    super(json, value);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject || isWhole) return;
    this.members = Object.entries(value).map(([key, member]) => ({
      key,
      value: new EncodedBytes(JSON.stringify(member), member),
    }));
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
      value = new EncodedValue(json, JSON.parse(json));
      this.values.set(json, value);
    }
    return value;
  }
}

const encodedMax = 8192;
