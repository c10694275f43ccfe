import type { FieldPath } from '../config/field_path.ts';
import { SourceError } from '../config/source_error.ts';
import { messageOf } from '../errors/sluice_error.ts';
import { isLiteralList, type Expression as Tree } from './ast.ts';
import { compareValues, equalValues, numberOf } from './compare.ts';
import { parseExpression } from './parse.ts';
import { severityRank } from './severity.ts';

/** What a condition reads. `get` answers undefined for a missing field; `field` is always one of the objects
 *  in `fields` of the expression, so an implementation may resolve each of them once. */
export interface FieldReader {
  readonly tag: string;
  get(field: FieldPath): unknown;
}

/** A compiled condition. Has no state: one may serve many records at once. */
export interface Expression {
  readonly source: string;
  /** Every field the condition reads, each once. */
  readonly fields: readonly FieldPath[];
  /** Whether it asks for the record's tag. */
  readonly readsTag: boolean;
  /** Whether the record meets the condition. Never throws for any value that `get` answers, but
   *  for WatchNeeded. */
  evaluate(record: FieldReader): boolean;
}

/** Thrown by a tester that must not run on a text without a watchdog; passed on. */
export class WatchNeeded extends Error {}

export interface RegexTester {
  test(text: string): boolean;
}

export interface ExpressionOptions {
  /** Compiles the pattern of `=~` and `!~`; throws for an invalid one. Without it they are refused. */
  readonly compileRegex?: (source: string) => RegexTester;
}

type Evaluator = (record: FieldReader) => unknown;

const tagsField: FieldPath = { keys: ['tags'] };
const displayLengthMax = 80;

/** Compiles a condition such as `level >= "ERROR" and status in [500, 502]` into closures; no code is
 *  generated. Severity words compare by rank, a number and a text that looks like one by number; a missing
 *  field makes any comparison false.
 *  Errors: SLUICE_EXPRESSION_INVALID, as a SourceError with column and expectation. */
export function compileExpression(source: string, options: ExpressionOptions = {}): Expression {
  const tree = parseExpression(source);
  const compiler = new Compiler(source, options);
  const evaluator = compiler.compile(tree);
  return {
    source,
    fields: [...compiler.fields],
    readsTag: compiler.readsTag,
    evaluate: (record) => isTrue(evaluator(record)),
  };
}

class Compiler {
  readonly fields = new Set<FieldPath>();
  readsTag = false;
  readonly #source: string;
  readonly #options: ExpressionOptions;

  constructor(source: string, options: ExpressionOptions) {
    this.#source = source;
    this.#options = options;
  }

  compile(tree: Tree): Evaluator {
    switch (tree.kind) {
      case 'literal': {
        const { value } = tree;
        return () => value;
      }
      case 'field':
        return this.#field(tree.field);
      case 'and': {
        const [left, right] = [this.compile(tree.left), this.compile(tree.right)];
        return (record) => isTrue(left(record)) && isTrue(right(record));
      }
      case 'or': {
        const [left, right] = [this.compile(tree.left), this.compile(tree.right)];
        return (record) => isTrue(left(record)) || isTrue(right(record));
      }
      case 'not': {
        const operand = this.compile(tree.operand);
        return (record) => !isTrue(operand(record));
      }
      case 'negate': {
        const operand = this.compile(tree.operand);
        return (record) => arithmetic('-', 0, operand(record));
      }
      case 'compare':
        return this.#compare(tree);
      case 'arithmetic': {
        const [left, right, { operator }] = [
          this.compile(tree.left),
          this.compile(tree.right),
          tree,
        ];
        return (record) => arithmetic(operator, left(record), right(record));
      }
      case 'in':
        return this.#in(tree);
      case 'match':
        return this.#match(tree);
      case 'call':
        return this.#call(tree);
    }
  }

