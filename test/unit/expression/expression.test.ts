import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { FieldPath } from '../../../core/config/field_path.ts';
import { SourceError } from '../../../core/config/source_error.ts';
import { type Expression as Tree, functionSignatures } from '../../../core/expression/ast.ts';
import { compileExpression, type FieldReader } from '../../../core/expression/expression.ts';
import { parseExpression } from '../../../core/expression/parse.ts';
import { printExpression } from '../../../core/expression/print.ts';

const compileRegex = (source: string) => {
  const insensitive = source.startsWith('(?i)');
  return new RegExp(insensitive ? source.slice(4) : source, insensitive ? 'i' : '');
};

function readerOf(record: unknown, tag = 'app.web'): FieldReader {
  return {
    tag,
    get({ keys, literal }: FieldPath) {
      const top = record as Record<string, unknown>;
      if (literal !== undefined && Object.hasOwn(top, literal)) return top[literal];
      let value: unknown = record;
      for (const key of keys) {
        if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
          return undefined;
        value = (value as Record<string, unknown>)[key];
      }
      return value;
    },
  };
}

const record = {
  level: 'warning',
  status: 502,
  code: '404',
  big: 12345678901234567890n,
  message: 'disk /dev/sda1 is full',
  flag: true,
  off: false,
  nothing: null,
  empty: '',
  tags: ['slow', 'error_tag'],
  'user-agent': 'curl',
  'a.b': 'literal',
  http: { method: 'GET', 'user agent': 'x', codes: [1, 2] },
  odd: 'unknown',
  and: 1,
};

const truths: readonly [string, boolean][] = [
  ['level >= "ERROR"', false],
  ['level >= "WARN"', true],
  ['level == "warn"', true],
  ['level != "Warning"', false],
  ['level < "critical" and level > "info"', true],
  ['odd >= "ERROR"', false],
  ['odd == "ERROR"', false],
  ['odd > "tea"', true],
  ['level in ["warn", "error"]', true],
  ['status in [500, 502]', true],
  ['status in [500, 503]', false],
  ['status not in (500, 503)', true],
  ['status == "502"', true],
  ['code >= 400 and code < 500', true],
  ['code == 404', true],
  ['code + 1 == 405', true],
  ['-status < 0', true],
  ['status % 100 * 2 == 4', true],
  ['status / 0 > 1', false],
  ['big > 12345678901234567000', true],
  ['message == 1', false],
  ['message != 1', true],
  ['gone == 1', false],
  ['gone != 1', false],
  ['not (gone == 1)', true],
  ['gone in [1]', false],
  ['gone not in [1]', false],
  ['nothing == null', true],
  ['gone == null', false],
  ['flag', true],
  ['!off', true],
  ['empty', false],
  ['gone', false],
  ['flag == true and off == false', true],
  ['exists(nothing)', true],
  ['missing(gone)', true],
  ['exists([http][method])', true],
  ["$http['method'] == 'GET'", true],
  ['http.method == "GET"', true],
  ['[http][user agent] == "x"', true],
  ['[http][codes][1] == 2', true],
  ['a.b == "literal"', true],
  ['[user-agent] == "curl"', true],
  ['$and == 1', true],
  ['message =~ /DISK/', false],
  ['message =~ /DISK/i', true],
  ['message =~ /dev\\/sda[0-9/]/', true],
  ['message !~ "^disk"', false],
  ['status =~ "^5"', true],
  ['gone !~ /x/', false],
  ['starts_with(message, "disk") && ends_with(message, "full")', true],
  ['contains(message, "sda")', true],
  ['contains(tags, "slow")', true],
  ['"slow" in tags', true],
  ['"slow" not in $tags', false],
  ['"GET" in [http][method]', true],
  ['length(tags) == 2 and length(level) == 7', true],
  ['upper(level) == "WARNING"', true],
  ['lower("ABC") == "abc"', true],
  ['has_tag("error_tag")', true],
  ['has_tag("gone")', false],
  ['starts_with(tag(), "app.")', true],
  ['true or false and false', true],
  ['not false and false', false],
  ['"a\\n\\u0041" == "a\nA"', true],
];

for (const [source, expected] of truths) {
  test(`The condition ${JSON.stringify(source)} is ${expected}.`, () => {
    assert.equal(compileExpression(source, { compileRegex }).evaluate(readerOf(record)), expected);
  });
}

