import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BoundedCache } from '../../../plugins/shared/lookup_table/bounded_cache.ts';
import { ByteCache } from '../../../plugins/shared/lookup_table/byte_cache.ts';
import { csvRows } from '../../../plugins/shared/lookup_table/csv_rows.ts';
import { readLookupTable } from '../../../plugins/shared/lookup_table/lookup_table.ts';

describe('CSV rows', () => {
  const cases: readonly (readonly [string, string[][]])[] = [
    ['', []],
    [
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['"a,""x""\n",b\n', [['a,"x"\n', 'b']]],
    ['a\n\n,\n', [['a'], ['', '']]],
    ['\ufeffa', [['a']]],
    ['a"b,c', [['a"b', 'c']]],
  ];
  for (const [text, rows] of cases) {
    it(`are read from ${JSON.stringify(text)}`, () => assert.deepEqual(csvRows(text), rows));
  }

  it('name the line of a bad quote', () => {
    assert.throws(() => csvRows('a\n"b'), /line 2/);
    assert.throws(() => csvRows('a\n"b"c'), /Line 2/);
  });

  it('come back as they were written', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é') });
    const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }));
    const quotedField = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(rows, (list) => {
        const text = list.map((row) => row.map(quotedField).join(',')).join('\r\n');
        assert.deepEqual(csvRows(text), list);
      }),
    );
  });
});

describe('a lookup table', () => {
  const read = (text: string, options: Partial<Parameters<typeof readLookupTable>[1]> = {}) =>
    Object.fromEntries(readLookupTable(Buffer.from(text), { format: 'json', ...options }));

  it('takes the columns that it is told to', () => {
    const csv = { format: 'csv', keyColumn: 'b', columns: ['c', 'a'] } as const;
    assert.deepEqual(read('a,b,c\n1,x,3\n2,y\n', csv), {
      x: '{"c":"3","a":"1"}',
      y: '{"a":"2"}',
    });
    assert.deepEqual(read('{"k":{"a":1,"b":2}}', { columns: ['b'] }), { k: '2' });
  });

  it('writes JSON on one line', () => {
    assert.deepEqual(read('{"k": {\n "a": [1,\n 2]}}'), { k: '{"a":[1,2]}' });
  });

  const broken: readonly (readonly [string, object, RegExp])[] = [
    ['', { format: 'csv' }, /column names/],
    ['a,b\n', { format: 'csv', keyColumn: 'c' }, /no column c/],
    ['a,b\n', { format: 'csv', columns: ['c'] }, /no column c/],
    ['1', {}, /neither/],
    ['{', {}, /JSON/],
    ['[{"a":[]}]', {}, /Element 0/],
    ['[3]', {}, /Element 0/],
  ];
  for (const [text, options, message] of broken) {
    it(`refuses ${JSON.stringify(text)} ${JSON.stringify(options)}`, () => {
      assert.throws(() => read(text, options), message);
    });
  }
});

describe('a bounded cache', () => {
  it('never has more than its bound, and keeps what was asked for', () => {
    const cache = new BoundedCache<number>(100);
    cache.set('kept', -1);
    for (let i = 0; i < 1000; i++) {
      cache.set(String(i), i);
      assert.equal(cache.get('kept'), -1);
      assert.ok(cache.size <= 100);
    }
    assert.equal(cache.get('999'), 999);
    assert.equal(cache.get('1'), undefined);
    cache.clear();
    assert.equal(cache.size, 0);
  });
});

describe('a cache by bytes', () => {
  it('answers as a cache by strings does, whatever comes in which order', () => {
    const key = fc.oneof(fc.nat(40).map(String), fc.string());
    const check = fc.property(
      fc.array(key, { maxLength: 400 }),
      fc.integer({ min: 1, max: 64 }),
      (keys, most) => {
        const byBytes = new ByteCache<string>(most);
        const byText = new BoundedCache<string>(most);
        for (const text of keys) {
          const bytes = Buffer.from(`-${text}-`);
          const found = byBytes.find(bytes, 1, bytes.length - 1);
          assert.equal(found, byText.get(text));
          if (found === undefined) {
            byBytes.keep(text);
            byText.set(text, text);
          }
          assert.ok(byBytes.size <= Math.max(2, most));
        }
      },
    );
    fc.assert(check, { numRuns: 300 });
  });

  it('takes keys that differ in digits alone for one, when asked to', () => {
    const part = fc.oneof(fc.nat(99).map(String), fc.constantFrom('/', ':', ' v', '½', '\u0000'));
    const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    const masked = (one: string): string => one.replace(/[0-9]/g, '0');
    const check = fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
      const cache = new ByteCache<string>(1000, { digitsAlike: true });
      const seen = new Set<string>();
      for (const one of texts) {
        const bytes = Buffer.from(one);
        const found = cache.find(bytes, 0, bytes.length);
        assert.equal(found, seen.has(masked(one)) ? masked(one) : undefined);
        if (found === undefined) cache.keep(masked(one));
        seen.add(masked(one));
      }
    });
    fc.assert(check, { numRuns: 300 });
  });

  it('does not keep keys past its bound of bytes', () => {
    const cache = new ByteCache<number>(10);
    const large = Buffer.alloc(4097, 'a');
    cache.find(large, 0, large.length);
    cache.keep(1);
    assert.equal(cache.find(large, 0, large.length), undefined);
    assert.equal(cache.size, 0);
  });
});
