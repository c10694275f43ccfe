import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import type { BatchFilter } from '../../../core/sdk/contracts.ts';
import type { DissectFilterOptions } from '../../../plugins/filters/dissect/config.ts';
import { plugin } from '../../../plugins/filters/dissect/index.ts';
import {
  batchOf,
  recordsOf,
  runFilter,
  type TestEvent,
  testContext,
} from '../parsers/parsing_fixture.ts';

const kernel = loadKernel({});

async function filtered(
  options: DissectFilterOptions,
  events: readonly TestEvent[],
  unselected: readonly number[] = [],
): Promise<unknown[]> {
  const results: unknown[][] = [];
  for (const memory of [kernel, undefined]) {
    const batch = batchOf(events, memory);
    for (const index of unselected) batch.select[index] = 0;
    // `dissect` gives a BatchFilter.
    const filter = plugin.create(options, testContext({}, memory)) as BatchFilter;
    await runFilter(filter, batch);
    await filter.close?.();
    results.push(recordsOf(batch));
  }
  assert.deepEqual(results[0], results[1]);
  return results[0]!;
}

interface Case {
  readonly what: string;
  readonly options: DissectFilterOptions;
  readonly event: TestEvent;
  readonly record: unknown;
}

const cases: readonly Case[] = [
  {
    what: 'takes the raw line apart and keeps it',
    options: { pattern: '%{a} %{b}' },
    event: { line: 'one two three' },
    record: { log: 'one two three', a: 'one', b: 'two three' },
  },
  {
    what: 'keeps the other fields, and wins over those of the same name',
    options: { pattern: '%{a}-%{b}', key_name: 'text' },
    event: { record: '{"text":"1-2","b":"old","c":3}' },
    record: { text: '1-2', a: '1', b: '2', c: 3 },
  },
  {
    what: 'takes apart what an earlier pattern found',
    options: { mapping: { log: '%{head} %{rest}', rest: '%{x},%{y}' } },
    event: { line: 'h 1,2' },
    record: { log: 'h 1,2', head: 'h', rest: '1,2', x: '1', y: '2' },
  },
  {
    what: 'reads a nested field',
    options: { mapping: { '[a][b]': '%{x}/%{y}' } },
    event: { record: '{"a":{"b":"1/2"}}' },
    record: { a: { b: '1/2' }, x: '1', y: '2' },
  },
  {
    what: 'sets a nested field beside the others of its parent',
    options: { pattern: '%{[a][x]} %{[a][y][z]} %{b}', key_name: 'log' },
    event: { record: '{"log":"1 2 3","a":{"k":true,"x":"old"}}' },
    record: { log: '1 2 3', a: { k: true, x: '1', y: { z: '2' } }, b: '3' },
  },
  {
    what: 'joins, orders, skips and names fields',
    options: { pattern: '%{+d/2} %{+d/1} %{?k}=%{&k} %{} %{last->} %{end}' },
    event: { line: 'b a key=value skipped padded    end' },
    record: {
      log: 'b a key=value skipped padded    end',
      d: 'a b',
      key: 'value',
      last: 'padded',
      end: 'end',
    },
  },
  {
    what: 'marks a text that does not fit, and changes nothing',
    options: { pattern: '%{a}|%{b}' },
    event: { line: 'no bar here' },
    record: { log: 'no bar here', tags: ['_dissectfailure'] },
  },
  {
    what: 'marks a text that does not fit a nested pattern',
    options: { pattern: '%{[a][b]}|%{c}', tag_on_failure: ['one', 'two'] },
    event: { line: 'no bar here' },
    record: { log: 'no bar here', tags: ['one', 'two'] },
  },
  {
    what: 'leaves a record without the field alone',
    options: { pattern: '%{a}|%{b}', key_name: 'other' },
    event: { record: '{"x":1}' },
    record: { x: 1 },
  },
  {
    what: 'leaves what is no text alone',
    options: { pattern: '%{a}|%{[b][c]}', key_name: 'n' },
    event: { record: '{"n":12}' },
    record: { n: 12 },
  },
  {
    what: 'makes numbers of fields, found or not',
    options: { pattern: '%{i} %{f}', convert_datatype: { i: 'int', f: 'float', old: 'int' } },
    event: { record: '{"log":"007.9 -1.50e2","old":" 12 ","missing":null}' },
    record: { log: '007.9 -1.50e2', i: 7, f: -150, old: 12, missing: null },
  },
  {
    what: 'makes a nested text a number',
    options: { pattern: '%{[a][i]};%{b}', convert_datatype: { '[a][i]': 'int' } },
    event: { line: '-5;x' },
    record: { log: '-5;x', a: { i: -5 }, b: 'x' },
  },
  {
    what: 'marks a text that is no number and keeps it',
    options: { pattern: '%{i} %{f}', convert_datatype: { i: 'int', f: 'float' } },
    event: { line: '12x 1,5' },
    record: {
      log: '12x 1,5',
      i: '12x',
      f: '1,5',
      tags: ['_dataconversionuncoercible_i_int', '_dataconversionuncoercible_f_float'],
    },
  },
];

