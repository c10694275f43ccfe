import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import type { BatchFilter, Parser } from '../../../core/sdk/contracts.ts';
import { plugin } from '../../../plugins/filters/parser/index.ts';
import {
  batchOf,
  makeParser,
  recordsOf,
  runFilter,
  type TestContext,
  testContext,
  type TestEvent,
  timesOf,
} from '../parsers/parsing_fixture.ts';

const kernel = loadKernel({});

function makeFilter(
  options: Record<string, unknown>,
  parsers: Record<string, Parser> = {},
  context: TestContext = testContext(parsers, kernel),
): BatchFilter {
  // `parser` gives a BatchFilter; the options are those of the test.
  return plugin.create(options as never, context) as BatchFilter;
}

async function filtered(
  options: Record<string, unknown>,
  events: readonly TestEvent[],
  parsers: Record<string, Parser> = {},
): Promise<unknown[]> {
  const results: unknown[][] = [];
  for (const memory of [kernel, undefined]) {
    const batch = batchOf(events, memory);
    const filter = makeFilter(options, parsers, testContext(parsers, memory));
    await runFilter(filter, batch);
    await filter.close?.();
    results.push(recordsOf(batch));
  }
  assert.deepEqual(results[0], results[1]);
  return results[0]!;
}

interface Case {
  readonly what: string;
  readonly options: Record<string, unknown>;
  readonly parsers?: Record<string, Parser>;
  readonly events: readonly TestEvent[];
  readonly records: readonly unknown[];
}

const object = '{"a":1,"b":"x"}';
const pair = makeParser('regex', { regex: '^(?<k>[^=]+)=(?<v>\\w*)$', types: ['v:integer'] });

