import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import type { Options } from '../../../plugins/filters/mutate/config.ts';
import { convertValue } from '../../../plugins/filters/mutate/convert_value.ts';
import { plugin } from '../../../plugins/filters/mutate/index.ts';
import { batchOf, filterEvents, RawLine, runFilter, testContext } from './value_filter_harness.ts';
import type { BatchFilter } from '../../../core/sdk/contracts.ts';

type Event = Record<string, unknown>;

const cases: readonly [string, Options, Event, Event][] = [
  ['rename moves a value', { rename: { a: 'b' } }, { a: 1, c: 2 }, { b: 1, c: 2 }],
  ['rename replaces the target', { rename: { a: 'b' } }, { a: 1, b: 2 }, { b: 1 }],
  ['rename of a missing field does nothing', { rename: { x: 'b' } }, { b: 2 }, { b: 2 }],
  ['rename goes in order', { rename: { a: 'b', b: 'c' } }, { a: 1 }, { c: 1 }],
  [
    'rename swaps by way of a third',
    { rename: { a: 't', b: 'a', t: 'b' } },
    { a: 1, b: 2 },
    { a: 2, b: 1 },
  ],
  ['rename to itself keeps the value', { rename: { a: 'a' } }, { a: 1 }, { a: 1 }],
  [
    'rename out of an object',
    { rename: { '[a][b]': 'c' } },
    { a: { b: 1, d: 2 } },
    { a: { d: 2 }, c: 1 },
  ],
  ['rename into an object', { rename: { a: '[x][y]' } }, { a: 'v' }, { x: { y: 'v' } }],
  ['rename into itself nests', { rename: { a: '[a][b]' } }, { a: 'v' }, { a: { b: 'v' } }],
  ['rename of a flat key with a dot', { rename: { 'a.b': 'c' } }, { 'a.b': 1 }, { c: 1 }],
  [
    'copy keeps the source',
    { copy: { a: 'b' } },
    { a: [1, { x: 2 }] },
    { a: [1, { x: 2 }], b: [1, { x: 2 }] },
  ],
  ['copy then remove keeps the copy', { copy: { a: 'b' }, remove: ['a'] }, { a: 'é' }, { b: 'é' }],
  [
    'set writes constants of any type',
    { set: { a: 'x', b: 1, c: [1, 'y'], d: null } },
    { a: 0 },
    { a: 'x', b: 1, c: [1, 'y'], d: null },
  ],
  [
    'set reaches into objects',
    { set: { '[a][b]': 'x' } },
    { a: { c: 1 } },
    { a: { c: 1, b: 'x' } },
  ],
  [
    'set renders fields',
    { set: { r: '%{m} $1 %{[a][b]} %{no}' } },
    { m: 'GET', a: { b: 7 } },
    { m: 'GET', a: { b: 7 }, r: 'GET $1 7 %{no}' },
  ],
  [
    'set renders fields inside lists and objects',
    { set: { r: ['%{m}', { k: ['%{n} "%{q}"', 1], '%{m}': null }, 'x'], s: { a: ['x', 2] } } },
    { m: 'GET', n: 7, q: 'a"b' },
    {
      m: 'GET',
      n: 7,
      q: 'a"b',
      r: ['GET', { k: ['7 "a"b"', 1], '%{m}': null }, 'x'],
      s: { a: ['x', 2] },
    },
  ],
  ['set renders dates', { set: { d: '%{+YYYY.MM.dd}' } }, {}, { d: '2023.11.14' }],
  [
    'set renders arrays and objects',
    { set: { d: '%{a}|%{o}' } },
    { a: [1, 'x'], o: { k: 1 } },
    { a: [1, 'x'], o: { k: 1 }, d: '1,x|{"k":1}' },
  ],
  ['update only what is there', { update: { a: 'x', b: 'y' } }, { a: 1 }, { a: 'x' }],
  [
    'replace comes before convert',
    { replace: { a: '12' }, convert: { a: 'integer' } },
    {},
    { a: 12 },
  ],
  [
    'coerce only null',
    { coerce: { a: 'x', b: 'y', c: 'z' } },
    { a: null, b: 'null' },
    { a: 'x', b: 'null' },
  ],
  [
    'remove takes nested and top-level fields',
    { remove: ['a', '[b][c]', 'x'] },
    { a: 1, b: { c: 1, d: 2 } },
    { b: { d: 2 } },
  ],
  [
    'case changes reach arrays',
    { uppercase: ['a'], lowercase: ['b'], capitalize: ['c'] },
    { a: ['x', 1, 'ß'], b: 'ÄB', c: 'hELLO wORLD' },
    { a: ['X', 1, 'SS'], b: 'äb', c: 'Hello world' },
  ],
  [
    'case changes leave other types',
    { uppercase: ['a', 'b', 'x'] },
    { a: 1, b: { k: 'v' } },
    { a: 1, b: { k: 'v' } },
  ],
  [
    'strip takes white space at the ends',
    { strip: ['a', 'b'] },
    { a: ' \t x y\r\n', b: '  ' },
    { a: 'x y', b: '' },
  ],
  [
    'split as Ruby',
    { split: { a: ',', b: ' ', c: ',' } },
    { a: 'x,,y,,', b: ' p  q ', c: 5 },
    { a: ['x', '', 'y'], b: ['p', 'q'], c: 5 },
  ],
  [
    'join',
    { join: { a: '-', b: ',' } },
    { a: [1, 'x', [2, null], { k: 1 }], b: 'no' },
    { a: '1-x-2--{"k":1}', b: 'no' },
  ],
  [
    'merge arrays and values',
    { merge: { a: ['b', 'c', 'no'] } },
    { a: 'x', b: [1], c: 2 },
    { a: ['x', 1, 2], b: [1], c: 2 },
  ],
  [
    'merge objects',
    { merge: { a: ['b'] } },
    { a: { x: 1, y: 1 }, b: { y: 2, z: 3 } },
    { a: { x: 1, y: 2, z: 3 }, b: { y: 2, z: 3 } },
  ],
  [
    'merge of unlike values is marked',
    { merge: { a: ['b'] } },
    { a: [1], b: { y: 2 } },
    { a: [1], b: { y: 2 }, tags: ['_mutate_error'] },
  ],
  [
    'merge into nothing',
    { merge: { a: ['b', 'c'] } },
    { b: 1, c: [2] },
    { a: [1, 2], b: 1, c: [2] },
  ],
  ['gsub replaces every match', { gsub: ['a', '[/?]', '_'] }, { a: '/x/y?z' }, { a: '_x_y_z' }],
  [
    'gsub takes lists of three',
    {
      gsub: [
        ['a', 'x', 'y'],
        ['b', 'y', 'z'],
      ],
    },
    { a: 'x', b: 'y' },
    { a: 'y', b: 'z' },
  ],
  [
    'gsub knows groups',
    {
      gsub: [{ field: 'a', pattern: '(?<k>\\w+)=(?<v>\\d+)', replacement: '\\k<v>:\\1 \\0 \\\\' }],
    },
    { a: 'n=5' },
    { a: '5:n n=5 \\' },
  ],
  [
    'gsub renders fields',
    { gsub: ['a', 'x', '<%{b}>'] },
    { a: 'xx', b: 'y' },
    { a: '<y><y>', b: 'y' },
  ],
  ['gsub reaches arrays', { gsub: ['a', 'x', ''] }, { a: ['axb', 5] }, { a: ['ab', 5] }],
  ['gsub leaves other types', { gsub: ['a', '1', '2'] }, { a: 11 }, { a: 11 }],
  [
    'add_tag adds once',
    { add_tag: ['x', 'y_%{a}', 'x'] },
    { a: 1, tags: ['x'] },
    { a: 1, tags: ['x', 'y_1'] },
  ],
  ['add_tag makes the array', { add_tag: ['x', 'x', 'z'] }, {}, { tags: ['x', 'z'] }],
  ['remove_tag', { add_tag: ['x', 'y'], remove_tag: ['x', 'no'] }, {}, { tags: ['y'] }],
  [
    'logstash order',
    { rename: { a: 'b' }, set: { a: 'new' }, copy: { b: 'c' } },
    { a: 1 },
    { a: 'new', b: 1, c: 1 },
  ],
  ['array elements by index', { uppercase: ['[a][1]'] }, { a: ['x', 'y'] }, { a: ['x', 'Y'] }],
];

