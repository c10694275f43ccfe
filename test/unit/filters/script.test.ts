import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { plugin } from '../../../plugins/filters/script/index.ts';
import { filterEvents, RawLine, testContext, type TestEvent } from './value_filter_harness.ts';

type Event = Record<string, unknown>;

const cases: readonly [string, string, TestEvent, Event | undefined][] = [
  [
    'an expression edits fields',
    `(event) => { event.set('b', event.get('a') + 1); }`,
    { a: 1 },
    { a: 1, b: 2 },
  ],
  [
    'a function expression, with a semicolon',
    `function (event, tag) { event.set('t', tag + event.tag) };`,
    {},
    { t: 'appapp' },
  ],
  [
    'a declared filter',
    `const n = 2;\nfunction filter(event) { event.set('n', n); }`,
    {},
    { n: 2 },
  ],
  [
    'a default export',
    `const n = 3;\nexport default (event) => { event.set('n', n); }`,
    {},
    { n: 3 },
  ],
  [
    'an exported function named filter',
    `export function filter(event) { event.rename('a', '[x][y]'); }`,
    { a: 1 },
    { x: { y: 1 } },
  ],
  ['null drops', `() => null`, { a: 1 }, undefined],
  ['false drops', `() => false`, { a: 1 }, undefined],
  ['an empty array drops', `() => []`, { a: 1 }, undefined],
  ['drop drops', `(event) => event.drop()`, { a: 1 }, undefined],
  ['true keeps', `() => true`, { a: 1 }, { a: 1 }],
  [
    'the event itself keeps',
    `(event) => { event.remove('a'); return event; }`,
    { a: 1, b: 2 },
    { b: 2 },
  ],
  [
    'an object replaces',
    `(event) => ({ ...event.toObject(), z: [1] })`,
    { a: 1 },
    { a: 1, z: [1] },
  ],
  [
    'replace replaces',
    `(event) => event.replace({ q: event.timeMs })`,
    { a: 1 },
    { q: 1_700_000_000_000 },
  ],
  [
    'a raw line is a field',
    `(event) => event.set('n', event.get('log').length)`,
    new RawLine('four'),
    { log: 'four', n: 4 },
  ],
  [
    'what throws leaves the record as it was',
    `(event) => { event.set('b', 1); event.remove('a'); throw new Error('no'); }`,
    { a: 1 },
    { a: 1, tags: ['_scriptfailure'] },
  ],
  ['a promise is refused', `() => Promise.resolve()`, { a: 1 }, { a: 1, tags: ['_scriptfailure'] }],
  ['a number is refused', `() => 5`, { a: 1 }, { a: 1, tags: ['_scriptfailure'] }],
  [
    'an array cannot replace',
    `(event) => event.replace([1])`,
    { a: 1 },
    { a: 1, tags: ['_scriptfailure'] },
  ],
  [
    'what JSON cannot say is refused',
    `(event) => event.set('b', 1n)`,
    { a: 1 },
    { a: 1, tags: ['_scriptfailure'] },
  ],
  [
    'a circle is refused',
    `() => { const o = {}; o.o = o; return o; }`,
    { a: 1 },
    { a: 1, tags: ['_scriptfailure'] },
  ],
  [
    'there is no process',
    `(event) => event.set('t', typeof process + typeof require + typeof setTimeout)`,
    {},
    { t: 'undefinedundefinedundefined' },
  ],
];

for (const [name, code, event, expected] of cases) {
  test(`script: ${name}`, async () => {
    const { events } = await filterEvents(plugin, { code }, [event]);
    assert.deepEqual(events, [expected]);
  });
}

test('an array makes several records, each with an id of its own', async () => {
  const code = `(event) => event.get('l')?.map((x) => ({ x }))`;
  const outcome = await filterEvents(plugin, { code }, [{ l: [1, 2] }, { a: 1 }]);
  assert.deepEqual(outcome.dropped, [4, 0]);
  assert.deepEqual(outcome.derived, [
    { event: { x: 1 }, tag: 'app', part: 1, offset: 0, to: 'next' },
    { event: { x: 2 }, tag: 'app', part: 2, offset: 0, to: 'next' },
  ]);
});

test('an endless loop marks its record, undoes its edits and spares the neighbours', async () => {
  const context = testContext();
  const code = `(event) => { event.set('[n][m]', 1); event.set('b', 1); while (event.get('a') === 2); }`;
  const events = [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 2 }];
  const outcome = await filterEvents(plugin, { code, timeout_millis: 5 }, events, context);
  assert.deepEqual(outcome.events, [
    { a: 1, b: 1, n: { m: 1 } },
    { a: 2, tags: ['_scripttimeout'] },
    { a: 3, b: 1, n: { m: 1 } },
    { a: 2, tags: ['_scripttimeout'] },
  ]);
  assert.equal(context.counters.get('sluice_script_timeouts_total')?.value, 2);
});

test('a batch that is slow as a whole has every event edited once', async () => {
  const code = `(event) => { for (let i = 0; i < 2e5; i++); event.set('n', (event.get('n') ?? 0) + 1); }`;
  const events = Array.from({ length: 200 }, (_, a) => ({ a }));
  const outcome = await filterEvents(plugin, { code, timeout_millis: 20 }, events);
  for (const [a, event] of outcome.events.entries()) {
    if (event?.['tags'] === undefined) assert.deepEqual(event, { a, n: 1 });
    else assert.deepEqual(event, { a, tags: ['_scripttimeout'] });
  }
});

test('a file beside the pipeline is read when the filter opens', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-script-'));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'x.mjs'), `export const mark = (event) => event.addMark('m');\n`);
  const context = testContext({ baseDirectory: directory });
  const { events } = await filterEvents(plugin, { file: './x.mjs', call: 'mark' }, [{}], context);
  assert.deepEqual(events, [{ tags: ['m'] }]);
});

for (const [options, message] of [
  [{ file: 'no.mjs' }, /cannot be read/],
  [{ code: 'export const other = 1' }, /has no function/],
  [{ code: '() => null', call: 'other' }, /has no function other/],
  [{ code: 'async () => null' }, /asynchronous/],
  [{ code: 'function* filter() {}' }, /generator/],
  [{ code: 'missing()' }, /failed when it was loaded/],
  [{ code: 'for (;;);' }, /failed when it was loaded/],
] as const) {
  test(`${JSON.stringify(options)} cannot be opened`, async () => {
    await assert.rejects(filterEvents(plugin, options, []), {
      code: 'SLUICE_OPTION_INVALID',
      message,
    });
  });
}

test('wrong options are found before anything runs', () => {
  assert.match(plugin.check!({})[0]!.message, /code, or file/);
  assert.match(plugin.check!({ code: '1', file: 'x' })[0]!.message, /either/);
  assert.match(
    plugin.check!({ code: 'const a = 1;\nlet = = 3' })[0]!.message,
    /does not compile.*line 2/s,
  );
  assert.match(plugin.check!({ code: `import fs from 'node:fs'` })[0]!.message, /does not compile/);
});