const mistakes: readonly [string, number, RegExp, string | undefined][] = [
  ['', 1, /ends too early/, 'a field, a quoted string, a number or ('],
  ['level >=', 9, /ends too early/, 'a field, a quoted string, a number or ('],
  ['level = "x"', 7, /"=", which is no comparison/, '=='],
  ['level == "x', 10, /not closed/, '" at its end'],
  ['a =~ /x', 6, /not closed/, '/ at its end'],
  ['a =~ /x/q', 9, /unknown flags "q"/, 'i, m or x'],
  ['a =~ b', 6, /no regular expression/, '/…/ or a quoted string'],
  ['a =~ "(?"', 7, /is invalid/, undefined],
  ['(a == 1', 8, /ends too early/, ')'],
  ['a == 1)', 7, /no place after/, 'and, or, an operator, or the end'],
  ['a b', 3, /no place after/, 'and, or, an operator, or the end'],
  ['a < b < c', 7, /second time/, 'and between two comparisons'],
  ['a in 5', 6, /is no list/, 'a list such as [500, 502], or an array field'],
  ['a in [1, b]', 10, /no literal/, 'a quoted string, a number, true, false or null'],
  ['a in [ERROR, WARN]', 7, /no literal/, 'a quoted string, a number, true, false or null'],
  ['a in [1 2]', 9, /does not continue/, ', or ]'],
  ['a not 1', 7, /cannot follow "not"/, 'in'],
  [
    'lenth(a) > 1',
    1,
    /no function "lenth"/,
    `one of ${Object.keys(functionSignatures).join(', ')}`,
  ],
  ['exists("a")', 1, /wrong arguments/, 'exists(field)'],
  ['starts_with(a)', 1, /wrong arguments/, 'starts_with(text, "prefix")'],
  ['a == 5s', 7, /number is followed by "s"/, 'a space or an operator, or quotes around a text'],
  ['a # b', 3, /"#" has no meaning/, 'a field, a value or an operator'],
  ['[a][ == 1', 4, /\[ without its \]/, '] after the key'],
  ["$a['b == 1", 4, /quote that is not closed/, "' after the key"],
  ['"\\u12"', 2, /broken \\u escape/, 'four hexadecimal digits'],
  ['and', 1, /"and", which is no value/, 'a field, a quoted string, a number or ('],
];

for (const [source, column, message, expected] of mistakes) {
  test(`The mistake in ${JSON.stringify(source)} is found at column ${column}.`, () => {
    const compile = () =>
      compileExpression(source, {
        compileRegex: (text) => {
          if (text === '(?') throw new Error('not closed');
          return compileRegex(text);
        },
      });
    assert.throws(compile, (error) => {
      assert.ok(error instanceof SourceError);
      assert.equal(error.code, 'SLUICE_EXPRESSION_INVALID');
      assert.match(error.message, message);
      assert.deepEqual([error.column, error.expected], [column, expected]);
      return true;
    });
  });
}

test('Nesting, length and size of an expression are bounded.', () => {
  const deep = (levels: number) => `${'('.repeat(levels)}a${')'.repeat(levels)}`;
  assert.ok(parseExpression(deep(63)));
  assert.throws(() => parseExpression(deep(64)), /nested deeper than 64/);
  assert.throws(() => parseExpression('!'.repeat(5000) + 'a'), /nested deeper/);
  assert.throws(() => parseExpression('-'.repeat(5000) + 'a'), /nested deeper/);
  assert.throws(() => parseExpression(`a == "${'x'.repeat(8192)}"`), /longer than 8192/);
  const list = (count: number) => `a in [${Array(count).fill('1').join(',')}]`;
  assert.ok(parseExpression(list(1998)));
  assert.throws(() => parseExpression(list(2001)), /more than 2000 parts/);
});

test('The fields of an expression are listed once, and read by the same object.', () => {
  const expression = compileExpression('a == 1 or a == 2 or [b][c] == a or has_tag("x")');
  assert.deepEqual(
    expression.fields.map(({ keys }) => keys),
    [['a'], ['b', 'c'], ['tags']],
  );
  const seen = new Set<FieldPath>();
  expression.evaluate({
    tag: '',
    get(field) {
      seen.add(field);
      return undefined;
    },
  });
  assert.deepEqual([...seen], [...expression.fields]);
});

