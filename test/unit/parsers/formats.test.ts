import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ParsedFields } from '../../../core/sdk/contracts.ts';
import { plugin as csvPlugin } from '../../../plugins/parsers/csv/index.ts';
import { plugin as dissectPlugin } from '../../../plugins/parsers/dissect/index.ts';
import { plugin as regexPlugin } from '../../../plugins/parsers/regex/index.ts';
import { fieldsOf, makeParser, timeOf } from './parsing_fixture.ts';

interface Case {
  readonly format: string;
  readonly what: string;
  readonly options?: Record<string, unknown>;
  readonly line: string;
  readonly fields: unknown;
}

const cases: readonly Case[] = [
  // regex
  {
    format: 'regex',
    what: 'leaves out empty groups and those that took no part',
    options: { regex: '^(?<a>\\w+)(?:=(?<b>\\w*))?(?:;(?<c>\\w+))?$' },
    line: 'x=',
    fields: { a: 'x' },
  },
  {
    format: 'regex',
    what: 'keeps empty groups when told so',
    options: { regex: '^(?<a>\\w+)=(?<b>\\w*)$', skip_empty_values: false },
    line: 'x=',
    fields: { a: 'x', b: '' },
  },
  {
    format: 'regex',
    what: 'takes an expression between slashes with letters',
    options: { regex: '/^(?<word>HELLO) .*$/i' },
    line: 'hello world',
    fields: { word: 'hello' },
  },
  {
    format: 'regex',
    what: 'gives fields their types',
    options: {
      regex: '^(?<i>\\S+) (?<h>\\S+) (?<f>\\S+) (?<b>\\S+) (?<s>\\S+)$',
      types: ['i:integer', 'h:hex', 'f:float', 'b:bool', 's:string'],
    },
    line: '-12 ff 1.5e2 TRUE 7',
    fields: { i: -12, h: 255, f: 150, b: true, s: '7' },
  },
  {
    format: 'regex',
    what: 'reads numbers from their first digits, and keeps words that are no boolean',
    options: {
      regex: '^(?<i>\\S+) (?<j>\\S+) (?<b>\\S+)$',
      types: ['i:integer', 'j:integer', 'b:bool'],
    },
    line: '12ms - maybe',
    fields: { i: 12, j: 0, b: 'maybe' },
  },
  // logfmt
  {
    format: 'logfmt',
    what: 'reads quotes, escapes, bare keys and empty values',
    line: 'level=info msg="it \\"works\\"\\n" url=http://x/?a=b debug empty= u="\\u00e9"',
    fields: {
      level: 'info',
      msg: 'it "works"\n',
      url: 'http://x/?a=b',
      debug: true,
      empty: '',
      u: 'é',
    },
  },
  {
    format: 'logfmt',
    what: 'keeps the last of a key that comes twice',
    line: 'a=1 b=2 a=3',
    fields: { b: '2', a: '3' },
  },
  { format: 'logfmt', what: 'refuses an open quote', line: 'a="b', fields: null },
  { format: 'logfmt', what: 'refuses a value without a key', line: 'a=1 ="b"', fields: null },
  { format: 'logfmt', what: 'refuses blanks alone', line: '   ', fields: null },
  {
    format: 'logfmt',
    what: 'leaves a bare key true whatever its type, but as a text',
    options: { types: ['a:integer', 'b:bool', 'c:float', 'd:string', 'e:integer'] },
    line: 'a b c d e=7',
    fields: { a: true, b: true, c: true, d: 'true', e: 7 },
  },
  {
    format: 'logfmt',
    what: 'refuses bare keys when told so',
    options: { logfmt_no_bare_keys: true },
    line: 'a=1 b',
    fields: null,
  },
  // ltsv
  {
    format: 'ltsv',
    what: 'keeps colons in values and leaves out empty ones',
    line: 'time:10:00\tempty:\ta:b\r\n',
    fields: { time: '10:00', a: 'b' },
  },
  { format: 'ltsv', what: 'refuses a part without a label', line: 'a:b\tc', fields: null },
  { format: 'ltsv', what: 'refuses a part whose label is empty', line: ':b', fields: null },
  { format: 'ltsv', what: 'refuses an empty text', line: '', fields: null },
  // csv
  {
    format: 'csv',
    what: 'reads quoted cells with separators, quotes and line breaks',
    options: { columns: ['a', 'b', 'c', 'd'] },
    line: '1,"x,y","say ""hi""","two\nlines"\r\n',
    fields: { a: '1', b: 'x,y', c: 'say "hi"', d: 'two\nlines' },
  },
  {
    format: 'csv',
    what: 'names what has no name',
    options: { columns: ['a'] },
    line: '1,2,3',
    fields: { a: '1', column2: '2', column3: '3' },
  },
  {
    format: 'csv',
    what: 'leaves out empty cells',
    options: { columns: ['a', 'b', 'c'], types: ['b:integer', 'c:integer'] },
    line: '1,,3',
    fields: { a: '1', c: 3 },
  },
  {
    format: 'csv',
    what: 'takes other separators and quotes',
    options: { columns: ['a', 'b'], separator: '\\t', quote_char: "'" },
    line: "'x\ty'\tz",
    fields: { a: 'x\ty', b: 'z' },
  },
  {
    format: 'csv',
    what: 'takes quotes as they stand without a quote character',
    options: { columns: ['a', 'b'], quote_char: '' },
    line: '"x,y"',
    fields: { a: '"x', b: 'y"' },
  },
  { format: 'csv', what: 'refuses an open quote', line: '1,"2', fields: null },
  { format: 'csv', what: 'refuses text behind a closed quote', line: '"1"2,3', fields: null },
  // dissect
  {
    format: 'dissect',
    what: 'reads the example of its documentation',
    options: { pattern: '<%{priority}>%{ts} %{+ts} %{+ts} %{src} %{}[%{pid}]: %{msg}' },
    line: '<1>Oct 16 17:20:12 the.host prog[42]: hello world',
    fields: {
      priority: '1',
      ts: 'Oct 16 17:20:12',
      src: 'the.host',
      pid: '42',
      msg: 'hello world',
    },
  },
  {
    format: 'dissect',
    what: 'appends in the order of the numbers',
    options: { pattern: '%{+a/2} %{+a/1} %{+a/4} %{+a/3}' },
    line: '1 2 3 go',
    fields: { a: '2 1 go 3' },
  },
  {
    format: 'dissect',
    what: 'takes a key from the text',
    options: { pattern: 'error: %{?err}, %{&err}' },
    line: 'error: some_error, some_description',
    fields: { some_error: 'some_description' },
  },
  {
    format: 'dissect',
    what: 'passes over padding',
    options: { pattern: '%{name->} %{id}' },
    line: 'James        45',
    fields: { name: 'James', id: '45' },
  },
  {
    format: 'dissect',
    what: 'makes nested fields and keeps empty ones',
    options: { pattern: '%{[a][b]}|%{[a][c]}|%{d}', convert_datatype: { d: 'int' } },
    line: '1||42',
    fields: { a: { b: '1', c: '' }, d: 42 },
  },
  {
    format: 'dissect',
    what: 'wants the text behind the last field',
    options: { pattern: '[%{a}]' },
    line: '[x]',
    fields: { a: 'x' },
  },
  {
    format: 'dissect',
    what: 'refuses a text without a delimiter',
    options: { pattern: '%{a} - %{b}' },
    line: 'x y',
    fields: null,
  },
  {
    format: 'dissect',
    what: 'refuses a text that begins otherwise',
    options: { pattern: '[%{a}]' },
    line: 'x[y]',
    fields: null,
  },
  // key_value
  {
    format: 'key_value',
    what: 'reads quotes and brackets and passes over words',
    line: 'hello a=1 b="two words" c=(3 4) d=[x] e=<y z> f=\'q r\' end',
    fields: { a: '1', b: 'two words', c: '3 4', d: 'x', e: 'y z', f: 'q r' },
  },
  {
    format: 'key_value',
    what: 'takes brackets as they stand when told so',
    options: { include_brackets: false },
    line: 'a=(b) c=[d]',
    fields: { a: '(b)', c: '[d]' },
  },
  {
    format: 'key_value',
    what: 'makes lists of keys that come again',
    line: 'a=1 a=2 a=2 b=3',
    fields: { a: ['1', '2', '2'], b: '3' },
  },
  {
    format: 'key_value',
    what: 'leaves equal values out of lists when told so',
    options: { allow_duplicate_values: false },
    line: 'a=1 a=1 a=2 b=3 b=3',
    fields: { a: ['1', '2'], b: '3' },
  },
  {
    format: 'key_value',
    what: 'takes other separators, trims and prefixes',
    options: { field_split: '&?', value_split: ':', trim_key: '<>', trim_value: '"', prefix: 'q_' },
    line: '?<a>:"1"&b:x=y',
    fields: { q_a: '1', q_b: 'x=y' },
  },
  {
    format: 'key_value',
    what: 'passes over blanks around the separator',
    line: 'a = 1 b= c=3 d =4',
    fields: { a: '1', c: '3', d: '4' },
  },
  {
    format: 'key_value',
    what: 'does not with strict white space',
    options: { whitespace: 'strict' },
    line: 'a = 1 b=2',
    fields: { b: '2' },
  },
  {
    format: 'key_value',
    what: 'takes the keys that it is told',
    options: { include_keys: ['a', 'b'], exclude_keys: ['b'] },
    line: 'a=1 b=2 c=3',
    fields: { a: '1' },
  },
  {
    format: 'key_value',
    what: 'refuses a text without a pair',
    line: 'no pairs here =',
    fields: null,
  },
  // json
  {
    format: 'json',
    what: 'gives members their types',
    options: { types: ['a:integer', 'b:string'] },
    line: '{"a":"12","b":3,"c":{"d":[1]}}',
    fields: { a: 12, b: '3', c: { d: [1] } },
  },
  { format: 'json', what: 'refuses text behind the object', line: '{"a":1} x', fields: null },
  { format: 'json', what: 'refuses half an object', line: '{"a":', fields: null },
  // decoders
  {
    format: 'json',
    what: 'puts decoded JSON in the place of a field',
    options: { decode_field_as: ['json log'] },
    line: '{"log":"{\\"a\\":1}","stream":"stdout"}',
    fields: { log: { a: 1 }, stream: 'stdout' },
  },
  {
    format: 'json',
    what: 'adds the members of decoded JSON beside the field',
    options: { decode_field: ['json log'] },
    line: '{"log":"{\\"a\\":1}","stream":"stdout"}',
    fields: { log: '{"a":1}', stream: 'stdout', a: 1 },
  },
  {
    format: 'json',
    what: 'goes from decoder to decoder with do_next',
    options: { decode_field_as: ['escaped log do_next', 'json log'] },
    line: JSON.stringify({ log: '{\\"a\\":\\"b\\"}' }),
    fields: { log: { a: 'b' } },
  },
  {
    format: 'json',
    what: 'tries the next decoder with try_next',
    options: { decode_field_as: ['json log try_next', 'mysql_quoted log'] },
    line: JSON.stringify({ log: "'it''s \\'so\\''" }),
    fields: { log: "it's 'so'" },
  },
  {
    format: 'json',
    what: 'leaves what is no JSON',
    options: { decode_field_as: ['json log'] },
    line: '{"log":"[1],\\"b\\":2"}',
    fields: { log: '[1],"b":2' },
  },
  {
    format: 'regex',
    what: 'decodes escapes in UTF-8',
    options: { regex: '(?<t>.*)', decode_field_as: ['escaped_utf8 t'] },
    line: '\\u00e9\\x41\\101\\t\\q',
    fields: { t: 'éAA\t\\q' },
  },
];

