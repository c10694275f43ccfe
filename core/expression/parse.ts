import type { FieldPath } from '../config/field_path.ts';
import {
  type ArithmeticOperator,
  type ComparisonOperator,
  type Expression,
  type FunctionName,
  functionSignatures,
  keywords,
  type Literal,
} from './ast.ts';
import { expressionError, expressionLimits, type Token, TokenReader } from './tokens.ts';

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);

/** Parses a condition into its tree.
 *  Errors: SLUICE_EXPRESSION_INVALID, as a SourceError with column and expectation.
 *  Limits: 8,192 characters, 64 levels, 2,000 nodes. */
export function parseExpression(source: string): Expression {
  if (source.length > expressionLimits.lengthMax) {
    throw expressionError(
      `The expression is longer than ${expressionLimits.lengthMax} characters.`,
      expressionLimits.lengthMax,
    );
  }
  return new Parser(source).parse();
}

class Parser {
  readonly #reader: TokenReader;
  readonly #fields = new Map<string, FieldPath>();
  #token: Token;
  #depth = 0;
  #nodes = 0;

  constructor(source: string) {
    this.#reader = new TokenReader(source);
    this.#token = this.#reader.next('operand');
  }

  parse(): Expression {
    const expression = this.#or();
    if (this.#token.kind !== 'end') {
      this.#fail('has no place after a complete expression', 'and, or, an operator, or the end');
    }
    return expression;
  }