test('A regular expression that gives up is no match.', () => {
  const options = {
    compileRegex: () => ({
      test(): boolean {
        throw new Error('time is up');
      },
    }),
  };
  assert.equal(compileExpression('a =~ /x/', options).evaluate(readerOf({ a: 'x' })), false);
  assert.equal(compileExpression('a !~ /x/', options).evaluate(readerOf({ a: 'x' })), true);
});

const name = fc.constantFrom('a', 'b_1', '@timestamp', 'größe', 'and', 'in', 'exists');
const key = fc.oneof(name, fc.constantFrom('user-agent', 'x y', 'a.b', '1', "it's", '[', ''));
const field: fc.Arbitrary<FieldPath> = fc.oneof(
  fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => ({ keys })),
  fc.array(name, { minLength: 2, maxLength: 3 }).map((keys) => ({ keys, literal: keys.join('.') })),
);
const literal = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => {
  const branch = tie('tree');
  return {
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      literal.map((value): Tree => ({ kind: 'literal', value })),
      field.map((path): Tree => ({ kind: 'field', field: path })),
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        left: branch,
        right: branch,
      }),
      fc.record({ kind: fc.constant('not' as const), operand: branch }),
      fc.record({
        kind: fc.constant('compare' as const),
        operator: fc.constantFrom('==', '!=', '<', '<=', '>', '>='),
        left: branch,
        right: branch,
      }),
      fc.record({
        kind: fc.constant('arithmetic' as const),
        operator: fc.constantFrom('+', '-', '*', '/', '%'),
        left: branch,
        right: branch,
      }),
      fc.record({
        kind: fc.constant('in' as const),
        negated: fc.boolean(),
        left: branch,
        right: fc.oneof(fc.array(literal, { maxLength: 3 }), field),
      }),
      fc.record({
        kind: fc.constant('match' as const),
        negated: fc.boolean(),
        left: branch,
        pattern: fc.constantFrom('a', '^x/', '"q"', '(?i)b'),
      }),
      fc.record({
        kind: fc.constant('call' as const),
        name: fc.constantFrom('contains' as const, 'starts_with' as const),
        arguments: fc.tuple(branch, branch),
      }),
      field.map(
        (path): Tree => ({
          kind: 'call',
          name: 'exists',
          arguments: [{ kind: 'field', field: path }],
        }),
      ),
      fc.constant<Tree>({ kind: 'call', name: 'tag', arguments: [] }),
    ),
  } as { tree: fc.Arbitrary<Tree> };
});

test('Printing a tree and parsing it gives the tree back.', () => {
  fc.assert(
    fc.property(tree, (expression) => {
      const text = printExpression(expression);
      fc.pre(text.length <= 8192);
      assert.deepEqual(
        JSON.parse(JSON.stringify(parseExpression(text))),
        JSON.parse(JSON.stringify(expression)),
        text,
      );
    }),
    { numRuns: 500 },
  );
});

test('Evaluation gives a boolean for every tree and record, and never throws.', () => {
  const value = fc.oneof(fc.anything(), fc.bigInt(), fc.constantFrom('error', '5', 'x'));
  fc.assert(
    fc.property(tree, value, (expression, any) => {
      const text = printExpression(expression);
      fc.pre(text.length <= 8192);
      const compiled = compileExpression(text, { compileRegex });
      const result = compiled.evaluate({ tag: 't', get: () => any });
      assert.equal(typeof result, 'boolean');
    }),
    { numRuns: 500 },
  );
});

test('Any text either compiles or is refused with a column inside it.', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      '[',
      ']',
      '(',
      ')',
      ' and ',
      ' in ',
      ' not ',
      '"x"',
      "'",
      '/',
      '=~',
      '==',
      '<',
      '-',
      '5',
      '.',
    ],
    ...['$', ',', '\\', '🙂', 'exists', '!', '%', 'null'],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const source = pieces.join('');
      try {
        compileExpression(source, { compileRegex: () => ({ test: () => true }) });
      } catch (error) {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, 'SLUICE_EXPRESSION_INVALID');
        assert.ok(error.column >= 1 && error.column <= source.length + 1);
      }
    }),
    { numRuns: 1000 },
  );
});
