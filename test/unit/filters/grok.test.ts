import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import type { BatchFilter, PluginContext } from '../../../core/sdk/contracts.ts';
import type { Options } from '../../../plugins/filters/grok/config.ts';
import { plugin } from '../../../plugins/filters/grok/index.ts';
import { compileGrok, grokLine, setCapture } from '../../../plugins/shared/grok/grok.ts';
import {
  batchOf,
  recordsOf,
  runFilter,
  testContext,
  type TestContext,
  type TestEvent,
} from '../parsers/parsing_fixture.ts';

const kernel = loadKernel({});

interface Outcome {
  readonly records: unknown[];
  readonly counters: Readonly<Record<string, number>>;
}

/** Runs the filter over the events, with and without the kernel, which must not differ. */
async function grokked(
  options: Options,
  events: readonly (TestEvent | string)[],
  more: Partial<PluginContext> = {},
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const memory of [kernel, undefined]) {
    const batch = batchOf(
      events.map((event) => (typeof event === 'string' ? { line: event } : event)),
      memory,
    );
    const context: TestContext = { ...testContext({}, memory), ...more };
    // `grok` gives a BatchFilter.
    const filter = plugin.create(options, context) as BatchFilter;
    await filter.open?.();
    await runFilter(filter, batch);
    await filter.close?.();
    const counters: Record<string, number> = {};
    for (const [name, { value }] of context.counters) if (value > 0) counters[name] = value;
    outcomes.push({ records: recordsOf(batch), counters });
  }
  const [first, second] = outcomes;
  assert.deepEqual(first!.records, second!.records);
  return first!;
}

const accessLine =
  '203.0.113.7 - frank [10/Oct/2026:13:55:36 +0000] "GET /index.html HTTP/1.1" 200 2326 "-" "curl/8.5.0"';
const fields = (line: string, pattern: string, more = {}) => ({
  log: line,
  ...grokLine(compileGrok({ patterns: [pattern], ...more }), line),
});