describe('dissect', () => {
  for (const { what, options, event, record } of cases) {
    it(what, async () => {
      assert.deepEqual(await filtered(options, [event]), [record]);
    });
  }

  it('keeps all digits of a whole number', async () => {
    const batch = batchOf([{ line: '123456789012345678901 x' }]);
    const options: DissectFilterOptions = {
      pattern: '%{i} %{x}',
      convert_datatype: { i: 'int' },
    };
    await runFilter(plugin.create(options, testContext()) as BatchFilter, batch);
    const field = testContext().field('i');
    assert.equal(batch.textAt(0, field), '123456789012345678901');
  });

  it('leaves events alone that it does not concern', async () => {
    for (const pattern of ['%{a} %{b}', '%{[a][x]} %{b}']) {
      const lines = [{ line: '1 2' }, { line: '3 4' }, { line: 'none' }];
      const records = await filtered({ pattern, convert_datatype: { b: 'int' } }, lines, [0, 2]);
      assert.deepEqual([records[0], records[2]], [{ log: '1 2' }, { log: 'none' }]);
    }
  });

  it('says what is wrong with its options', () => {
    const pathsOf = (options: DissectFilterOptions) =>
      plugin.check!(options).map(({ path }) => path.join('.'));
    assert.deepEqual(pathsOf({}), ['']);
    assert.deepEqual(pathsOf({ pattern: 'no field' }), ['pattern']);
    assert.deepEqual(pathsOf({ mapping: { a: '%{x}%{y}', b: '%{x}' } }), ['mapping.a']);
    assert.deepEqual(pathsOf({ key_name: 'a', mapping: { a: '%{x}' } }), ['key_name']);
    assert.deepEqual(pathsOf({ convert_datatype: { 'a[': 'int' } }), ['convert_datatype.a[']);
    assert.deepEqual(pathsOf({ pattern: '%{a} %{b}', key_name: 'x' }), []);
  });

  it('takes any line without throwing, nested or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), async (lines) => {
        const events = lines.map((line) => ({ line }));
        const flat = await filtered({ pattern: '%{a} %{b}' }, events);
        const nested = await filtered({ pattern: '%{[o][a]} %{[o][b]}' }, events);
        lines.forEach((line, i) => {
          const space = line.indexOf(' ');
          const [a, b] = [line.slice(0, space), line.slice(space + 1)];
          const failed = { log: line, tags: ['_dissectfailure'] };
          assert.deepEqual(flat[i], space < 0 ? failed : { log: line, a, b });
          assert.deepEqual(nested[i], space < 0 ? failed : { log: line, o: { a, b } });
        });
      }),
      { numRuns: 30 },
    );
  });
});
