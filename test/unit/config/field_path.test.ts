import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  compileFieldPath,
  type FieldPath,
  formatFieldPath,
} from '../../../core/config/field_path.ts';
import { SourceError } from '../../../core/config/source_error.ts';

const references: readonly [string, FieldPath][] = [
  ['name', { keys: ['name'] }],
  ['@timestamp', { keys: ['@timestamp'] }],
  ['user agent', { keys: ['user agent'] }],
  ['a.b', { keys: ['a', 'b'], literal: 'a.b' }],
  ['a..b', { keys: ['a..b'] }],
  ['.a', { keys: ['.a'] }],
  ['$a', { keys: ['a'] }],
  ["$a['b']['c']", { keys: ['a', 'b', 'c'] }],
  ['$a["b.c"]', { keys: ['a', 'b.c'] }],
  ["$a['it\\'s']", { keys: ['a', "it's"] }],
  ['$a[0]', { keys: ['a', '0'] }],
  ["$['x y']", { keys: ['x y'] }],
  ['$a.b', { keys: ['a', 'b'], literal: 'a.b' }],
  ["$a.b['c']", { keys: ['a', 'b', 'c'] }],
  ['[a][b]', { keys: ['a', 'b'] }],
  ['[a.b]', { keys: ['a.b'] }],
  ['[@metadata][x]', { keys: ['@metadata', 'x'] }],
];

for (const [text, path] of references) {
  test(`The reference ${text} leads along ${JSON.stringify(path.keys)}.`, () => {
    assert.deepEqual(compileFieldPath(text), path);
  });
}

const mistakes: readonly [string, number, RegExp][] = [
  ['', 1, /no name/],
  ['$', 1, /no name/],
  ['a[b]', 2, /inside a plain name/],
  ['[a', 1, /\[ without its \]/],
  ['[]', 2, /empty \[\]/],
  ['[a]b', 4, /after its end/],
  ['$a[b]', 4, /key without quotes/],
  ["$a['b", 4, /not closed/],
  ["$a['b'", 3, /\[ without its \]/],
  ['$a b', 3, /after its end/],
  ['a\nb', 2, /inside a plain name/],
  ['[k]'.repeat(33), 1, /deeper than 32/],
  ['x'.repeat(1025), 1025, /longer than 1024/],
];

for (const [text, column, message] of mistakes) {
  test(`The reference ${JSON.stringify(text.slice(0, 20))} is refused at column ${column}.`, () => {
    assert.throws(
      () => compileFieldPath(text),
      (error) =>
        error instanceof SourceError && error.column === column && message.test(error.message),
    );
  });
}

test('Every path is written so that it reads back the same.', () => {
  const path = fc.array(fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('a.b', '[', "'")), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(path, (keys) => {
      assert.deepEqual(compileFieldPath(formatFieldPath({ keys })), { keys });
    }),
  );
  for (const [text] of references) {
    const compiled = compileFieldPath(text);
    assert.deepEqual(compileFieldPath(formatFieldPath(compiled)), compiled);
  }
});

test('Any text either compiles or is refused with a column.', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '.', '[', ']', '$', "'", '0', '\\') }),
      (text) => {
        try {
          compileFieldPath(text);
        } catch (error) {
          assert.ok(error instanceof SourceError && error.column >= 1);
        }
      },
    ),
  );
});
