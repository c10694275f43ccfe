import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ParsedFields } from '../../../core/sdk/contracts.ts';
import { builtInParsers } from '../../../plugins/parsers/built_in.ts';
import { builtIn, fieldsOf, makeParser } from './parsing_fixture.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const word = fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,12}$/);
const pairs = fc.uniqueArray(fc.tuple(word, text), {
  selector: ([key]) => key,
  minLength: 1,
  maxLength: 12,
});

function objectOf(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries);
}

describe('what was written comes back', () => {
  it('as CSV', () => {
    const parser = makeParser('csv', { skip_empty_values: false });
    const cells = fc.array(text, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(cells, fc.boolean(), (values, always) => {
        const line = values
          .map((value) =>
            always || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value,
          )
          .join(',');
        const expected = objectOf(values.map((value, i) => [`column${i + 1}`, value]));
        assert.deepEqual(fieldsOf(parser, line), expected);
      }),
    );
  });

  it('as logfmt', () => {
    const parser = makeParser('logfmt');
    fc.assert(
      fc.property(pairs, (entries) => {
        const line = entries.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(' ');
        assert.deepEqual(fieldsOf(parser, line), objectOf(entries));
      }),
    );
  });

  it('as LTSV', () => {
    const parser = makeParser('ltsv', { skip_empty_values: false });
    const plain = text.map((value) => value.replace(/[\t\r\n]/g, ''));
    const labelled = fc.uniqueArray(fc.tuple(word, plain), {
      selector: ([key]) => key,
      minLength: 1,
    });
    fc.assert(
      fc.property(labelled, (entries) => {
        const line = entries.map(([key, value]) => `${key}:${value}`).join('\t');
        assert.deepEqual(fieldsOf(parser, line), objectOf(entries));
      }),
    );
  });

  it('as key_value', () => {
    const parser = makeParser('key_value', { skip_empty_values: false });
    const plain = text.map((value) => value.replace(/["\\]/g, ''));
    const quoted = fc.uniqueArray(fc.tuple(word, plain), {
      selector: ([key]) => key,
      minLength: 1,
    });
    fc.assert(
      fc.property(quoted, (entries) => {
        const line = entries.map(([key, value]) => `${key}="${value}"`).join(' ');
        assert.deepEqual(fieldsOf(parser, line), objectOf(entries));
      }),
    );
  });

  it('through dissect', () => {
    const parser = makeParser('dissect', { pattern: '[%{a}] <%{b}> %{c}' });
    const plain = text.map((value) => value.replace(/[\]>]/g, ''));
    fc.assert(
      fc.property(plain, plain, text, (a, b, c) => {
        assert.deepEqual(fieldsOf(parser, `[${a}] <${b}> ${c}`), { a, b, c });
      }),
    );
  });

  it('as JSON', () => {
    const parser = makeParser('json', { types: ['none:string'] });
    fc.assert(
      fc.property(fc.dictionary(text, fc.jsonValue()), (object) => {
        const json = JSON.stringify(object);
        assert.deepEqual(fieldsOf(parser, json), JSON.parse(json));
      }),
    );
  });
});

describe('no text makes a parser throw', () => {
  const parsers = [
    ...Object.keys(builtInParsers).map((name) => ({ name, parser: builtIn(name) })),
    ...[
      ['csv', {}],
      ['csv', { columns: ['a', 'b'], types: ['a:integer', 'b:hex'] }],
      ['syslog', {}],
      ['key_value', { field_split: ' ;,', value_split: '=:' }],
      ['dissect', { pattern: '%{a->} %{?k}=%{&k}' }],
      ['json', { decode_field: ['json a'], decode_field_as: ['escaped_utf8 b do_next', 'json b'] }],
    ].map(([format, options]) => ({
      name: `${format} ${JSON.stringify(options)}`,
      parser: makeParser(format as string, options as Record<string, unknown>),
    })),
  ];
  // Bytes that mean something to one format or another come often.
  const telling = fc
    .array(fc.constantFrom(...'<>[](){}="\':;,\\-% \t\n0123456789aT', '<34>1 ', 'Oct 11 22:14:15 '))
    .map((parts) => parts.join(''));
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString());
  for (const { name, parser } of parsers) {
    it(name, () => {
      const fields = new ParsedFields();
      fc.assert(
        fc.property(fc.oneof(telling, bytes, text), (line) => {
          if (parser.parse(line, fields)) JSON.stringify(fields.values.slice(0, fields.count));
        }),
      );
    });
  }

  it('not even one nested 10,000 deep, or of a megabyte', () => {
    const fields = new ParsedFields();
    const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
    const long = ['a=', 'a="', '[', '<', '(', 'a=(b ', '"x"y ', ',"', 'a:b\t', '\\', ' '].map(
      (part) => part.repeat(1_000_000 / part.length),
    );
    for (const { name, parser } of parsers) {
      if (name === 'json') assert.equal(parser.parse(deep, fields), false);
      for (const line of [deep, ...long]) parser.parse(line, fields);
    }
  });
});
