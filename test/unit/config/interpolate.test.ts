import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { interpolateText } from '../../../core/config/interpolate.ts';

const variables: Readonly<Record<string, string>> = { A: 'x', EMPTY: '', LOOP: '${A}' };
const lookup = (name: string) => (Object.hasOwn(variables, name) ? variables[name] : undefined);

const texts: readonly [string, string][] = [
  ['plain $A {A}', 'plain $A {A}'],
  ['${A}', 'x'],
  ['<${A}-${A}>', '<x-x>'],
  ['${B:1}', '1'],
  ['${B:}', ''],
  ['${B:-d}', 'd'],
  ['${EMPTY:d}', ''],
  ['${EMPTY:-d}', 'd'],
  ['${B:http://h:80/}', 'http://h:80/'],
  ['${B:-${A}-${C:2}}', 'x-2'],
  ['${A:-${NOT_SET}}', 'x'],
  ['$${A}', '${A}'],
  ['$$${A}', '$${A}'],
  ['${LOOP}', '${A}'],
];

for (const [text, value] of texts) {
  test(`The text ${text} becomes ${JSON.stringify(value)}.`, () => {
    const result = interpolateText(text, lookup);
    assert.deepEqual([result.value, result.problems], [value, []]);
  });
}

const mistakes: readonly [string, number, RegExp][] = [
  ['ab${B}', 2, /"B" is not set and has no default/],
  ['a${', 1, /has no \}/],
  ['a${B:-c', 1, /has no \}/],
  ['${}', 0, /"" is no name/],
  ['${1+2}', 0, /"1\+2" is no name/],
  ['${A.b}', 0, /"A.b" is no name/],
  ['${B:'.repeat(9) + '}'.repeat(9), 32, /nest too deep/],
];

for (const [text, offset, message] of mistakes) {
  test(`The mistake in ${text.slice(0, 20)} is found at offset ${offset}.`, () => {
    const [problem] = interpolateText(text, lookup).problems;
    assert.equal(problem?.offset, offset);
    assert.match(problem.message, message);
  });
}

test('Every missing variable of a text is reported.', () => {
  assert.equal(interpolateText('${B}${C}${A}', lookup).problems.length, 2);
});

test('A text without variables stays, and a value is put in as it is.', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, value) => {
      fc.pre(!text.includes('$'));
      assert.equal(interpolateText(text, lookup).value, text);
      const result = interpolateText(`${text}\${V}${text}`, () => value);
      assert.equal(result.value, text + value + text);
    }),
  );
});

test('Escaping gives any text back.', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', 'A') }), (text) => {
      fc.pre(!text.includes('$${'));
      const escaped = text.replaceAll('${', () => '$${');
      assert.equal(interpolateText(escaped, lookup).value, text);
    }),
  );
});

test('Interpolation of any text ends, with offsets inside it.', () => {
  const unit = fc.constantFrom('${', '}', ':', '-', 'A', 'B', '$', ' ');
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      for (const { offset } of interpolateText(text, lookup).problems) {
        assert.ok(offset >= 0 && offset < text.length);
      }
    }),
  );
});
