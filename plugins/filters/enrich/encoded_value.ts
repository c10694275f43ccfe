import { valueKind } from '../../../core/sdk/index.ts';
import { BoundedCache } from '../../shared/lookup_table/bounded_cache.ts';

/** A value as the bytes that go into a batch, once for all the records that get it. */
export class EncodedValue {
  readonly bytes: Buffer;
  readonly kind: 1 | 2;
  /** The members of an object, each as JSON. */
  readonly members: readonly EncodedMember[] | undefined;
  /** Where the bytes stand in the scratch space of the batch of this number. */
  batchNumber = -1;
  position = 0;

  /** `json` is the value's text, `value` the same parsed. `isWhole`: an object does not join others
   *  and so needs no members. */
  constructor(json: string, value: unknown, isWhole = false) {
    const isText = typeof value === 'string';
    this.bytes = Buffer.from(isText ? value : json);
    this.kind = isText ? valueKind.text : valueKind.json;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject && !isWhole) {
      this.members = Object.entries(value).map(([key, member]) => ({
        key,
        json: Buffer.from(JSON.stringify(member)),
      }));
    }
  }
}

export interface EncodedMember {
  readonly key: string;
  readonly json: Buffer;
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
