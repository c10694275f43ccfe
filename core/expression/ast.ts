import type { FieldPath } from '../config/field_path.ts';

export type Literal = string | number | boolean | null;

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

/** The tree of a condition. Field nodes of the same text share one FieldPath object. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: Literal }
  | { readonly kind: 'field'; readonly field: FieldPath }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'negate'; readonly operand: Expression }
  | {
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'in';
      readonly negated: boolean;
      readonly left: Expression;
      readonly right: readonly Literal[] | FieldPath;
    }
  | {
      readonly kind: 'match';
      readonly negated: boolean;
      readonly left: Expression;
      /** As the regex compiler takes it; flags of `/…/i` are already written as `(?i)`. */
      readonly pattern: string;
    }
  | {
      readonly kind: 'call';
      readonly name: FunctionName;
      readonly arguments: readonly Expression[];
    };

/** Tells the list of `in` from a field: an array has a `keys` too, its method. */
export function isLiteralList(list: readonly Literal[] | FieldPath): list is readonly Literal[] {
  return Array.isArray(list);
}

export type FunctionName = keyof typeof functionSignatures;

/** The functions of the language: how many arguments each takes, and whether the first must be a field. */
export const functionSignatures = {
  exists: { count: 1, field: true, usage: 'exists(field)' },
  missing: { count: 1, field: true, usage: 'missing(field)' },
  starts_with: { count: 2, field: false, usage: 'starts_with(text, "prefix")' },
  ends_with: { count: 2, field: false, usage: 'ends_with(text, "suffix")' },
  contains: { count: 2, field: false, usage: 'contains(text or array, value)' },
  length: { count: 1, field: false, usage: 'length(text or array)' },
  lower: { count: 1, field: false, usage: 'lower(text)' },
  upper: { count: 1, field: false, usage: 'upper(text)' },
  has_tag: { count: 1, field: false, usage: 'has_tag("tag")' },
  tag: { count: 0, field: false, usage: 'tag()' },
} as const;

export const keywords: ReadonlySet<string> = new Set([
  'and',
  'or',
  'not',
  'in',
  'true',
  'false',
  'null',
]);
