/** A reference to one field of an event: the keys from the root to the value.
 *
 *  `literal` is the flat key to try first when the reference was written `a.b`
 *  and so could name either `{"a.b": …}` or `{"a": {"b": …}}`. */
export interface Field {
  readonly keys: readonly string[];
  readonly literal: string | undefined;
  /** One text per field, for comparison and messages: `[a][b]`, or `a` alone. */
  readonly name: string;
  /** `"key":` of the last key, as JSON bytes. */
  readonly memberPrefix: Buffer;
  /** Each key as UTF-8. */
  readonly keyBytes: readonly Buffer[];
  /** The field that `literal` names, if there is one. */
  readonly flat: Field | undefined;
}

/** Makes a field from its keys. Shape: `['source', 'address']`; at least one key. */
export function fieldOf(keys: readonly string[], literal?: string): Field {
  const last = keys[keys.length - 1]!;
  return {
    keys,
    literal,
    name: keys.length === 1 ? last : keys.map((key) => `[${key}]`).join(''),
    memberPrefix: Buffer.from(`${JSON.stringify(last)}:`),
    keyBytes: keys.map((key) => Buffer.from(key)),
    flat: literal === undefined ? undefined : fieldOf([literal]),
  };
}

/** The array field that filters add their marks to (`_grokparsefailure`, ...). */
export const tagsField: Field = fieldOf(['tags']);
