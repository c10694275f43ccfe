import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseDocument } from '../../../core/config/document.ts';
import { type ConfigNode, entryOf, positionInText, toValue } from '../../../core/config/node.ts';

function parse(text: string) {
  const { root, diagnostics } = parseDocument(text, 'f');
  const places = diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);
  return { root, value: root === undefined ? undefined : toValue(root), places };
}

const values: readonly [string, string, unknown][] = [
  [
    'YAML 1.2 scalars',
    'a: on\nb: 0x1F\nc: 1.10\nd: ~\ne: True\nf: 2024-01-01',
    { a: 'on', b: 31, c: 1.1, d: null, e: true, f: '2024-01-01' },
  ],
  ['flow style and comments', '{a: [1, x, "y"]} # c', { a: [1, 'x', 'y'] }],
  ['block text', 'a: |\n  x\n  y\nb: >-\n  x\n  y', { a: 'x\ny\n', b: 'x y' }],
  ['anchors', 'a: &x {k: 1}\nb: *x', { a: { k: 1 }, b: { k: 1 } }],
  ['merge keys', 'a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}', { a: { k: 1, l: 2 }, b: { k: 3, l: 2 } }],
  [
    'a list of merge keys',
    'a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc:\n  <<: [*x, *y]',
    { a: { k: 1 }, b: { k: 2, l: 2 }, c: { k: 1, l: 2 } },
  ],
  ['a quoted << as a plain key', 'a: {"<<": 1}', { a: { '<<': 1 } }],
  ['keys that are no texts', '1: a\ntrue: b', { '1': 'a', true: 'b' }],
  ['a key without a value', 'a:\nb: 1', { a: null, b: 1 }],
  ['a byte order mark', '\uFEFFa: 1', { a: 1 }],
  ['one document with markers', '---\na: 1\n...\n', { a: 1 }],
];

for (const [name, text, value] of values) {
  test(`A file with ${name} is read.`, () => {
    assert.deepEqual(parse(text), { ...parse(text), value, places: [] });
  });
}

test('An empty file and one of comments have no tree and no error.', () => {
  for (const text of ['', '\n', '# nothing\n']) {
    assert.deepEqual(parse(text), { root: undefined, value: undefined, places: [] });
  }
});

const mistakes: readonly [string, string, readonly RegExp[]][] = [
  [
    'a duplicate key',
    'a: 1\nb: 2\na: 3',
    [/^3:1 The key "a" is written twice; the first is at 1:1\.$/],
  ],
  ['a second document', 'a: 1\n---\nb: 2', [/^3:1 The file has a second YAML document/]],
  ['a map as key', '{a: 1}: b', [/^1:1 A key is itself a map or a list/]],
  ['an alias without anchor', 'a: *x', [/^1:4 The alias \*x has no anchor/]],
  ['an alias inside its anchor', 'a: &x\n  b: *x', [/^2:6 The alias \*x stands inside/]],
  ['a merge of a scalar', 'a: {<<: 1}', [/^1:9 A merge key << has no map/]],
  ['an unknown tag', 'a: !foo 1', [/^1:4 Broken YAML: Unresolved tag/]],
  ['a tab as indent', 'a:\n\tb: 1', [/^2:1 Broken YAML: Tabs/]],
  [
    'several syntax errors',
    'a: "\\q"\nb: "\\z"\n',
    [/^\d+:\d+ Broken YAML/, /^\d+:\d+ Broken YAML/],
  ],
];

for (const [name, text, places] of mistakes) {
  test(`A file with ${name} is refused at its place.`, () => {
    const found = parse(text).places;
    for (const [index, place] of places.entries()) assert.match(found[index] ?? '', place);
  });
}

test('Deep nesting, alias bombs and large files are refused, once each.', () => {
  const nest = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  assert.deepEqual(parse(`a: ${nest(63)}`).places, []);
  assert.match(parse(`a: ${nest(70)}`).places.join(), /^1:\d+ The file is nested deeper than 64/);
  assert.match(parse(nest(20_000)).places[0] ?? '', /nested deeper than 64|Broken YAML/);
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i += 1) {
    bomb.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  }
  assert.match(
    parse(bomb.join('\n')).places.join(),
    /^\d+:\d+ The file has more than 100000 values/,
  );
  assert.match(parse(`a: ${'x'.repeat(5 << 20)}`).places.join(), /^0:0 The file is larger/);
});

test('The place of an offset in a text is found in every style that keeps the text.', () => {
  const text = 'a: abc\nb: "abc"\nc: |\n  abc\n  xbc\nd: "a\\tbc"\n';
  const { root } = parse(text);
  const place = (key: string, offset: number) => {
    const node = entryOf(root as ConfigNode, key)?.value;
    assert.ok(node?.kind === 'scalar');
    const { line, column } = positionInText(node, offset);
    return `${line}:${column}`;
  };
  assert.deepEqual([place('a', 1), place('b', 1)], ['1:5', '2:6']);
  assert.deepEqual([place('c', 1), place('c', 5)], ['4:4', '5:4']);
  assert.equal(place('d', 2), '6:4');
});

test('Any text is read or refused, never thrown at.', () => {
  const unit = fc.constantFrom(
    'a',
    ': ',
    '\n',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&x ',
    '*x',
    '"',
    '|',
    '  ',
    '<<',
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      for (const { line, column } of parseDocument(text, 'f').diagnostics) {
        assert.ok(line >= 0 && column >= 0);
      }
    }),
    { numRuns: 500 },
  );
});
