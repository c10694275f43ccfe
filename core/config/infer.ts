import type { Secret } from './secret.ts';

/** The TypeScript type of the options that a schema describes, after normalisation. Write the schema
 *  `as const satisfies JsonSchema`. A property is present when it is `required` or has a `default`. */
export type Infer<S> = S extends { readonly 'x-type': infer X }
  ? InferXType<X>
  : S extends { readonly const: infer C }
    ? C
    : S extends { readonly enum: readonly (infer E)[] }
      ? E
      : S extends { readonly oneOf: readonly (infer O)[] }
        ? Distribute<O>
        : S extends { readonly anyOf: readonly (infer A)[] }
          ? Distribute<A>
          : S extends { readonly type: infer T }
            ? InferType<T, S>
            : unknown;

type Distribute<U> = U extends unknown ? Infer<U> : never;

type InferXType<X> = X extends 'duration' | 'size' | 'retry_limit'
  ? number
  : X extends 'secret'
    ? Secret
    : X extends 'comma_list' | 'space_list'
      ? readonly string[]
      : X extends 'boolean_word'
        ? boolean
        : string;

type InferType<T, S> = T extends readonly (infer U)[]
  ? U extends unknown
    ? InferOne<U, S>
    : never
  : InferOne<T, S>;

type InferOne<T, S> = T extends 'string'
  ? string
  : T extends 'number' | 'integer'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'null'
        ? null
        : T extends 'array'
          ? InferArray<S>
          : T extends 'object'
            ? InferObject<S>
            : unknown;

type InferArray<S> = S extends { readonly items: infer I }
  ? readonly Infer<I>[]
  : readonly unknown[];

type InferObject<S> = S extends { readonly properties: infer P }
  ? Simplify<
      { readonly [K in keyof P as IsPresent<K, P[K], S> extends true ? K : never]: Infer<P[K]> } & {
        readonly [K in keyof P as IsPresent<K, P[K], S> extends true ? never : K]?: Infer<P[K]>;
      }
    >
  : S extends { readonly additionalProperties: infer A }
    ? A extends boolean
      ? Readonly<Record<string, unknown>>
      : Readonly<Record<string, Infer<A>>>
    : Readonly<Record<string, unknown>>;

type IsPresent<K, V, S> = V extends { readonly default: unknown }
  ? true
  : S extends { readonly required: readonly (infer R)[] }
    ? K extends R
      ? true
      : false
    : false;

type Simplify<T> = { [K in keyof T]: T[K] };
