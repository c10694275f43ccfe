import { isDeepStrictEqual } from 'node:util';
import { compileExpression } from '../expression/expression.ts';
import { messageOf } from '../errors/sluice_error.ts';
import { compileFieldPath } from './field_path.ts';
import type { JsonSchema } from './json_schema.ts';
import { SourceError } from './source_error.ts';
import { isTimeZone, parseDuration, parseRetryLimit, parseSize } from './spellings.ts';
import { compileTemplate } from './template.ts';

/** Checks of syntaxes that other parts own; each answers what is wrong, or undefined. */
export interface SyntaxChecks {
  readonly checkRegex?: (source: string) => string | undefined;
  readonly checkDateFormat?: (source: string) => string | undefined;
}

export interface SpellingProblem {
  readonly message: string;
  readonly expected?: string;
  /** 1-based column inside the text, when it is known. */
  readonly column?: number;
}

/** Says which item an array has twice; undefined when it has none. */
export function repetitionIn(items: readonly unknown[]): { readonly message: string } | undefined {
  for (const [index, item] of items.entries()) {
    const first = items.findIndex((other) => isDeepStrictEqual(other, item));
    if (first === index) continue;
    return { message: `has the same item twice, as number ${first + 1} and ${index + 1}` };
  }
  return undefined;
}

/** Checks a value against the `x-type` of its schema; undefined when it is right. */
export function checkSpelling(
  schema: JsonSchema,
  value: unknown,
  checks: SyntaxChecks,
): SpellingProblem | undefined {
  switch (schema['x-type']) {
    case 'duration':
      return checkAmount(schema, parseDuration(value, schema['x-unit']), {
        message: 'is no duration',
        expected: `a duration such as 500ms, 5s, 1m30s or 2h; a bare number is in ${schema['x-unit'] ?? 's'}`,
        write: (milliseconds) => `${milliseconds} ms`,
      });
    case 'size':
      return checkAmount(schema, parseSize(value), {
        message: 'is no size',
        expected: 'a size such as 64KB, 10MB or 1GiB; a bare number is bytes',
        write: (bytes) => `${bytes} bytes`,
      });
    case 'retry_limit':
      if (parseRetryLimit(value) !== undefined) return undefined;
      return { message: 'is no retry limit', expected: 'a whole number, no_limits or no_retries' };
    case 'time_zone':
      if (typeof value !== 'string' || isTimeZone(value)) return undefined;
      return { message: 'is no time zone', expected: 'an IANA zone such as Europe/Berlin' };
    default:
      return checkSyntax(schema, value, checks);
  }
}

interface AmountWords {
  readonly message: string;
  readonly expected: string;
  readonly write: (amount: number) => string;
}

function checkAmount(
  schema: JsonSchema,
  amount: number | undefined,
  words: AmountWords,
): SpellingProblem | undefined {
  if (amount === undefined) return { message: words.message, expected: words.expected };
  const { 'x-minimum': minimum, 'x-maximum': maximum } = schema;
  if (minimum !== undefined && amount < minimum) {
    return { message: 'is too small', expected: `at least ${words.write(minimum)}` };
  }
  if (maximum !== undefined && amount > maximum) {
    return { message: 'is too large', expected: `at most ${words.write(maximum)}` };
  }
  return undefined;
}

function checkSyntax(
  schema: JsonSchema,
  value: unknown,
  checks: SyntaxChecks,
): SpellingProblem | undefined {
  if (typeof value !== 'string') return undefined;
  switch (schema['x-type']) {
    case 'field':
      return caught(() => compileFieldPath(value));
    case 'template':
      return caught(() => compileTemplate(value));
    case 'expression':
      return caught(() => compileExpression(value, { compileRegex: regexChecker(checks) }));
    case 'regex':
      return injected('is no valid regular expression', checks.checkRegex?.(value));
    case 'date_format':
      return injected('is no valid date format', checks.checkDateFormat?.(value));
    default:
      return undefined;
  }
}

function injected(message: string, problem: string | undefined): SpellingProblem | undefined {
  return problem === undefined ? undefined : { message: `${message}: ${withoutStop(problem)}` };
}

function caught(compile: () => unknown): SpellingProblem | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    const message = `is wrong: ${withoutStop(messageOf(error))}`;
    if (!(error instanceof SourceError)) return { message };
    const { column, expected } = error;
    return { message, column, ...(expected === undefined ? {} : { expected }) };
  }
}

function regexChecker(checks: SyntaxChecks) {
  return (source: string) => {
    const problem = checks.checkRegex?.(source);
    if (problem !== undefined) throw new Error(withoutStop(problem));
    return { test: () => false };
  };
}

function withoutStop(message: string): string {
  return message.replace(/\.$/, '');
}
