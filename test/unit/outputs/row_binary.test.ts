import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { ValueMisfit } from '../../../plugins/shared/row_binary/column_codec.ts';
import { compileColumnType } from '../../../plugins/shared/row_binary/compile_type.ts';
import { writeToken } from '../../../plugins/shared/row_binary/containers.ts';
import { RowReader } from '../../../plugins/shared/row_binary/row_reader.ts';
import { canonicalType, parseTypeText } from '../../../plugins/shared/row_binary/type_text.ts';

function bytesOf(type: string, token: string): Buffer {
  const out = new ByteWriter(16);
  writeToken(compileColumnType(type)!, token, out);
  return Buffer.from(out.view());
}

function roundTrip(type: string, token: string): string {
  const reader = new RowReader(bytesOf(type, token));
  const json = compileColumnType(type)!.readJson(reader);
  assert.equal(reader.at, reader.bytes.length, `${type}: bytes left`);
  return json;
}

test('values are written as the format describes', () => {
  const cases: [type: string, token: string, hex: string][] = [
    ['UInt8', '255', 'ff'],
    ['Int16', '-2', 'feff'],
    ['UInt32', '"305419896"', '78563412'],
    ['UInt32', '2e3', 'd0070000'],
    ['UInt8', 'true', '01'],
    ['Int64', '-1', 'ffffffffffffffff'],
    ['UInt64', '9007199254740993', '0100000000002000'],
    ['Int128', '-2', `fe${'ff'.repeat(15)}`],
    ['Float32', '1.5', '0000c03f'],
    ['Float64', '"-inf"', '000000000000f0ff'],
    ['Bool', '"TRUE"', '01'],
    ['String', '"é"', '02c3a9'],
    ['String', '{"a": 1}', '087b2261223a20317d'],
    ['String', '12.50', '0531322e3530'],
    ['FixedString(3)', '"ab"', '616200'],
    ['Date', '"1970-01-02"', '0100'],
    ['Date', '"2024-01-02T23:59:59Z"', '0c4d'],
    ['Date32', '"1969-12-31"', 'ffffffff'],
    ['DateTime', '"2024-01-02 03:04:05"', '257d9365'],
    ["DateTime('Europe/Berlin')", '"2024-01-02 04:04:05"', '257d9365'],
    ['DateTime', '1704164645.9', '257d9365'],
    ['DateTime64(3)', '"1970-01-01T00:00:01.5Z"', 'dc05000000000000'],
    ['DateTime64(0)', '"-1.5"', 'feffffffffffffff'],
    ['UUID', '"61f0c404-5cb3-11e7-907b-a6006ad3dba0"', 'e711b35c04c4f061a0dbd36a00a67b90'],
    ['IPv4', '"1.2.3.4"', '04030201'],
    ['IPv6', '"::1"', '00000000000000000000000000000001'],
    ['IPv6', '"1.2.3.4"', '00000000000000000000ffff01020304'],
    ['IPv6', '"1:2::3:1.2.3.4"', '00010002000000000000000301020304'],
    ["Enum8('a' = 1, 'b' = -1)", '"b"', 'ff'],
    ["Enum8('a', 'b')", '"b"', '02'],
    ["Enum16('a' = 1000)", '1000', 'e803'],
    ['Nullable(UInt8)', 'null', '01'],
    ['Nullable(UInt8)', '7', '0007'],
    ['LowCardinality(Nullable(String))', '"x"', '000178'],
    ['UInt8', 'null', '00'],
    ['Array(UInt8)', '[ 1, "2" ,3 ]', '03010203'],
    ['Array(UInt8)', '[]', '00'],
    ['Array(Array(String))', '[["a]", "b"], [] ]', '0202' + '02615d' + '0162' + '00'],
    ['Map(String, UInt8)', '{ "a\\"" : 1 , "b":2}', '02' + '026122' + '01' + '0162' + '02'],
    ['Map(UInt8, String)', '{"1":"x"}', '01010178'],
    ['Decimal(9, 2)', '-1.239', '85ffffff'],
    ['Decimal(9, 2)', '"1e2"', '10270000'],
    ['Decimal32(2)', '.5', '32000000'],
  ];
  for (const [type, token, hex] of cases) {
    assert.equal(bytesOf(type, token).toString('hex'), hex, `${type} ${token}`);
  }
});

test('values that do not fit are refused', () => {
  const cases: [type: string, tokens: string[]][] = [
    ['UInt8', ['256', '-1', '1.5', '"x"', '""', '" 1"', '"0x10"', '[1]', '{}', '1e400']],
    ['Int8', ['128', '-129']],
    ['UInt32', ['4294967296', '"-1"']],
    ['UInt64', ['18446744073709551616', '-1', '1e30', '1.5e15.']],
    ['Int64', ['9223372036854775808', '-9223372036854775809', '"1_000"', '12345678901234567890.0']],
    ['Float32', ['1e39', '"abc"', '"1,5"']],
    ['Float64', ['true', '"e"', '"--1"']],
    ['Bool', ['2', '"yes"', '[]']],
    ['FixedString(2)', ['"abc"', '"éx"']],
    ['Date', ['"1969-12-31"', '"2149-06-07"', '"x"', '5']],
    ['Date32', ['"1899-12-31"', '"2300-01-01"']],
    ['DateTime', ['-1', '4294967296', '"2106-02-07T06:28:16Z"', '"soon"', 'true', '{}']],
    ['DateTime64(9)', ['"1899-12-31"', '"2262-04-12"', '"2300-01-01"', '"x"']],
    ['UUID', ['"61f0c404"', '"zzf0c404-5cb3-11e7-907b-a6006ad3dba0"', '1']],
    ['IPv4', ['"::1"', '"1.2.3"', '"256.1.1.1"', '1']],
    ['IPv6', ['"fe80::1%eth0"', '"x"', '""']],
    ["Enum8('a' = 1)", ['"b"', '2', 'null1']],
    ['Array(UInt8)', ['"[1]"', '{}', '1', '[256]', '[[1]]']],
    ['Map(String, UInt8)', ['[]', '{"a":256}', '"{}"']],
    ['Decimal(4, 2)', ['100', '"x"', '"."', '1e9999']],
    ['Nullable(UInt8)', ['256', '"null"']],
  ];
  for (const [type, tokens] of cases) {
    for (const token of tokens) {
      assert.throws(() => bytesOf(type, token), ValueMisfit, `${type} ${token}`);
    }
  }
});