  #or(): Expression {
    return this.#nested(() => {
      let left = this.#and();
      while (this.#isWord('or') || this.#isOperator('||')) {
        this.#advance('operand');
        left = this.#node({ kind: 'or', left, right: this.#and() });
      }
      return left;
    });
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#isWord('and') || this.#isOperator('&&')) {
      this.#advance('operand');
      left = this.#node({ kind: 'and', left, right: this.#not() });
    }
    return left;
  }

  #not(): Expression {
    if (!this.#isWord('not') && !this.#isOperator('!')) return this.#comparison();
    this.#advance('operand');
    return this.#node({ kind: 'not', operand: this.#nested(() => this.#not()) });
  }

  #comparison(): Expression {
    const left = this.#sum();
    const token = this.#token;
    if (token.kind === 'operator' && comparisons.has(token.text)) {
      this.#advance('operand');
      const right = this.#sum();
      this.#refuseChain();
      const operator = token.text as ComparisonOperator; // A member of `comparisons`.
      return this.#node({ kind: 'compare', operator, left, right });
    }
    if (this.#isOperator('=~') || this.#isOperator('!~')) return this.#match(left);
    if (this.#isOperator('=')) this.#fail('is no comparison', '==');
    if (this.#isWord('in')) return this.#in(left, false);
    if (!this.#isWord('not')) return left;
    this.#advance('operand');
    if (!this.#isWord('in')) this.#fail('cannot follow "not" here', 'in');
    return this.#in(left, true);
  }

  #refuseChain(): void {
    if (this.#token.kind === 'operator' && comparisons.has(this.#token.text)) {
      this.#fail('compares a second time', 'and between two comparisons');
    }
  }

  #match(left: Expression): Expression {
    const negated = this.#isOperator('!~');
    this.#advance('pattern');
    const token = this.#token;
    if (token.kind !== 'regex' && token.kind !== 'string') {
      this.#fail('is no regular expression', '/…/ or a quoted string');
    }
    const pattern = token.kind === 'regex' ? token.pattern : token.value;
    this.#advance('operator');
    return this.#node({ kind: 'match', negated, left, pattern });
  }

  #in(left: Expression, negated: boolean): Expression {
    this.#advance('list');
    const token = this.#token;
    if (token.kind === 'field' || (token.kind === 'word' && !keywords.has(token.text))) {
      this.#advance('operator');
      return this.#node({ kind: 'in', negated, left, right: this.#intern(token.field) });
    }
    if (!this.#isOperator('[') && !this.#isOperator('(')) {
      this.#fail('is no list', 'a list such as [500, 502], or an array field');
    }
    const field = this.#bracketedField();
    if (field !== undefined) {
      return this.#node({ kind: 'in', negated, left, right: this.#intern(field) });
    }
    return this.#node({ kind: 'in', negated, left, right: this.#list() });
  }

  /** `[a]` and `[a][b]` after `in` name a field; a list holds literals only, so a lone word decides. */
  #bracketedField(): FieldPath | undefined {
    if (!this.#isOperator('[')) return undefined;
    const { offset } = this.#token;
    this.#advance('list');
    const word = this.#token;
    if (word.kind === 'word' && !keywords.has(word.text)) {
      this.#advance('list');
      if (!this.#isOperator(']')) {
        this.#token = word;
        this.#fail('is no literal', 'a quoted string, a number, true, false or null');
      }
      this.#reader.rewind(offset);
      this.#advance('operand');
      const token = this.#token;
      this.#advance('operator');
      return token.kind === 'field' ? token.field : undefined;
    }
    this.#reader.rewind(offset);
    this.#advance('list');
    return undefined;
  }

  #list(): readonly Literal[] {
    const close = this.#isOperator('[') ? ']' : ')';
    const items: Literal[] = [];
    this.#advance('list');
    while (!this.#isOperator(close)) {
      items.push(this.#listItem());
      this.#countNode();
      if (this.#isOperator(close)) break;
      if (!this.#isOperator(',')) this.#fail('does not continue the list', `, or ${close}`);
      this.#advance('list');
    }
    this.#advance('operator');
    return items;
  }

  #listItem(): Literal {
    const negative = this.#isOperator('-');
    if (negative) this.#advance('list');
    const token = this.#token;
    const value = literalOf(token);
    if (value === undefined || (negative && typeof value !== 'number')) {
      this.#fail('is no literal', 'a quoted string, a number, true, false or null');
    }
    this.#advance('list');
    return negative ? -(value as number) : value; // A number: checked above.
  }

  #sum(): Expression {
    return this.#arithmetic(['+', '-'], () => this.#product());
  }

  #product(): Expression {
    return this.#arithmetic(['*', '/', '%'], () => this.#unary());
  }

  #arithmetic(spellings: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (this.#token.kind === 'operator' && spellings.includes(this.#token.text)) {
      const operator = this.#token.text as ArithmeticOperator; // One of `spellings`.
      this.#advance('operand');
      left = this.#node({ kind: 'arithmetic', operator, left, right: operand() });
    }
    return left;
  }

  #unary(): Expression {
    if (!this.#isOperator('-')) return this.#primary();
    this.#advance('operand');
    const operand = this.#nested(() => this.#unary());
    if (operand.kind === 'literal' && typeof operand.value === 'number') {
      return { kind: 'literal', value: -operand.value };
    }
    return this.#node({ kind: 'negate', operand });
  }

  #primary(): Expression {
    const token = this.#token;
    if (this.#isOperator('(')) {
      this.#advance('operand');
      const inner = this.#or();
      this.#expectOperator(')', 'closes no parenthesis');
      return inner;
    }
    const value = literalOf(token);
    if (value !== undefined) {
      this.#advance('operator');
      return this.#node({ kind: 'literal', value });
    }
    if (token.kind === 'field') {
      this.#advance('operator');
      return this.#node({ kind: 'field', field: this.#intern(token.field) });
    }
    if (token.kind !== 'word' || keywords.has(token.text)) {
      this.#fail('is no value', 'a field, a quoted string, a number or (');
    }
    this.#advance('operator');
    if (this.#isOperator('(')) return this.#call(token.text, token.offset);
    return this.#node({ kind: 'field', field: this.#intern(token.field) });
  }

  #call(name: string, offset: number): Expression {
    if (!isFunctionName(name)) {
      const names = Object.keys(functionSignatures).join(', ');
      throw expressionError(`There is no function "${name}".`, offset, `one of ${names}`);
    }
    const signature = functionSignatures[name];
    const values: Expression[] = [];
    this.#advance('operand');
    while (!this.#isOperator(')')) {
      values.push(this.#or());
      if (this.#isOperator(')')) break;
      if (!this.#isOperator(',')) this.#fail('does not continue the arguments', ', or )');
      this.#advance('operand');
    }
    this.#advance('operator');
    if (values.length !== signature.count || (signature.field && values[0]?.kind !== 'field')) {
      throw expressionError(
        `The function "${name}" is called with the wrong arguments.`,
        offset,
        signature.usage,
      );
    }
    return this.#node({ kind: 'call', name, arguments: values });
  }

  #intern(field: FieldPath): FieldPath {
    const key = JSON.stringify([field.keys, field.literal]);
    const known = this.#fields.get(key);
    if (known !== undefined) return known;
    this.#fields.set(key, field);
    return field;
  }

  #nested(parse: () => Expression): Expression {
    this.#depth += 1;
    if (this.#depth > expressionLimits.depthMax) {
      throw expressionError(
        `The expression is nested deeper than ${expressionLimits.depthMax} levels.`,
        this.#token.offset,
      );
    }
    const expression = parse();
    this.#depth -= 1;
    return expression;
  }

  #node(expression: Expression): Expression {
    this.#countNode();
    return expression;
  }

  #countNode(): void {
    this.#nodes += 1;
    if (this.#nodes > expressionLimits.nodesMax) {
      throw expressionError(
        `The expression has more than ${expressionLimits.nodesMax} parts.`,
        this.#token.offset,
      );
    }
  }

  #advance(position: 'operand' | 'operator' | 'pattern' | 'list'): void {
    this.#token = this.#reader.next(position);
  }

  #isWord(text: string): boolean {
    return this.#token.kind === 'word' && this.#token.text === text;
  }

  #isOperator(text: string): boolean {
    return this.#token.kind === 'operator' && this.#token.text === text;
  }

  #expectOperator(text: string, problem: string): void {
    if (!this.#isOperator(text)) this.#fail(problem, text);
    this.#advance('operator');
  }

  #fail(problem: string, expected: string): never {
    const { offset } = this.#token;
    if (this.#token.kind === 'end') {
      throw expressionError('The expression ends too early.', offset, expected);
    }
    throw expressionError(
      `The expression has ${describe(this.#token)}, which ${problem}.`,
      offset,
      expected,
    );
  }
}

const constants: Readonly<Record<string, Literal>> = { true: true, false: false, null: null };

function literalOf(token: Token): Literal | undefined {
  if (token.kind === 'string' || token.kind === 'number') return token.value;
  if (token.kind === 'word' && Object.hasOwn(constants, token.text)) return constants[token.text];
  return undefined;
}

function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(functionSignatures, name);
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'string':
      return 'a string';
    case 'number':
      return `the number ${token.value}`;
    case 'regex':
      return 'a regular expression';
    case 'field':
      return 'a field';
    case 'end':
      return 'its end';
    default:
      return JSON.stringify(token.text);
  }
}
