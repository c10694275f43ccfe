/** How people write an option that is no plain string, number or boolean; see spellings.ts.
 *  `duration` becomes milliseconds, `size` bytes, `retry_limit` attempts, `secret` a Secret, the lists string
 *  arrays, `boolean_word` a boolean; the rest stay strings whose syntax is checked. */
export type XType =
  | 'duration'
  | 'size'
  | 'secret'
  | 'field'
  | 'expression'
  | 'regex'
  | 'template'
  | 'date_format'
  | 'time_zone'
  | 'comma_list'
  | 'space_list'
  | 'boolean_word'
  | 'retry_limit';

export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'null';

export type XReference = 'parser' | 'multiline_parser';

/** The part of JSON Schema draft-07 that plugins write their options in, with annotations of our own. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  /** In the spelling people write: `5s`, not 5000. */
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly deprecated?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  /** Absent means false where there are `properties`: unknown keys are errors. */
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly dependencies?: Readonly<Record<string, readonly string[] | JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly if?: JsonSchema;
  readonly then?: JsonSchema;
  readonly else?: JsonSchema;
  readonly 'x-type'?: XType;
  /** Unit of a bare number in a `duration`: ms, s (when absent), m, h or d. */
  readonly 'x-unit'?: string;
  /** Least and greatest value of a `duration` (ms) or `size` (bytes). */
  readonly 'x-minimum'?: number;
  readonly 'x-maximum'?: number;
  /** The string, or each string of the list, names one of these. */
  readonly 'x-ref'?: XReference;
  /** The text is an HTTP header, `Name value`, whose value may be a secret. */
  readonly 'x-header'?: boolean;
  /** The option is accepted and does nothing; the text says why, and becomes a warning. */
  readonly 'x-ignored'?: string;
}

/** The annotations above, which ajv's strict mode must know of. */
export const annotationKeywords = [
  'x-unit',
  'x-minimum',
  'x-maximum',
  'x-ref',
  'x-header',
  'x-ignored',
] as const;