test('integers of every width come back, digits and all', () => {
  for (const bits of [8, 16, 32, 64, 128, 256]) {
    for (const signed of [true, false]) {
      const type = `${signed ? '' : 'U'}Int${bits}`;
      const least = signed ? -(1n << BigInt(bits - 1)) : 0n;
      const most = (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
      const values = fc.bigInt({ min: least, max: most });
      fc.assert(
        fc.property(
          fc.oneof(values, fc.constantFrom(least, most)),
          fc.boolean(),
          (value, quoted) => {
            const token = quoted ? `"${value}"` : String(value);
            assert.equal(roundTrip(type, token), String(value));
          },
        ),
      );
    }
  }
});

test('texts, lists, maps and floats come back', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(
      text,
      fc.double(),
      fc.array(fc.array(text)),
      fc.dictionary(text, text),
      (...values) => {
        const [word, float, lists, map] = values;
        assert.equal(roundTrip('String', JSON.stringify(word)), JSON.stringify(word));
        const number = Number.isFinite(float)
          ? String(float)
          : JSON.stringify(String(float).slice(0, 4).toLowerCase().replace('infi', 'inf'));
        const read = roundTrip('Float64', number);
        if (Number.isFinite(float)) assert.equal(Number(read), Number(number));
        assert.deepEqual(
          JSON.parse(roundTrip('Array(Array(String))', JSON.stringify(lists))),
          lists,
        );
        assert.deepEqual(
          JSON.parse(roundTrip('Map(String, String)', JSON.stringify(map))),
          JSON.parse(JSON.stringify(map)),
        );
      },
    ),
  );
});

test('instants of every precision come back cut, never rounded', () => {
  const instants = fc.tuple(
    fc.integer({ min: -2_208_988_800, max: 9_000_000_000 }),
    fc.nat(999_999_999),
  );
  fc.assert(
    fc.property(instants, fc.nat(9), ([seconds, nanos], precision) => {
      const second = new Date(seconds * 1000).toISOString().slice(0, 19);
      const digits = String(nanos).padStart(9, '0');
      const kept = digits.slice(0, precision).padEnd(9, '0');
      const token = `"${second}.${digits}Z"`;
      assert.equal(roundTrip(`DateTime64(${precision})`, token), `"${second}.${kept}Z"`);
    }),
  );
});

test('addresses, names and decimals come back', () => {
  const cases: [type: string, token: string, read?: string][] = [
    ['IPv6', '"2001:db8:0:0:1::1"', '"2001:db8::1:0:0:1"'],
    ['IPv4', '"10.0.0.255"'],
    ['UUID', '"61f0c404-5cb3-11e7-907b-a6006ad3dba0"'],
    ["Enum8('a' = 1, 'it\\'s' = 2)", '"it\'s"'],
    ['FixedString(4)', '"é"'],
    ['Decimal(18, 3)', '-12.5', '-12.500'],
    ['Decimal(76, 0)', '9'.repeat(76)],
    ['Date32', '"1900-01-01"'],
    ['Date', '"2149-06-06"'],
    ['Nullable(Bool)', 'true'],
  ];
  for (const [type, token, read] of cases) assert.equal(roundTrip(type, token), read ?? token);
});

test('types that RowBinary is not written in are left to the server', () => {
  for (const type of ['JSON', 'Tuple(UInt8, String)', 'Array(JSON)', 'Variant(String, UInt8)']) {
    assert.equal(compileColumnType(type), undefined, type);
  }
});

test('what is no type is an error that names it', () => {
  const texts = [
    '',
    'UInt8)',
    'Array(',
    'Array()',
    'Map(String)',
    "Enum8('a' 1)",
    'Enum8()',
    'String(3)',
    'DateTime64(10)',
    `${'Array('.repeat(20)}UInt8${')'.repeat(20)}`,
  ];
  for (const text of texts) {
    assert.throws(() => compileColumnType(text), { code: 'SLUICE_OPTION_INVALID' }, text);
  }
});

test('a type is told as the server tells its own', () => {
  const cases = [
    ["Enum8('b'=2,'a'=-1)", "Enum8('a' = -1, 'b' = 2)"],
    ["Enum8('x','it\\'s')", "Enum8('x' = 1, 'it\\'s' = 2)"],
    ["DateTime64(9,'UTC')", "DateTime64(9, 'UTC')"],
    ['Map( String ,Array(Nullable(UInt8)))', 'Map(String, Array(Nullable(UInt8)))'],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalType(parseTypeText(text!)), expected);
});

test('rows that are cut short are refused', () => {
  const bytes = bytesOf('Array(String)', '["abc"]');
  for (let length = 0; length < bytes.length; length++) {
    const reader = new RowReader(bytes.subarray(0, length));
    assert.throws(() => compileColumnType('Array(String)')!.readJson(reader), RangeError);
  }
});