describe('parser formats', () => {
  for (const { format, what, options, line, fields } of cases) {
    it(`${format} ${what}`, () => {
      assert.deepEqual(fieldsOf(makeParser(format, options), line), fields);
    });
  }

  it('keep whole numbers past 2^53 to the digit', () => {
    const types = ['n:integer', 'h:hex'];
    const parser = makeParser('regex', { regex: '(?<n>\\d+) (?<h>\\w+)', types });
    const fields = new ParsedFields();
    assert.ok(parser.parse('9007199254740993 ffffffffffffffff', fields));
    const json = fields.values.slice(0, 2).map((value) => (value as { json: string }).json);
    assert.deepEqual(json, ['9007199254740993', '18446744073709551615']);
  });

  it('csv takes the header from the first text and drops it each time it comes', () => {
    const parser = makeParser('csv', { autodetect_column_names: true });
    assert.equal(fieldsOf(parser, 'id,name'), null);
    assert.deepEqual(fieldsOf(parser, '1,x'), { id: '1', name: 'x' });
    assert.equal(fieldsOf(parser, 'id,name'), null);
    assert.deepEqual(fieldsOf(parser, '2,y'), { id: '2', name: 'y' });
  });

  it('csv drops a header that it knows when told so', () => {
    const parser = makeParser('csv', { columns: ['id', 'name'], skip_header: true });
    assert.equal(fieldsOf(parser, 'id, name'), null);
    assert.deepEqual(fieldsOf(parser, '1,name'), { id: '1', name: 'name' });
  });

  it('a runaway regular expression refuses the text and does not hang', () => {
    const parser = makeParser('regex', { regex: '^(?<a>(?:\\w+\\s?)+)$' });
    const started = process.hrtime.bigint();
    assert.equal(fieldsOf(parser, `${'a'.repeat(40)}!`), null);
    assert.ok(process.hrtime.bigint() - started < 5_000_000_000n);
  });
});

