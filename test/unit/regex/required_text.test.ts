import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileRegex } from '../../../core/regex/regex.ts';

const cases: [string, string][] = [
  ['abc', 'abc'],
  ['a+bcd', 'bcd'],
  ['(?:ab|cd)ef', 'ef'],
  ['x?', ''],
  ['(?<v>\\d+) \\[(?<w>\\w+)\\] "', '] "'],
  ['ab(?=xyz)c', 'abc'],
  ['(?:abc){2}', 'abc'],
  ['(?i)abc', ''],
  ['a{0}b', 'b'],
];

for (const [source, expected] of cases) {
  test(`every match of ${source} contains ${JSON.stringify(expected)}`, () => {
    assert.equal(compileRegex(source).requiredText, expected);
  });
}

test('no text without the required text ever matches', () => {
  const piece = fc.constantFrom('a', 'b', 'ab', '(?:a|b)', 'c?', 'b*', '(?:ab)+', '\\b', '.');
  const sources = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), maxLength: 12 });
  fc.assert(
    fc.property(sources, texts, (source, text) => {
      const regex = compileRegex(source);
      if (regex.test(text)) assert.ok(text.includes(regex.requiredText));
    }),
  );
});