const cases: readonly Case[] = [
  {
    what: 'makes JSON lines the records',
    options: { parser: ['json'] },
    events: [{ line: object }, { line: ' {"c":{"d":[]}} ' }],
    records: [{ a: 1, b: 'x' }, { c: { d: [] } }],
  },
  {
    what: 'finds the raw line under message, and under a key of its own',
    options: { parser: ['json'] },
    events: [{ line: object, key: 'message' }],
    records: [{ a: 1, b: 'x' }],
  },
  {
    what: 'finds the only field',
    options: { parser: ['json'] },
    events: [{ line: object, key: 'text' }],
    records: [{ a: 1, b: 'x' }],
  },
  {
    what: 'prefers log to message',
    options: { parser: ['json'], reserve_data: true },
    events: [{ line: '{"m":1}', key: 'message', record: '{"log":"{\\"l\\":1}"}' }],
    records: [{ message: '{"m":1}', l: 1 }],
  },
  {
    what: 'parses a field of a record, and removes the others',
    options: { parser: ['json'], key_name: 'log' },
    events: [{ record: '{"log":"{\\"a\\":1}\\n","stream":"stdout"}' }],
    records: [{ a: 1 }],
  },
  {
    what: 'parses a nested field',
    options: { parser: ['logfmt'], key_name: "$a['b']", reserve_data: true },
    events: [{ record: '{"a":{"b":"x=1","c":2}}' }],
    records: [{ a: { c: 2 }, x: '1' }],
  },
  {
    what: 'keeps the other fields with reserve_data',
    options: { parser: ['json'], key_name: 'log', reserve_data: true },
    events: [
      { record: '{"log":"{\\"a\\":1,\\"stream\\":\\"mine\\"}","stream":"stdout","t":5}' },
      { line: '{"a":2}', record: '{"t":6}' },
      { record: '{"log":"{}","t":7}' },
    ],
    records: [{ t: 5, a: 1, stream: 'mine' }, { t: 6, a: 2 }, { t: 7 }],
  },
  {
    what: 'keeps the parsed field with preserve_key',
    options: { parser: ['json'], key_name: 'log', preserve_key: true },
    events: [{ record: '{"log":"{\\"a\\":1}","t":5}' }, { line: '{"a":2}' }],
    records: [
      { a: 1, log: '{"a":1}' },
      { a: 2, log: '{"a":2}' },
    ],
  },
  {
    what: 'keeps everything with both',
    options: { parser: ['json'], key_name: 'log', preserve_key: true, reserve_data: true },
    events: [{ record: '{"log":"{\\"a\\":1}","t":5}' }],
    records: [{ log: '{"a":1}', t: 5, a: 1 }],
  },
  {
    what: 'lets a parsed field of the same name win',
    options: { parser: ['json'], key_name: 'log', reserve_data: true },
    events: [{ record: '{"log":"{\\"log\\":\\"inner\\"}","t":5}' }, { line: '{"log":"inner"}' }],
    records: [{ t: 5, log: 'inner' }, { log: 'inner' }],
  },
  {
    what: 'sets the fields of other parsers',
    options: { parser: ['pair'] },
    parsers: { pair },
    events: [{ line: 'a=12' }, { line: 'ä=1', key: 'log' }, { line: 'b=' }],
    records: [{ k: 'a', v: 12 }, { k: 'ä', v: 1 }, { k: 'b' }],
  },
  {
    what: 'sets them beside others, which they hide',
    options: { parser: ['pair'], key_name: 'log', reserve_data: true },
    parsers: { pair },
    events: [{ record: '{"log":"a=1","k":"old","z":true}' }],
    records: [{ k: 'a', z: true, v: 1 }],
  },
  {
    what: 'keeps the text beside them',
    options: { parser: ['pair'], preserve_key: true },
    parsers: { pair },
    events: [{ line: 'a=1' }, { record: '{"log":"b=2","z":1}' }],
    records: [
      { log: 'a=1', k: 'a', v: 1 },
      { log: 'b=2', k: 'b', v: 2 },
    ],
  },
  {
    what: 'tries parsers in order',
    options: { parser: ['json', 'pair', 'logfmt'] },
    parsers: { pair },
    events: [{ line: object }, { line: 'a=1' }, { line: 'a=1 b=2' }],
    records: [
      { a: 1, b: 'x' },
      { k: 'a', v: 1 },
      { a: '1', b: '2' },
    ],
  },
  {
    what: 'leaves and marks what no parser takes',
    options: { parser: ['json'] },
    events: [{ line: 'no json' }, { line: '[1]' }, { line: object }, { line: '{"a":1' }],
    records: [
      { log: 'no json', tags: ['_parserfailure'] },
      { log: '[1]', tags: ['_parserfailure'] },
      { a: 1, b: 'x' },
      { log: '{"a":1', tags: ['_parserfailure'] },
    ],
  },
  {
    what: 'marks as told',
    options: { parser: ['json'], tag_on_failure: [] },
    events: [{ line: 'no json' }],
    records: [{ log: 'no json' }],
  },
  {
    what: 'leaves records without the field, or with no text in it',
    options: { parser: ['json'], key_name: 'x' },
    events: [{ line: object }, { record: '{"x":{"a":1}}' }, { record: '{"x":5}' }],
    records: [{ log: object }, { x: { a: 1 } }, { x: 5 }],
  },
  {
    what: 'writes fields of open keys past the most columns',
    options: { parser: ['logfmt'] },
    events: [{ line: Array.from({ length: 100 }, (_, i) => `k${i}=${i}`).join(' ') }],
    records: [Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, String(i)]))],
  },
  {
    what: 'refuses JSON nested 10,000 deep and leaves its neighbours',
    options: { parser: ['json'] },
    events: [
      { line: object },
      { line: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}` },
      { line: object },
    ],
    records: [
      { a: 1, b: 'x' },
      { log: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, tags: ['_parserfailure'] },
      { a: 1, b: 'x' },
    ],
  },
];

describe('the parser filter', () => {
  for (const { what, options, parsers, events, records } of cases) {
    it(what, async () => {
      assert.deepEqual(await filtered(options, events, parsers), records);
    });
  }

  it('leaves events that are not selected', async () => {
    const batch = batchOf([{ line: object }, { line: object }], kernel);
    batch.select[0] = 0;
    await runFilter(makeFilter({ parser: ['json'] }), batch);
    assert.deepEqual(recordsOf(batch), [{ log: object }, { a: 1, b: 'x' }]);
    assert.deepEqual([...batch.select.subarray(0, 2)], [0, 1]);
  });

  it('counts what no parser takes', async () => {
    const context = testContext({}, kernel);
    const batch = batchOf([{ line: 'x' }, { line: object }, { line: 'y' }], kernel);
    await runFilter(makeFilter({ parser: ['json'] }, {}, context), batch);
    assert.equal(context.counters.get('sluice_parse_failures_total')!.value, 2);
  });

  it('takes the time of JSON lines to the nanosecond and removes its field', async () => {
    const app = makeParser('json', { time_key: 'ts', time_format: 'ISO8601' });
    const events = [
      { line: '{"ts":"2024-03-09T10:00:00.123456789Z","a":1}' },
      { line: '{"a":2,"ts":"2024-03-09T10:00:01\\u005a"}' },
      { line: '{"a":3}' },
      { line: '{"a":4,"t\\u0073":"2024-03-09T10:00:03Z"}' },
    ];
    for (const memory of [kernel, undefined]) {
      const batch = batchOf(events, memory);
      await runFilter(makeFilter({ parser: ['app'] }, {}, testContext({ app }, memory)), batch);
      assert.deepEqual(recordsOf(batch), [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }]);
      assert.deepEqual(timesOf(batch), [
        '2024-03-09T10:00:00.123456789Z',
        '2024-03-09T10:00:01.000000000Z',
        '1970-01-01T00:00:00.000000000Z',
        '2024-03-09T10:00:03.000000000Z',
      ]);
    }
  });

  it('takes the time of other parsers, and keeps its field when told so', async () => {
    const gone = makeParser('logfmt', { time_key: 'ts', time_format: '%s' });
    const kept = makeParser('logfmt', { time_key: 'ts', time_format: '%s', time_keep: true });
    for (const [parser, record] of [
      [gone, { a: '1' }],
      [kept, { ts: '1700000000', a: '1' }],
    ] as const) {
      const batch = batchOf([{ line: 'ts=1700000000 a=1' }], kernel);
      await runFilter(makeFilter({ parser: ['p'] }, { p: parser }), batch);
      assert.deepEqual(recordsOf(batch), [record]);
      assert.deepEqual(timesOf(batch), ['2023-11-14T22:13:20.000000000Z']);
    }
  });

  it('keeps the time of arrival and says so when the time is unreadable', async () => {
    const app = makeParser('json', { time_key: 'ts' });
    const text = makeParser('logfmt', { time_key: 'ts' });
    const batch = batchOf([{ line: '{"ts":"soon"}' }, { line: 'ts=soon' }], kernel);
    const context = testContext({ app, text }, kernel);
    batch.seconds[0] = 100;
    await runFilter(makeFilter({ parser: ['app', 'text'] }, {}, context), batch);
    const record = { ts: 'soon', tags: ['_dateparsefailure'] };
    assert.deepEqual(recordsOf(batch), [record, record]);
    assert.equal(batch.seconds[0], 100);
    assert.equal(context.counters.get('sluice_date_failures_total')!.value, 2);
  });

  it('keeps numbers past 2^53 as they were written', async () => {
    const batch = batchOf([{ line: '{"id":12345678901234567890}' }], kernel);
    await runFilter(makeFilter({ parser: ['json'] }), batch);
    assert.equal(batch.textAt(0, testContext().field('id')), '12345678901234567890');
  });

  it('drops the header lines of CSV as filtered', async () => {
    const csv = makeParser('csv', { autodetect_column_names: true });
    const batch = batchOf([{ line: 'id,name' }, { line: '1,x' }], kernel);
    await runFilter(makeFilter({ parser: ['csv'] }, { csv }), batch);
    assert.deepEqual(recordsOf(batch), [{ id: '1', name: 'x' }]);
  });

  it('parses values that did not fit into the scratch space', async () => {
    const events = [{ record: '{}' }];
    const batch = batchOf(events, kernel);
    const long = 'x'.repeat(600_000);
    batch.setValue(0, testContext().field('log'), JSON.stringify({ long }));
    await runFilter(makeFilter({ parser: ['json'] }), batch);
    assert.deepEqual(recordsOf(batch), [{ long }]);
  });

  it('stops at a runaway text, tries the next parser and costs the neighbours nothing', async () => {
    const runaway = makeParser('regex', { regex: '^(?<a>(?:\\w+\\s?)+)$' });
    const any = makeParser('regex', { regex: '^(?<any>a+)!$' });
    const events = Array.from({ length: 300 }, (_, i) => ({
      line: i % 100 === 50 ? `${'a'.repeat(40)}!` : `line ${i}`,
    }));
    const batch = batchOf(events, kernel);
    await runFilter(makeFilter({ parser: ['runaway', 'any'] }, { runaway, any }), batch);
    const expected = events.map(({ line }) =>
      line.endsWith('!') ? { any: 'a'.repeat(40) } : { a: line },
    );
    assert.deepEqual(recordsOf(batch), expected);
  });

  it('writes invalid UTF-8 as replacement characters', async () => {
    const batch = batchOf([{ line: Buffer.from('a\xff=1', 'latin1') }], kernel);
    await runFilter(makeFilter({ parser: ['pair'] }, { pair }), batch);
    assert.deepEqual(
      [...Buffer.from(batch.textAt(0, testContext().field('k'))!)],
      [97, 239, 191, 189],
    );
    const column = batch.findColumn(testContext().field('k'))!;
    assert.equal(column.end[0]! - column.start[0]!, 4);
  });

  it('refuses a parser that is not there', () => {
    assert.throws(() => makeFilter({ parser: ['absent'] }), { code: 'SLUICE_OPTION_INVALID' });
  });
});
