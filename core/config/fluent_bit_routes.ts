/**
 * Fluent Bit's blocks inside of an input or output: `processors` (filters of its own), `condition`
 * and `routes` (which outputs get which records of an input). Source: Fluent Bit's manual, "Routing"
 * and "Conditional processing". Conditions become expressions of `when`.
 */
import type { Expression, Literal } from '../expression/ast.ts';
import { printExpression } from '../expression/print.ts';
import { compileFieldPath } from './field_path.ts';
import type { Infer } from './infer.ts';
import type { JsonSchema } from './json_schema.ts';

const operators = {
  eq: '==',
  neq: '!=',
  gt: '>',
  lt: '<',
  gte: '>=',
  lte: '<=',
} as const;

const ruleSchema = {
  type: 'object',
  required: ['field', 'op', 'value'],
  properties: {
    field: { type: 'string', minLength: 1, description: 'Field to look at, such as `$level`.' },
    op: {
      enum: ['eq', 'neq', 'gt', 'lt', 'gte', 'lte', 'regex', 'not_regex', 'in', 'not_in'],
      description: 'How the field is compared; a missing field meets no rule.',
    },
    value: {
      type: ['string', 'number', 'boolean', 'null', 'array'],
      items: { type: ['string', 'number', 'boolean', 'null'] },
      description: 'What it is compared with; a list for `in` and `not_in`.',
    },
    context: {
      enum: ['body'],
      description: 'Where the field is: always in the record itself.',
    },
  },
} as const satisfies JsonSchema;

/** Which records a processor or a route concerns. */
export const conditionSchema = {
  type: 'object',
  description: 'Which records are meant, as rules; `when` says the same in one line.',
  properties: {
    op: {
      enum: ['and', 'or'],
      default: 'and',
      description: 'Whether all rules must be met, or one.',
    },
    rules: { type: 'array', minItems: 1, items: ruleSchema, description: 'The rules.' },
    default: {
      type: 'boolean',
      description: 'In a route: the records that no other route takes.',
    },
  },
} as const satisfies JsonSchema;

export type RecordCondition = Infer<typeof conditionSchema>;

const processorsSchema = {
  type: 'object',
  properties: {
    logs: {
      type: 'array',
      items: { type: 'object', additionalProperties: true },
      description:
        'Filters in order, written as under `filters`, each with a `condition` if need be.',
    },
  },
} as const satisfies JsonSchema;

export const inputProcessors = {
  ...processorsSchema,
  description: 'Filters for the records of this input alone, before all other filters.',
} as const satisfies JsonSchema;

export const outputProcessors = {
  ...processorsSchema,
  description: 'Filters for what this output gets, on a copy: other outputs see nothing of it.',
} as const satisfies JsonSchema;

export const inputRoutes = {
  type: 'object',
  description:
    'Outputs for the records of this input; they then go nowhere else, whatever `match` says.',
  properties: {
    logs: {
      type: 'array',
      minItems: 1,
      description: 'Routes; a record takes each whose condition it meets.',
      items: {
        type: 'object',
        required: ['to'],
        properties: {
          name: { type: 'string', minLength: 1, description: 'Name of the route.' },
          per_record_routing: {
            type: 'boolean',
            'x-ignored': 'Each record is always decided for itself.',
            description: 'Accepted for Fluent Bit files; each record is decided for itself.',
          },
          condition: conditionSchema,
          to: {
            type: 'object',
            required: ['outputs'],
            description: 'Where these records go.',
            properties: {
              outputs: {
                type: 'array',
                minItems: 1,
                items: { type: 'string', minLength: 1 },
                description: 'Aliases of outputs, or names where there is one of the name.',
              },
            },
          },
        },
      },
    },
  },
} as const satisfies JsonSchema;

/** Writes rules as an expression; undefined when there are none. Throws SourceError for a field
 *  reference that is none, and Error for a value that does not fit its operator. */
export function conditionExpression(condition: RecordCondition): string | undefined {
  const rules = condition.rules ?? [];
  const [first, ...others] = rules.map(ruleExpression);
  if (first === undefined) return undefined;
  return printExpression(
    others.reduce((left, right) => ({ kind: condition.op, left, right }), first),
  );
}

type Rule = NonNullable<RecordCondition['rules']>[number];

function ruleExpression({ field, op, value }: Rule): Expression {
  const left: Expression = { kind: 'field', field: compileFieldPath(field) };
  if (op === 'in' || op === 'not_in') {
    if (!Array.isArray(value)) throw new Error(`The value of "${op}" is no list.`);
    return { kind: 'in', negated: op === 'not_in', left, right: value as readonly Literal[] };
  }
  if (Array.isArray(value)) throw new Error(`The value of "${op}" is a list.`);
  if (op === 'regex' || op === 'not_regex') {
    if (typeof value !== 'string') throw new Error(`The value of "${op}" is no text.`);
    return { kind: 'match', negated: op === 'not_regex', left, pattern: value };
  }
  const right: Expression = { kind: 'literal', value: value as Literal };
  return { kind: 'compare', operator: operators[op], left, right };
}