describe('the grok filter', () => {
  it('stores what a pattern captures beside the line', async () => {
    const pattern = '%{COMBINEDAPACHELOG}';
    const { records, counters } = await grokked({ pattern }, [accessLine]);
    assert.deepEqual(records, [fields(accessLine, pattern)]);
    assert.equal((records[0] as Record<string, unknown>)['clientip'], '203.0.113.7');
    assert.deepEqual(counters, {});
  });

  it('nests the fields of the Elastic Common Schema', async () => {
    const pattern = '%{COMBINEDAPACHELOG}';
    const { records, counters } = await grokked({ pattern, ecs_compatibility: 'v1' }, [
      accessLine,
      'no access line',
    ]);
    assert.deepEqual(records[0], fields(accessLine, pattern, { ecsCompatibility: 'v1' }));
    assert.deepEqual((records[0] as Record<string, unknown>)['http'], {
      request: { method: 'GET' },
      version: '1.1',
      response: { status_code: 200, body: { bytes: 2326 } },
    });
    assert.deepEqual(counters['sluice_parse_failures_total'], 1);
  });

  it('tries patterns in order and marks what none matches', async () => {
    const patterns = ['^%{IPV4:ip} %{WORD:verb}$', '^%{NUMBER:n:int}$', '%{LOGLEVEL:level}'];
    const { records, counters } = await grokked({ patterns }, [
      '10.0.0.1 GET',
      '17',
      'an ERROR here',
      'nothing',
      '',
      '10.0.0.2 PUT',
    ]);
    assert.deepEqual(records, [
      { log: '10.0.0.1 GET', ip: '10.0.0.1', verb: 'GET' },
      { log: '17', n: 17 },
      { log: 'an ERROR here', level: 'ERROR' },
      { log: 'nothing', tags: ['_grokparsefailure'] },
      { log: '', tags: ['_grokparsefailure'] },
      { log: '10.0.0.2 PUT', ip: '10.0.0.2', verb: 'PUT' },
    ]);
    assert.equal(counters['sluice_parse_failures_total'], 2);
    assert.equal(counters['sluice_grok_fallback_total'], 4);
  });

  const cases: readonly {
    what: string;
    options: Options;
    event: TestEvent | string;
    expected: unknown;
  }[] = [
    {
      what: 'makes a list of a name captured twice',
      options: { pattern: '%{WORD:a} %{WORD:a} %{WORD:a}' },
      event: 'x y z',
      expected: { log: 'x y z', a: ['x', 'y', 'z'] },
    },
    {
      what: 'joins a capture with a text that is there',
      options: { pattern: '%{WORD:a}' },
      event: { record: '{"log":"new","a":"old"}' },
      expected: { log: 'new', a: ['old', 'new'] },
    },
    {
      what: 'joins a capture with a list that is there',
      options: { pattern: '%{WORD:a}' },
      event: { record: '{"log":"new","a":["old",[1]]}' },
      expected: { log: 'new', a: ['old', [1], 'new'] },
    },
    {
      what: 'leaves a number that is there',
      options: { pattern: '%{WORD:a}' },
      event: { record: '{"log":"new","a":1}' },
      expected: { log: 'new', a: 1 },
    },
    {
      what: 'replaces null',
      options: { pattern: '%{WORD:a}' },
      event: { record: '{"log":"new","a":null}' },
      expected: { log: 'new', a: 'new' },
    },
    {
      what: 'joins a capture with the line itself',
      options: { pattern: '%{WORD} %{GREEDYDATA:log}' },
      event: 'warn too hot',
      expected: { log: ['warn too hot', 'too hot'] },
    },
    {
      what: 'replaces the fields of overwrite',
      options: { pattern: '%{WORD:level} %{GREEDYDATA:log}', overwrite: ['log'] },
      event: 'warn too hot',
      expected: { log: 'too hot', level: 'warn' },
    },
    {
      what: 'replaces nested fields of overwrite',
      options: { pattern: '%{WORD:[a][b]}', overwrite: ['[a][b]'] },
      event: { record: '{"log":"new","a":{"b":"old","c":1}}' },
      expected: { log: 'new', a: { b: 'new', c: 1 } },
    },
    {
      what: 'adds to an object that is there',
      options: { pattern: '%{WORD:[a][b]}' },
      event: { record: '{"log":"new","a":{"c":1}}' },
      expected: { log: 'new', a: { c: 1, b: 'new' } },
    },
    {
      what: 'fails where a field would lie within a text',
      options: { pattern: '%{WORD:[a][b]}' },
      event: { record: '{"log":"new","a":"text"}' },
      expected: { log: 'new', a: 'text', tags: ['_grokparsefailure'] },
    },
    {
      what: 'converts numbers',
      options: {
        pattern:
          '%{NOTSPACE:a:int} %{NOTSPACE:b:float} %{NOTSPACE:c:int} %{NOTSPACE:d:float} %{NOTSPACE:e}',
      },
      event: '007 1.50 12abc -3 5',
      expected: { log: '007 1.50 12abc -3 5', a: 7, b: 1.5, c: 12, d: -3, e: '5' },
    },
    {
      what: 'reads the field that key_name names',
      options: { pattern: '%{INT:n:int}', key_name: '$a["b"]' },
      event: { record: '{"log":"x","a":{"b":"n=5"}}' },
      expected: { log: 'x', a: { b: 'n=5' }, n: 5 },
    },
    {
      what: 'reads message where there is no log',
      options: { pattern: '%{INT:n:int}' },
      event: { line: 'n=5', key: 'message' },
      expected: { message: 'n=5', n: 5 },
    },
    {
      what: 'matches numbers as they are written',
      options: { pattern: '^%{INT:n}$', key_name: 'v' },
      event: { record: '{"v":12}' },
      expected: { v: 12, n: '12' },
    },
    {
      what: 'matches a missing field as an empty text',
      options: { pattern: '^%{GREEDYDATA:n}$', key_name: 'v' },
      event: { record: '{"x":1}' },
      expected: { x: 1 },
    },
    {
      what: 'matches each element of a list',
      options: { pattern: 'n=%{INT:n:int}|m=%{WORD:m}', key_name: 'v' },
      event: { record: '{"v":["n=1","m=a","none","m=b"]}' },
      expected: { v: ['n=1', 'm=a', 'none', 'm=b'], n: 1, m: ['a', 'b'] },
    },
    {
      what: 'reads escapes of JSON texts',
      options: { pattern: '^%{GREEDYDATA:all}$' },
      event: { record: '{"log":"a\\"\\u00e9\\nb"}' },
      expected: { log: 'a"é\nb', all: 'a"é\nb' },
    },
    {
      what: 'captures characters beyond ASCII',
      options: { pattern: '^%{NOTSPACE:a} %{GREEDYDATA:b}$' },
      event: 'été 日本語 😀',
      expected: { log: 'été 日本語 😀', a: 'été', b: '日本語 😀' },
    },
    {
      what: 'keeps empty captures when it is told to',
      options: { pattern: '^(?<a>x*)(?<b>y)?', keep_empty_captures: true },
      event: 'z',
      expected: { log: 'z', a: '', b: null },
    },
    {
      what: 'names what has no name when it is told to',
      options: { pattern: '%{INT} %{WORD:w}', named_captures_only: false },
      event: '1 a',
      expected: { log: '1 a', INT: '1', w: 'a' },
    },
    {
      what: 'puts all captures under the target',
      options: { pattern: '%{INT:n} %{WORD:[a][b]}', target: 'parsed' },
      event: '1 a',
      expected: { log: '1 a', parsed: { n: '1', a: { b: 'a' } } },
    },
    {
      what: 'knows definitions of its own',
      options: { pattern: '%{TWICE:t}', pattern_definitions: { TWICE: '%{ONE}%{ONE}', ONE: 'ab' } },
      event: 'xababx',
      expected: { log: 'xababx', t: 'abab' },
    },
    {
      what: 'runs all patterns without break_on_match',
      options: { patterns: ['%{INT:n:int}', '%{WORD:w}'], break_on_match: false },
      event: 'abc 5',
      expected: { log: 'abc 5', n: 5, w: 'abc' },
    },
    {
      what: 'lets the last pattern decide without break_on_match, as Logstash does',
      options: { patterns: ['%{WORD:w}', '%{INT:n:int}'], break_on_match: false },
      event: 'abc',
      expected: { log: 'abc', w: 'abc', tags: ['_grokparsefailure'] },
    },
    {
      what: 'matches the line as it was, whatever an earlier pattern put there',
      options: {
        patterns: ['%{WORD} %{GREEDYDATA:log}', '^%{WORD:first}'],
        break_on_match: false,
        overwrite: ['log'],
      },
      event: 'one two',
      expected: { log: 'two', first: 'one' },
    },
    {
      what: 'stops at the first field that matches',
      options: { patterns: { a: '%{INT:n}', b: ['%{INT:m}'] } },
      event: { record: '{"a":"1","b":"2"}' },
      expected: { a: '1', b: '2', n: '1' },
    },
    {
      what: 'matches the fields that another field gave without break_on_match',
      options: {
        patterns: { log: '%{WORD} %{GREEDYDATA:rest}', rest: '%{INT:n}' },
        break_on_match: false,
      },
      event: 'took 17',
      expected: { log: 'took 17', rest: '17', n: '17' },
    },
    {
      what: 'edits events that match',
      options: {
        pattern: '%{WORD:w} %{INT:n:int}',
        add_field: { 'seen_%{w}': '%{n} of %{w}', n: ['x', '%{w}'] },
        remove_field: ['log', '%{w}'],
        add_tag: ['ok', 'is_%{w}'],
        remove_tag: ['raw'],
      },
      event: { record: '{"log":"abc 5","abc":true,"tags":["raw"]}' },
      expected: { w: 'abc', n: [5, 'x', 'abc'], seen_abc: '5 of abc', tags: ['ok', 'is_abc'] },
    },
    {
      what: 'edits no event that does not match',
      options: { pattern: '%{INT:n}', add_tag: ['ok'], remove_field: ['log'], tag_on_failure: [] },
      event: 'abc',
      expected: { log: 'abc' },
    },
    {
      what: 'adds its marks to those that are there',
      options: { pattern: '%{INT:n}', tag_on_failure: ['a', 'b'] },
      event: { record: '{"log":"abc","tags":["b","c"]}' },
      expected: { log: 'abc', tags: ['b', 'c', 'a'] },
    },
    {
      what: 'writes nothing of a match of which a part cannot be written',
      options: { pattern: '%{WORD:a} %{WORD:[a][b]}' },
      event: 'x y',
      expected: { log: 'x y', tags: ['_grokparsefailure'] },
    },
    {
      what: 'writes nothing where the raw line stands in the way of a member',
      options: { pattern: '%{WORD:name} %{WORD:[host][name]} %{INT:[log][level]:int} %{WORD:z}' },
      event: 'x y 3 z',
      expected: { log: 'x y 3 z', tags: ['_grokparsefailure'] },
    },
    {
      what: 'writes nothing into a record that has something else in the way',
      options: {
        pattern: '%{WORD:name} %{WORD:[host][name]} %{WORD:[a][b]}',
        overwrite: ['name'],
      },
      event: { record: '{"log":"x y z","name":"old","a":[1],"host":{"id":1}}' },
      expected: {
        log: 'x y z',
        name: 'old',
        a: [1],
        host: { id: 1 },
        tags: ['_grokparsefailure'],
      },
    },
  ];
  for (const { what, options, event, expected } of cases) {
    it(what, async () => {
      const { records } = await grokked(options, [event]);
      assert.deepEqual(records, [expected]);
    });
  }

  it('writes whole numbers beyond 2^53 exactly', async () => {
    const batch = batchOf([{ record: '{"log":"12345678901234567890"}' }]);
    const filter = plugin.create({ pattern: '^%{INT:m:int}$' }, testContext()) as BatchFilter;
    await runFilter(filter, batch);
    assert.equal(batch.locate(0, testContext().field('m')), true);
    assert.equal(batch.foundText(), '12345678901234567890');
  });

  it('does not touch events that are not selected', async () => {
    const batch = batchOf([{ line: '1' }, { line: '2' }, { line: 'x' }], kernel);
    batch.select[0] = 0;
    const filter = plugin.create({ pattern: '%{INT:n}' }, testContext({}, kernel)) as BatchFilter;
    await runFilter(filter, batch);
    await filter.close?.();
    assert.deepEqual(recordsOf(batch), [
      { log: '1' },
      { log: '2', n: '2' },
      { log: 'x', tags: ['_grokparsefailure'] },
    ]);
  });

  it('gives a line up that runs away, and only that', async () => {
    const bad = `${'a'.repeat(40)}!`;
    const warnings: unknown[] = [];
    const silent = () => {};
    const log = {
      error: silent,
      info: silent,
      debug: silent,
      warn: (one: unknown) => warnings.push(one),
    };
    const options = {
      pattern: '^(?<run>(?:a+b?)+)$',
      pattern_definitions: {},
      timeout_millis: 5,
      add_tag: ['ok'],
    };
    const { records, counters } = await grokked(options, ['aa', bad, 'aaa', bad, bad, 'b'], {
      log,
    });
    assert.deepEqual(records, [
      { log: 'aa', run: 'aa', tags: ['ok'] },
      { log: bad, tags: ['_groktimeout'] },
      { log: 'aaa', run: 'aaa', tags: ['ok'] },
      { log: bad, tags: ['_groktimeout'] },
      { log: bad, tags: ['_groktimeout'] },
      { log: 'b', tags: ['_grokparsefailure'] },
    ]);
    assert.equal(counters['sluice_grok_timeouts_total'], 3);
    assert.deepEqual(warnings[0], { pattern: '^(?<run>(?:a+b?)+)$', timeouts: 3 });
  });

  it('reads patterns from directories', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'grok-'));
    await writeFile(join(directory, 'mine'), '# a comment\nTICKET [A-Z]+-\\d+\n');
    const options = { pattern: '%{TICKET:ticket}', patterns_dir: ['.'] };
    const { records } = await grokked(options, ['see ABC-17'], { baseDirectory: directory });
    assert.deepEqual(records, [{ log: 'see ABC-17', ticket: 'ABC-17' }]);
    const glob = { ...options, patterns_dir: ['m*e'] };
    const globbed = await grokked(glob, ['see ABC-17'], { baseDirectory: directory });
    assert.deepEqual(globbed.records, records);
    await assert.rejects(
      grokked({ ...options, patterns_dir: ['missing'] }, [], { baseDirectory: directory }),
      { code: 'SLUICE_GROK_INVALID' },
    );
  });

  it('gives back the memory of the kernel', async () => {
    const before = kernel?.arena.freeBytes();
    await grokked({ patterns: ['%{COMBINEDAPACHELOG}', '%{SYSLOGBASE}'] }, [accessLine]);
    assert.equal(kernel?.arena.freeBytes(), before);
  });

  it('handles a batch with all columns in use', async () => {
    const batch = batchOf([{ line: '1 a' }], kernel);
    const context = testContext({}, kernel);
    for (let i = 0; batch.columns.length < 64; i++) batch.setValue(0, context.field(`f${i}`), i);
    const filter = plugin.create({ pattern: '%{INT:n} %{WORD:w}' }, context) as BatchFilter;
    await runFilter(filter, batch);
    const [record] = recordsOf(batch) as [Record<string, unknown>];
    assert.deepEqual([record['n'], record['w'], record['f0']], ['1', 'a', 0]);
    await filter.close?.();
  });
});