for (const [name, options, event, expected] of cases) {
  test(`mutate: ${name}`, async () => {
    const { events } = await filterEvents(plugin, options, [event]);
    assert.deepEqual(events, [expected]);
  });
}

const conversions: readonly [string, unknown, unknown][] = [
  ['integer', '12', 12],
  ['integer', ' -1,234.9 ms', -1234],
  ['integer', 'abc', 0],
  ['integer', '', 0],
  ['integer', '007', 7],
  ['integer', 1.99, 1],
  ['integer', -0.5, 0],
  ['integer', 1e21, 1e21],
  ['integer', true, 1],
  ['integer', null, null],
  ['integer', { a: 1 }, { a: 1 }],
  ['integer', ['1', 'x', 2.5, [true]], [1, 0, 2, [1]]],
  ['integer_eu', '1.234,9', 1234],
  ['float', '1,234.5x', 1234.5],
  ['float', '.5', 0.5],
  ['float', '1e3', 1000],
  ['float', 'x', 0],
  ['float', '1e999', '1e999'],
  ['float', false, 0],
  ['float_eu', '1.234,5', 1234.5],
  ['string', 5, '5'],
  ['string', true, 'true'],
  ['string', [1, 'a', null], ['1', 'a', null]],
  ['boolean', 'YES', true],
  ['boolean', '0.0', false],
  ['boolean', '', false],
  ['boolean', 1, true],
  ['boolean', 'perhaps', 'perhaps'],
  ['boolean', false, false],
];

