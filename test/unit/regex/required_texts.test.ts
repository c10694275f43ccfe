import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRegex } from '../../../core/regex/parser.ts';
import { compileRegex } from '../../../core/regex/regex.ts';
import { requiredTexts } from '../../../core/regex/required_texts.ts';

const cases: [string, string[]][] = [
  ['abc', ['abc']],
  ['a+bcd', ['a', 'bcd']],
  ['(?:ab|cd)ef', ['ef']],
  ['x?', []],
  ['(?<v>\\d+) \\[(?<w>\\w+)\\] "', [' [', '] "']],
  ['ab(?=xyz)c', ['abc']],
  ['(?:abc){2}', ['abc']],
  ['(?i)abc', []],
  ['a{0}b', ['b']],
];

for (const [source, expected] of cases) {
  test(`every match of ${source} contains ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(requiredTexts(parseRegex(source).root), expected);
  });
}

test('a text that has what is required in another order may not match', () => {
  const regex = compileRegex('\\[(.*)\\] "(.*)" ');
  assert.ok(regex.mayMatch('[a] "b" '));
  assert.ok(!regex.mayMatch('" [a] "b'));
});

test('no text that may not match ever matches', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    'ab',
    '(?:a|b)',
    'c?',
    'b*',
    '(?:ab)+',
    '\\b',
    '.',
    '(?:ba){2}',
  );
  const sources = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), maxLength: 12 });
  fc.assert(
    fc.property(sources, texts, (source, text) => {
      const regex = compileRegex(source);
      if (regex.test(text)) assert.ok(regex.mayMatch(text));
    }),
  );
});