describe('the time of a parser', () => {
  const line = 't=2024-03-09T13:00:00 a=1';
  const time = { time_key: 't', time_format: '%Y-%m-%dT%H:%M:%S' };

  it('is taken from its field, which goes', () => {
    const parser = makeParser('logfmt', time);
    assert.equal(timeOf(parser, line), '2024-03-09T13:00:00.000000000Z');
    assert.deepEqual(fieldsOf(parser, line), { a: '1' });
  });

  it('leaves its field when told so', () => {
    const parser = makeParser('logfmt', { ...time, time_keep: true });
    assert.deepEqual(fieldsOf(parser, line), { t: '2024-03-09T13:00:00', a: '1' });
  });

  for (const [option, value] of [
    ['time_offset', '+0100'],
    ['time_zone', 'Europe/Berlin'],
  ]) {
    it(`is in the zone of ${option}`, () => {
      const parser = makeParser('logfmt', { ...time, [option!]: value });
      assert.equal(timeOf(parser, line), '2024-03-09T12:00:00.000000000Z');
    });
  }

  it('may have text behind it only when that is allowed', () => {
    const trailing = 't="2024-03-09T13:00:00 and more"';
    assert.equal(timeOf(makeParser('logfmt', time), trailing), undefined);
    const lax = makeParser('logfmt', { ...time, time_strict: false });
    assert.equal(timeOf(lax, trailing), '2024-03-09T13:00:00.000000000Z');
  });

  it('is of the field `time` when only a format is given', () => {
    const parser = makeParser('logfmt', { time_format: '%s' });
    assert.equal(timeOf(parser, 'time=1700000000'), '2023-11-14T22:13:20.000000000Z');
  });
});

describe('the check of options', () => {
  it('names wrong types, decoders, formats and zones', () => {
    const problems = csvPlugin.check!({
      types: ['a', 'b:number', 'c:integer'],
      decode_field: ['xml log'],
      decode_field_as: ['json', 'json log later'],
      time_format: '%Q',
      time_zone: 'Mars/Olympus',
    });
    assert.deepEqual(
      problems.map(({ path }) => path[0]),
      [
        'types',
        'types',
        'decode_field',
        'decode_field_as',
        'decode_field_as',
        'time_format',
        'time_zone',
      ],
    );
  });

  it('names what is wrong with a pattern', () => {
    for (const pattern of ['no fields', '%{a}%{b}', '%{&a} %{b}', '%{a/2} %{b}', '%{+} %{b}']) {
      assert.equal(dissectPlugin.check!({ pattern }).length, 1, pattern);
    }
    for (const regex of ['(', '\\w+']) {
      assert.equal(regexPlugin.check!({ regex }).length, 1, regex);
    }
  });
});
