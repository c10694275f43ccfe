import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SluiceError } from '../../../core/errors/sluice_error.ts';
import { compileRegex, RegexBudgetError, type RegexOptions } from '../../../core/regex/regex.ts';

type Row = readonly [
  expression: string,
  text: string,
  expected: readonly (string | undefined)[] | null,
  options?: RegexOptions,
];

/** Expected: the whole match, then the groups. Values are Ruby's. */
const meanings: readonly Row[] = [
  ['a.c', 'a\nc', null],
  ['a.c', 'a\nc', ['a\nc'], { rubyMultiline: true }],
  ['(?m:a.c)', 'a\nc', ['a\nc']],
  ['^b$', 'a\nb\nc', ['b']],
  ['\\Ab', 'a\nb', null],
  ['a\\Z', 'a\n', ['a']],
  ['a\\z', 'a\n', null],
  ['\\h+', 'xyz09aFg', ['09aF']],
  ['\\H+', 'ab-z', ['-z']],
  ['[[:alpha:]]+', '1né2', ['né']],
  ['[[:^digit:]]+', '12ab3', ['ab']],
  ['[[[:alnum:]]_]+', '-a_1-', ['a_1']],
  ['[a-z&&[^aeiou]]+', 'aebcd', ['bcd']],
  ['[]a]+', ']a', [']a']],
  ['\\p{Upper}\\p{^Upper}', 'aÉe', ['Ée']],
  ['\\w+', 'café', ['caf']],
  ['\\bfoo\\b', 'éfoo foo', ['foo']],
  ['(?>a+)b', 'aaab', ['aaab']],
  ['(?>a+)ab', 'aaab', null],
  ['a++ab', 'aaab', null],
  ['a?+a', 'a', null],
  ['a{2}?', 'aaa', ['aa']],
  ['a{,2}', 'aaa', ['aa']],
  ['a{1,2}+', 'aaaa', ['aaaa']],
  ['x{,}', 'x{,}', ['x{,}']],
  ['(?i)straße', 'STRAßE', ['STRAßE']],
  ['a(?i)b|c', 'C', null],
  ['a(?i)b|c', 'aC', ['aC']],
  ['a(?i:b)c', 'aBC', null],
  ['(?x) a b # comment\n c', 'abc', ['abc']],
  ['a(?#comment)b', 'ab', ['ab']],
  ["(?'name'a)", 'a', ['a', 'a']],
  ['(a)(b)', 'ab', ['ab', 'a', 'b']],
  ['(a)(?<n>b)', 'ab', ['ab', 'b']],
  ['(?<n>a)|(?<n>b)', 'b', ['b', undefined, 'b']],
  ['(?<q>["\']).*?\\k<q>', `it "isn't" so`, [`"isn't"`, '"']],
  ['(a)|b\\1', 'b', null],
  ['(?i)(a)\\1', 'aA', ['aA', 'a']],
  ['(?:(?<a>a)|(?<b>b))+', 'ab', ['ab', 'a', 'b']],
  ['(?:(a)|b)*', 'ab', ['ab', 'a']],
  ['(a*)+', 'b', ['', '']],
  ['(a*)?b', 'b', ['b', '']],
  ['\\[(.*?)?\\]', '[]]', ['[]', '']],
  ['(?<!\\d)(?<=a|bc)x', '1x bcx', ['x']],
  ['a(?=b)(?!bc)', 'abc ab', ['a']],
  ['\\x41\\x{1F600}\\u0042\\103', 'A😀BC', ['A😀BC']],
  ['^.$', '😀', ['😀']],
  ['a\\Rb', 'a\r\nb', ['a\r\nb']],
  ['\\t\\/\\-', '\t/-', ['\t/-']],
];

describe('Oniguruma expressions', () => {
  for (const [expression, text, expected, options] of meanings) {
    test(`/${expression}/ on ${JSON.stringify(text)}`, () => {
      for (const engine of ['auto', 'matcher'] as const) {
        const match = compileRegex(expression, { ...options, engine }).exec(text);
        const found =
          match === null ? null : [text.slice(match.index, match.end), ...match.captures];
        assert.deepEqual(found, expected === null ? null : [...expected], engine);
      }
    });
  }

  test('names come once, in order, with the value of the last group that took part', () => {
    const regex = compileRegex('(?<x>a)?(?<y>b)(?<x>c)?');
    assert.deepEqual(regex.groupNames, ['x', 'y']);
    assert.deepEqual(regex.groupsByName, [[1, 3], [2]]);
    assert.deepEqual(regex.exec('abc')?.groups, ['c', 'b']);
    assert.deepEqual(regex.exec('ab')?.groups, ['a', 'b']);
  });

  test('searches from a position and replaces every match', () => {
    const regex = compileRegex('(\\d)');
    assert.equal(regex.exec('1a2', 1)?.index, 2);
    assert.equal(
      regex.replaceAll('a1b22', (match) => `<${match.captures[0]}>`),
      'a<1>b<2><2>',
    );
    assert.equal(
      compileRegex('x*').replaceAll('ab', () => '-'),
      '-a-b-',
    );
  });
});