for (const [type, value, expected] of conversions) {
  test(`convert to ${type}: ${JSON.stringify(value)} becomes ${JSON.stringify(expected)}`, async () => {
    const { events } = await filterEvents(plugin, { convert: { a: type } } as Options, [
      { a: value },
    ]);
    assert.deepEqual(events, [{ a: expected }]);
  });
}

test('convert keeps digits that a double cannot hold', async () => {
  const event = '{"a":12345678901234567890,"b":"12345678901234567890","c":1.10,"d":7}';
  const options: Options = { convert: { a: 'string', b: 'integer', c: 'string', d: 'float' } };
  const { json } = await filterEvents(plugin, options, [event]);
  assert.equal(json[0], '{"a":"12345678901234567890","b":12345678901234567890,"c":"1.10","d":7.0}');
});

test('whatever is converted stays JSON', () => {
  const types = ['integer', 'integer_eu', 'float', 'float_eu', 'string', 'boolean'] as const;
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), fc.constantFrom(...types), (text, value, type) => {
      const fromText = convertValue(text, true, type);
      if (fromText !== undefined) JSON.parse(fromText);
      if (typeof value === 'string') return;
      const converted = convertValue(JSON.stringify(value), false, type);
      if (converted !== undefined) JSON.parse(converted);
    }),
  );
});

test('only selected events change, and a constant is stored once', async () => {
  const batch = batchOf([{ a: 1 }, { a: 2 }, { a: 3 }]);
  batch.select[1] = 0;
  const filter = plugin.create({ set: { env: 'production' } }, testContext()) as BatchFilter;
  const { events } = await runFilter(filter, batch);
  assert.deepEqual(events, [{ a: 1, env: 'production' }, { a: 2 }, { a: 3, env: 'production' }]);
  const column = batch.columns.find((one) => one.field.name === 'env')!;
  assert.equal(column.start[0], column.start[2]);
});

test('raw lines and roots may stand in one batch', async () => {
  const events = [new RawLine('hello'), { log: 'x\ty' }, '{"l\\u006fg":"z"}'];
  const outcome = await filterEvents(
    plugin,
    { rename: { log: 'message' }, uppercase: ['message'] },
    events,
  );
  const expected = [{ message: 'HELLO' }, { message: 'X\tY' }, { message: 'Z' }];
  assert.deepEqual(outcome.events, expected);
});

test('a runaway gsub marks its event and leaves the neighbours', async () => {
  const context = testContext();
  const options: Options = { gsub: ['a', '^(\\w+\\s?)+$', 'y'] };
  const events = [{ a: 'ok fine' }, { a: `${'a'.repeat(60)}!` }, { a: 'good' }];
  const outcome = await filterEvents(plugin, options, events, context);
  const [first, second, third] = outcome.events;
  assert.deepEqual([first, third], [{ a: 'y' }, { a: 'y' }]);
  assert.equal(second?.['a'], events[1]!.a);
  if (second?.['tags'] !== undefined) {
    assert.deepEqual(second['tags'], ['_mutate_error']);
    assert.equal(context.counters.get('sluice_mutate_failures_total')?.value, 1);
  }
});

test('more fields than columns are edited all the same', async () => {
  const rename = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`a${i}`, `b${i}`]));
  const event = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`a${i}`, i]));
  const expected = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`b${i}`, i]));
  const { events } = await filterEvents(plugin, { rename }, [event, event]);
  assert.deepEqual(events, [expected, expected]);
});

test('the kernel and JavaScript give the same', async (t) => {
  const kernel = loadKernel();
  if (kernel === undefined) return t.skip('the kernel cannot run here');
  const key = fc.constantFrom('a', 'b', 'c', 'level', 'é', 'tags');
  const record = fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }));
  const fields = fc.uniqueArray(key, { maxLength: 3 });
  const maps = fc.dictionary(key, key, { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 8 }),
      maps,
      fields,
      fields,
      async (records, rename, remove, uppercase) => {
        const options: Options = { rename, remove, uppercase, add_tag: ['t'], set: { c: 'x' } };
        const plain = await filterEvents(plugin, options, records);
        const fast = await filterEvents(plugin, options, records, testContext({ kernel }));
        assert.deepEqual(fast.json, plain.json);
      },
    ),
    { numRuns: 60 },
  );
});

test('wrong options are found before anything starts', () => {
  const problems = plugin.check!({
    rename: { '[a': 'b' },
    set: { a: '%{' },
    gsub: ['a', '(', 'x', 'b'],
  });
  assert.deepEqual(
    problems.map((problem) => problem.path[0]),
    ['rename', 'set', 'gsub', 'gsub'],
  );
});
