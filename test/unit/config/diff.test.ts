import assert from 'node:assert/strict';
import test from 'node:test';
import { diffConfigs } from '../../../core/config/diff.ts';
import { fingerprintOf } from '../../../core/config/fingerprint.ts';
import { Secret } from '../../../core/config/secret.ts';
import { loadText } from './sample_plugins.ts';

const base = [
  'service: {flush: 1s}',
  'parsers: [{name: p, format: regex, regex: a}]',
  'pipeline:',
  '  inputs: [{name: tail, alias: t, path: a, parser: p}, {name: stdin}]',
  '  filters: [{name: grep, alias: f}, {name: mutate, alias: m}]',
  '  outputs: [{name: es, alias: o, http_passwd: one}]',
  '',
].join('\n');

function diffOf(change: (text: string) => string) {
  const [from, to] = [loadText(base), loadText(change(base))];
  assert.deepEqual([from.places, to.places], [[], []]);
  const diff = diffConfigs(from.config!, to.config!);
  return {
    ...{ service: diff.serviceChanged, reordered: diff.filtersReordered, empty: diff.isEmpty },
    added: diff.added.map(({ id }) => id),
    removed: diff.removed.map(({ id }) => id),
    changed: diff.changed.map(({ to }) => to.id),
    unchanged: diff.unchanged.map(({ id }) => id),
  };
}

const all = ['t', 'stdin.0', 'f', 'm', 'o'];
const nothing = {
  service: false,
  reordered: false,
  empty: false,
  added: [],
  removed: [],
  changed: [],
};
const without = (...ids: string[]) => all.filter((id) => !ids.includes(id));

const changes: readonly [string, (text: string) => string, object][] = [
  [
    'other spellings of the same',
    (text) =>
      `# x\n${text.replace('name: es, alias: o', 'Alias: o, name: ES').replace('1s', '1000ms')}`,
    { empty: true, unchanged: all },
  ],
  [
    'an option',
    (text) => text.replace('path: a', 'path: b'),
    { changed: ['t'], unchanged: without('t') },
  ],
  ['a secret', (text) => text.replace('one', 'two'), { changed: ['o'], unchanged: without('o') }],
  [
    'a parser that is used',
    (text) => text.replace('regex: a', 'regex: b'),
    { changed: ['t'], unchanged: without('t') },
  ],
  [
    'a setting that outputs inherit',
    (text) => text.replace('1s', '2s'),
    { service: true, changed: ['o'], unchanged: without('o') },
  ],
  [
    'a component more',
    (text) => text.replace('[{name: grep', '[{name: date}, {name: grep'),
    { added: ['date.0'], unchanged: all },
  ],
  [
    'a component less',
    (text) => text.replace(', {name: stdin}', ''),
    { removed: ['stdin.0'], unchanged: without('stdin.0') },
  ],
  [
    'the order of filters',
    (text) =>
      text.replace(
        '{name: grep, alias: f}, {name: mutate, alias: m}',
        '{name: mutate, alias: m}, {name: grep, alias: f}',
      ),
    { reordered: true, unchanged: ['t', 'stdin.0', 'm', 'f', 'o'] },
  ],
];

for (const [what, change, expected] of changes) {
  test(`A reload with ${what} touches only what it must.`, () => {
    assert.deepEqual(diffOf(change), { ...nothing, ...expected });
  });
}

test('A fingerprint depends on values, kinds and secrets, not on the order of keys.', () => {
  assert.equal(fingerprintOf({ a: 1, b: [2] }), fingerprintOf({ b: [2], a: 1, c: undefined }));
  const values = [
    1,
    '1',
    [1],
    { a: 1 },
    null,
    true,
    new Secret('1'),
    new Secret('2'),
    Infinity,
    [],
  ];
  assert.equal(new Set(values.map(fingerprintOf)).size, values.length);
});