  #field(field: FieldPath): Evaluator {
    this.fields.add(field);
    return (record) => record.get(field);
  }

  #compare(tree: Tree & { kind: 'compare' }): Evaluator {
    const [left, right, { operator }] = [this.compile(tree.left), this.compile(tree.right), tree];
    // `level >= "ERROR"` must not hold for a level "unknown" because of the alphabet.
    const severityOnly = isSeverityLiteral(tree.left) || isSeverityLiteral(tree.right);
    return (record) => compareValues(operator, left(record), right(record), severityOnly);
  }

  #in(tree: Tree & { kind: 'in' }): Evaluator {
    const left = this.compile(tree.left);
    const { negated } = tree;
    if (!isLiteralList(tree.right)) {
      const list = this.#field(tree.right);
      return (record) => {
        const [value, items] = [left(record), list(record)];
        if (value === undefined || items === undefined) return false;
        return includesValue(Array.isArray(items) ? items : [items], value) !== negated;
      };
    }
    const items = tree.right;
    return (record) => {
      const value = left(record);
      return value !== undefined && includesValue(items, value) !== negated;
    };
  }

  #match(tree: Tree & { kind: 'match' }): Evaluator {
    const left = this.compile(tree.left);
    const { negated } = tree;
    const regex = this.#regex(tree.pattern);
    return (record) => {
      const text = textOf(left(record));
      if (text === undefined) return false;
      try {
        return regex.test(text) !== negated;
      } catch (error) {
        if (error instanceof WatchNeeded) throw error;
        // A matcher that gave up on this text has not found the pattern.
        return negated;
      }
    };
  }

  #regex(pattern: string): RegexTester {
    const { compileRegex } = this.#options;
    try {
      if (compileRegex !== undefined) return compileRegex(pattern);
    } catch (error) {
      throw new SourceError(
        'SLUICE_EXPRESSION_INVALID',
        `The regular expression ${shorten(pattern)} is invalid: ${messageOf(error)}`,
        { column: this.#columnOf(pattern), cause: error },
      );
    }
    throw new SourceError(
      'SLUICE_EXPRESSION_INVALID',
      'Regular expressions cannot be used in this expression.',
      { column: this.#columnOf(pattern) },
    );
  }

  /** Column of a pattern. The tree has no positions: it is looked for after the first `~`. */
  #columnOf(pattern: string): number {
    const operator = Math.max(this.#source.indexOf('~'), 0);
    const found = this.#source.indexOf(pattern.replace(/^\(\?[imx]+\)/, ''), operator);
    return Math.max(found, operator) + 1;
  }

  #call(tree: Tree & { kind: 'call' }): Evaluator {
    const values = tree.arguments.map((argument) => this.compile(argument));
    const [first, second] = values as [Evaluator, Evaluator]; // The parser checked how many there are.
    switch (tree.name) {
      case 'exists':
        return (record) => first(record) !== undefined;
      case 'missing':
        return (record) => first(record) === undefined;
      case 'starts_with':
        return onTexts(first, second, (text, prefix) => text.startsWith(prefix));
      case 'ends_with':
        return onTexts(first, second, (text, suffix) => text.endsWith(suffix));
      case 'contains':
        return (record) => containsValue(first(record), second(record));
      case 'length':
        return (record) => lengthOf(first(record));
      case 'lower':
        return (record) => textOf(first(record))?.toLowerCase();
      case 'upper':
        return (record) => textOf(first(record))?.toUpperCase();
      case 'has_tag': {
        const tags = this.#field(tagsField);
        return (record) => containsTag(tags(record), first(record));
      }
      case 'tag':
        this.readsTag = true;
        return (record) => record.tag;
    }
  }
}

/** Missing, null, false, 0, NaN and the empty text are not true; everything else is. */
function isTrue(value: unknown): boolean {
  return Boolean(value);
}

function isSeverityLiteral(tree: Tree): boolean {
  return (
    tree.kind === 'literal' &&
    typeof tree.value === 'string' &&
    severityRank(tree.value) !== undefined
  );
}

function includesValue(items: readonly unknown[], value: unknown): boolean {
  for (const item of items) {
    if (equalValues(item, value)) return true;
  }
  return false;
}

function onTexts(
  first: Evaluator,
  second: Evaluator,
  test: (text: string, other: string) => boolean,
): Evaluator {
  return (record) => {
    const text = textOf(first(record));
    const other = textOf(second(record));
    return text !== undefined && other !== undefined && test(text, other);
  };
}

function containsValue(whole: unknown, part: unknown): boolean {
  if (part === undefined) return false;
  if (Array.isArray(whole)) return includesValue(whole, part);
  const [text, other] = [textOf(whole), textOf(part)];
  return text !== undefined && other !== undefined && text.includes(other);
}

function containsTag(tags: unknown, tag: unknown): boolean {
  return Array.isArray(tags) ? tags.includes(tag) : tags !== undefined && tags === tag;
}

function lengthOf(value: unknown): number | undefined {
  if (typeof value === 'string') {
    let count = 0;
    for (const _character of value) count += 1;
    return count;
  }
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  return undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'boolean' ? String(value) : undefined;
}

function arithmetic(operator: string, left: unknown, right: unknown): number | undefined {
  const [leftNumber, rightNumber] = [numberOf(left), numberOf(right)];
  if (leftNumber === undefined || rightNumber === undefined) return undefined;
  const result = calculate(operator, Number(leftNumber), Number(rightNumber));
  return Number.isFinite(result) ? result : undefined;
}

function calculate(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    default:
      return left % right;
  }
}

function shorten(text: string): string {
  return text.length > displayLengthMax ? `${text.slice(0, displayLengthMax)}…` : text;
}