describe('the options of the grok filter', () => {
  const wrong: readonly (readonly [string, Options, readonly string[]])[] = [
    ['no pattern', {}, []],
    ['two ways to give patterns', { pattern: 'a', patterns: ['b'] }, ['patterns']],
    ['an unknown pattern', { pattern: '%{NUMBR:n}' }, ['pattern']],
    ['an unknown pattern in a list', { patterns: ['a', '%{X}'] }, ['patterns', '1']],
    ['an unknown pattern in a map', { patterns: { a: ['%{X}'] } }, ['patterns', 'a', '0']],
    ['fields named twice', { patterns: { a: 'x' }, key_name: 'b' }, ['key_name']],
    ['a broken expression', { pattern: '(' }, ['pattern']],
  ];
  for (const [what, options, path] of wrong) {
    it(`refuse ${what}`, () => {
      assert.deepEqual(
        plugin.check?.(options).map((problem) => problem.path),
        [path],
      );
    });
  }

  it('take patterns that may come from files', () => {
    assert.deepEqual(plugin.check?.({ pattern: '%{MINE}', patterns_dir: ['x'] }), []);
  });
});

describe('what grok writes', () => {
  interface Case {
    readonly root: string | undefined;
    readonly edits: readonly { readonly path: string; readonly value: unknown }[];
    readonly pattern: string;
    readonly overwrite: readonly string[];
  }
  const value = fc.constantFrom<unknown>('t', 1, null, { k: 1 }, { b: { c: 'x' } }, ['l', 1], []);
  const path = fc.constantFrom('a', '[a][b]', '[a][b][c]', '[a][k]', '[x][y]');
  const cases: fc.Arbitrary<Case> = fc.record({
    root: fc.constantFrom(undefined, '{}', '{"a":{"b":1}}', '{"a":"t","x":{"y":"z"}}'),
    edits: fc.array(fc.record({ path, value: fc.option(value, { nil: undefined }) }), {
      maxLength: 4,
    }),
    pattern: fc.constantFrom(
      '%{WORD:a} %{WORD:[a][b]}',
      '%{WORD:[a][b]} %{INT:[a][k]:int}',
      '%{WORD:[a][b]} %{INT:[a][b]:int}',
      '%{WORD:[a][b][c]} %{INT:[x][y]}',
      '%{WORD:a} %{INT:x}',
    ),
    overwrite: fc.subarray(['a', '[a][b]', '[x][y]']),
  });

  it('is what Logstash would, however the record came to be', async () => {
    const property = async ({ root, edits, pattern, overwrite }: Case) => {
      const line = 'word 17';
      const event = root === undefined ? { line } : { line, record: root };
      const outcomes: unknown[] = [];
      let expected: unknown;
      for (const memory of [kernel, undefined]) {
        const context = testContext({}, memory);
        const prepared = () => {
          const batch = batchOf([event], memory);
          for (const { path: to, value: old } of edits) batch.setValue(0, context.field(to), old);
          return batch;
        };
        const [record] = recordsOf(prepared()) as [Record<string, unknown>];
        const grok = compileGrok({ patterns: [pattern] });
        const before = structuredClone(record);
        let isWritten = true;
        for (const { path: keys, value: one } of grok.matchToFields(line) ?? []) {
          const name = keys.length === 1 ? keys[0]! : keys.map((key) => `[${key}]`).join('');
          isWritten &&= setCapture(record, keys, one, overwrite.includes(name));
        }
        // All of a match or nothing.
        expected = isWritten ? record : { ...before, tags: ['_grokparsefailure'] };
        const batch = prepared();
        const filter = plugin.create({ pattern, overwrite }, context) as BatchFilter;
        await runFilter(filter, batch);
        await filter.close?.();
        outcomes.push(recordsOf(batch)[0]);
      }
      assert.deepEqual(outcomes, [expected, expected]);
    };
    await fc.assert(fc.asyncProperty(cases, property), { numRuns: 400 });
  });
});