describe('errors in expressions', () => {
  const wrong: readonly (readonly [string, number])[] = [
    ['a(b', 2],
    ['a)', 2],
    ['[a', 1],
    ['a[z-a]', 3],
    ['*a', 1],
    ['a\\', 2],
    ['a{3,2}', 2],
    ['[[:nope:]]', 2],
    ['\\p{Nope}', 2],
    ['\\2(a)', 1],
    ['\\k<x>', 1],
    ['(?<n>a)\\1', 8],
    ['(?~a)', 1],
    ['a\\K', 2],
    ['a{1000000}', 2],
  ];
  for (const [expression, position] of wrong) {
    test(`/${expression}/ is refused at position ${position}`, () => {
      assert.throws(
        () => compileRegex(expression),
        (error) =>
          error instanceof SluiceError &&
          error.code === 'SLUICE_REGEX_INVALID' &&
          error.message.includes(`position ${position}`),
      );
    });
  }
});

describe('runaway expressions', () => {
  test('a nested loop over the same characters is flattened', () => {
    const regex = compileRegex('"(?:\\\\.|[^\\\\"]+)+"');
    assert.equal(regex.engine, 'native');
    assert.equal(regex.mayRunAway, false);
    assert.equal(regex.exec(`"${'a'.repeat(10_000)}`), null);
  });

  test('exponential and polynomial expressions are told from linear ones', () => {
    assert.equal(compileRegex('(a+)+$').costDegree, Number.POSITIVE_INFINITY);
    assert.equal(compileRegex('(a|aa)+$').costDegree, Number.POSITIVE_INFINITY);
    // Found by search: alternatives that may be the same text, and rounds that may end in two places.
    for (const source of [
      '^(?:ab?|b)+$',
      '^(?:ab|[ac]b)+$',
      '^(?:a?a)+$',
      '^(?:x(?:ab|[ab]b)y)+$',
      '^(?:(?:.{1,3})+?(?:.|.{1,3}){1,3})+c$',
      '^(?:(?:ab?|b)+|(?:[ab]?\\w{1,3})+?)\\b$',
    ]) {
      assert.equal(compileRegex(source).costDegree, Number.POSITIVE_INFINITY, source);
    }
    for (const source of ['^(?:ab|ac)+$', '^(?:a,?)+$', '^(?:\\d{3}-)+$']) {
      assert.ok(compileRegex(source).costDegree < 3, source);
    }
    assert.ok(compileRegex('(?:ab|cd)*$').costDegree < 3);
    assert.equal(compileRegex('(?:a|a)*b|(?:\\w+\\s*)*:').mayRunAway, true);
    assert.equal(compileRegex('.*,.*,.*;').mayRunAway, true);
    assert.equal(compileRegex('^[^,]*,[^,]*;').mayRunAway, false);
    assert.equal(compileRegex('^\\w+\\b \\d++[0-9a]').mayRunAway, false);
  });

  // Each took minutes on these texts, with no watchdog.
  test('expressions whose counted loops divide a text in many ways need the watchdog', () => {
    for (const source of [
      '^(?:a|aa){34}b',
      '^(?:a{1,2}){40}b',
      '^(?:(?:a{1,3}){8}){8}b',
      '^(?:\\w{1,30}\\s?){9}!',
      `^${'a?'.repeat(30)}${'a'.repeat(30)}$`,
      '(?:a?){40}a{40}$',
      '^(?:a?){40}a{40}$',
    ]) {
      assert.equal(compileRegex(source).needsGuard(66), true, source);
      assert.equal(compileRegex(source).mayRunAway, true, source);
    }
    for (const source of [
      '^(?:\\d{1,3}\\.){3}\\d{1,3} \\w{1,64} .*$',
      '^(?:a|b){40}c',
      '^(?:\\w{2}:){5}\\w{2}$',
      '^[A-Z]{3}-\\d{1,5} (?:GET|PUT|POST) ',
    ]) {
      assert.equal(compileRegex(source).needsGuard(1000), false, source);
    }
  });

  test('the matcher gives up at its step budget', () => {
    const regex = compileRegex('(a+)+$', { engine: 'matcher', stepBudget: 10_000 });
    assert.throws(() => regex.exec(`${'a'.repeat(65_536)}b`), RegexBudgetError);
    assert.equal(regex.exec('aaa')?.end, 3);
  });
});

const atom = fc.constantFrom(
  ...['a', 'b', 'c', '[ab]', '[^a]', '.', '\\w', '\\b', '^', '$', '(?=b)', '(?!c)', '(?<=a)'],
);
const { expression } = fc.letrec<{ expression: string; piece: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('piece'),
    fc.array(tie('piece'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(?:${a}|${b})`),
  ),
  piece: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    tie('expression').map((inner) => `(${inner})`),
    tie('expression').map((inner) => `(?>${inner})`),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{1,2}', '*+', '++'),
      )
      .map(([inner, quantifier]) => `(?:${inner})${quantifier}`),
  ),
}));

test('both engines find the same match and the same groups', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '\n', 'é'), maxLength: 12 });
  fc.assert(
    fc.property(expression, text, (source, input) => {
      const native = compileRegex(source);
      const matcher = compileRegex(source, { engine: 'matcher', stepBudget: 200_000 });
      let expected: ReturnType<typeof matcher.exec>;
      try {
        expected = matcher.exec(input);
      } catch (error) {
        fc.pre(!(error instanceof RegexBudgetError));
        throw error;
      }
      assert.deepEqual(native.exec(input), expected, source);
    }),
    { numRuns: 3000 },
  );
});
