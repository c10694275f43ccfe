import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compileDateFormat, type DateFormatOptions } from '../../../core/time/date_parser.ts';

/** The instant as ISO text with nine digits, or `refused`. */
function read(format: string, text: string, options: DateFormatOptions = {}): string {
  const parser = compileDateFormat(format, options);
  const parsed = parser.parse(text);
  const bytes = Buffer.from(`<${text}>`);
  const seconds = parser.seconds;
  const nanos = parser.nanos;
  const again = compileDateFormat(format, options);
  assert.equal(again.parseBytes(bytes, 1, bytes.length - 1), parsed, 'bytes and text agree');
  if (!parsed) return 'refused';
  assert.deepEqual([again.seconds, again.nanos], [seconds, nanos], 'bytes and text agree');
  assert.ok(Number.isInteger(seconds) && Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9);
  const second = new Date(seconds * 1000).toISOString().replace('.000Z', '');
  return `${second}.${String(nanos).padStart(9, '0')}`;
}

type Row = readonly [format: string, text: string, expected: string, options?: DateFormatOptions];

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    for (const [format, text, expected, options] of rows) {
      test(`${format} reads ${JSON.stringify(text)} as ${expected}`, () => {
        const whole = /^-?\d+-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(expected)
          ? `${expected}.000000000`
          : expected;
        assert.equal(read(format, text, options), whole);
      });
    }
  });
}

const march = { referenceTime: () => ({ seconds: Date.UTC(2024, 2, 9, 12) / 1000 }) };

table('named log formats', [
  ['dd/MMM/yyyy:HH:mm:ss Z', '10/Oct/2000:13:55:36 -0700', '2000-10-10T20:55:36'],
  ['%d/%b/%Y:%H:%M:%S %z', '10/Oct/2000:13:55:36 -0700', '2000-10-10T20:55:36'],
  ['%a %b %d %H:%M:%S.%f %Y', 'Fri Sep 09 10:42:29.902022 2011', '2011-09-09T10:42:29.902022000'],
  ['%Y/%m/%d %H:%M:%S', '2024/03/09 12:00:01', '2024-03-09T12:00:01'],
  ['yyyy/MM/dd HH:mm:ss', '2024/03/09 12:00:01', '2024-03-09T12:00:01'],
  ['%b %d %H:%M:%S', 'Mar  9 11:22:33', '2024-03-09T11:22:33', march],
  ['MMM  d HH:mm:ss', 'Mar  9 11:22:33', '2024-03-09T11:22:33', march],
  ['MMM d HH:mm:ss', 'Mar  9 11:22:33', '2024-03-09T11:22:33', march],
  ['MMM dd HH:mm:ss', 'Feb 10 11:22:33', '2024-02-10T11:22:33', march],
  ['MMM dd yyyy HH:mm:ss', 'Feb 10 2023 11:22:33', '2023-02-10T11:22:33'],
  ['%Y-%m-%dT%H:%M:%S.%L%z', '2003-10-11T22:14:15.003Z', '2003-10-11T22:14:15.003000000'],
  ['ISO8601', '2003-08-24T05:14:15.000003-07:00', '2003-08-24T12:14:15.000003000'],
  ['yyyy-MM-dd HH:mm:ss,SSS', '2024-03-09 12:00:01,234', '2024-03-09T12:00:01.234000000'],
  ['%Y-%m-%d %H:%M:%S,%L', '2024-03-09 12:00:01,234', '2024-03-09T12:00:01.234000000'],
  ['%Y-%m-%d %H:%M:%S.%L %Z', '2024-03-09 12:00:01.234 CET', '2024-03-09T11:00:01.234000000'],
  ['yyyy-MM-dd HH:mm:ss.SSS z', '2024-03-09 12:00:01.234 EST', '2024-03-09T17:00:01.234000000'],
  ['dd MMM yyyy HH:mm:ss.SSS', '09 Mar 2024 12:00:01.234', '2024-03-09T12:00:01.234000000'],
  ['%d %b %Y %H:%M:%S.%L', '09 Mar 2024 12:00:01.234', '2024-03-09T12:00:01.234000000'],
  ['ISO8601', '2024-03-09T12:00:01.234+00:00', '2024-03-09T12:00:01.234000000'],
  ['%Y-%m-%d %H:%M:%S', '2024-03-09 00:00:59', '2024-03-09T00:00:59'],
  ['%Y-%m-%dT%H:%M:%S.%L', '2024-03-09T12:00:01.123456789Z', '2024-03-09T12:00:01.123456789'],
  [
    '%Y-%m-%dT%H:%M:%S.%N%:z',
    '2024-03-09T12:00:01.123456789+01:00',
    '2024-03-09T11:00:01.123456789',
  ],
  ['%m%d %H:%M:%S.%f', '0309 12:00:01.000123', '2024-03-09T12:00:01.000123000', march],
  ['EEE MMM dd HH:mm:ss yyyy', 'Sat Mar 09 12:00:01 2024', '2024-03-09T12:00:01'],
  ['MM/dd/yyyy hh:mm:ss a', '03/09/2024 01:02:03 PM', '2024-03-09T13:02:03'],
]);

table('strptime', [
  ['%F %T', '2024-02-29 23:59:59', '2024-02-29T23:59:59'],
  ['%D %R', '03/09/24 12:34', '2024-03-09T12:34:00'],
  ['%y%m%d', '680101', '2068-01-01T00:00:00'],
  ['%y%m%d', '690101', '1969-01-01T00:00:00'],
  ['%C%y-%m-%d', '1985-06-07', '1985-06-07T00:00:00'],
  ['%Y-%j', '2024-366', '2024-12-31T00:00:00'],
  ['%Y-%j', '2023-366', 'refused'],
  ['%A, %d %B %Y', 'saturday, 09 MARCH 2024', '2024-03-09T00:00:00'],
  ['%a, %d %h %Y %I:%M:%S %p', 'Sat, 9 mar 2024 12:00:00 am', '2024-03-09T00:00:00'],
  ['%d %b %Y %I%p', '9 Mar 2024 12PM', '2024-03-09T12:00:00'],
  ['%r %F', '01:02:03 PM 2024-03-09', '2024-03-09T13:02:03'],
  ['%c', 'Sat Mar  9 12:00:01 2024', '2024-03-09T12:00:01'],
  ['%e/%m/%Y', ' 9/3/2024', '2024-03-09T00:00:00'],
  ['%-d/%-m/%Y', '9/3/2024', '2024-03-09T00:00:00'],
  ['%G-W%V-%u', '2020-W53-7', '2021-01-03T00:00:00'],
  ['%Y%n%m%t%d', '2024 \t03 09', '2024-03-09T00:00:00'],
  ['%Y%%%m', '2024%03', '2024-03-01T00:00:00'],
  ['%F %T%L', '2024-03-09 12:00:01.5', '2024-03-09T12:00:01.500000000'],
  ['%F %T.%3N', '2024-03-09 12:00:01.125', '2024-03-09T12:00:01.125000000'],
  ['%F %T.%L', '2024-03-09 12:00:01.1234567891234', '2024-03-09T12:00:01.123456789'],
  ['%F %T %z', '2024-03-09 12:00:00 +0530', '2024-03-09T06:30:00'],
  ['%F %T %z', '2024-03-09 12:00:00 +05:30', '2024-03-09T06:30:00'],
  ['%F %T %z', '2024-03-09 12:00:00 +05', '2024-03-09T07:00:00'],
  ['%F %T %z', '2024-03-09 12:00:00 Z', '2024-03-09T12:00:00'],
  ['%F %T%z', '2024-03-09 12:00:00-0330', '2024-03-09T15:30:00'],
  ['%F %T %Z', '2024-07-09 12:00:00 PDT', '2024-07-09T19:00:00'],
  ['%F %T %Z', '2024-07-09 12:00:00 Europe/Berlin', '2024-07-09T10:00:00'],
  ['%F %T %Z', '2024-07-09 12:00:00 Nowhere/Atall', 'refused'],
  ['%F %T %Z', '2024-07-09 12:00:00 GMT+0200', '2024-07-09T10:00:00'],
  ['%s', '1700000000', '2023-11-14T22:13:20'],
  ['%s.%L', '1700000000.5', '2023-11-14T22:13:20.500000000'],
  ['%s.%L', '-1.5', '1969-12-31T23:59:58.500000000'],
  ['%s.%L', '-0.25', '1969-12-31T23:59:59.750000000'],
  ['%Y年%m月%d日', '2024年03月09日', '2024-03-09T00:00:00'],
  ['%F %T', '2024-03-09 12:00:00 garbage', 'refused'],
  ['%F %T', '2024-03-09 12:00:00 garbage', '2024-03-09T12:00:00', { trailingText: 'ignore' }],
  ['%F %T', '2024-03-09 12:00:00 +0100', '2024-03-09T11:00:00'],
  ['%F', '2024-03-09-05', 'refused'],
]);

table('Joda', [
  ["yyyy-MM-dd'T'HH:mm:ss.SSSZZ", '2024-03-09T12:00:00.123+01:00', '2024-03-09T11:00:00.123000000'],
  [
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSS",
    '2024-03-09T12:00:00.123456789',
    '2024-03-09T12:00:00.123456789',
  ],
  ['yyyyMMddHHmmssSSS', '20240309120001123', '2024-03-09T12:00:01.123000000'],
  ['yyyy-MM-dd HH:mm:ss.SSS', '2024-03-09 12:00:01.123456', '2024-03-09T12:00:01.123456000'],
  ['yy/M/d H:m:s', '24/3/9 1:2:3', '2024-03-09T01:02:03'],
  ['yyyy-MM-dd', '24-03-09', 'refused'],
  ['uuuu-MM-dd', '2024-03-09', '2024-03-09T00:00:00'],
  ['d MMMM yyyy', '9 september 2024', '2024-09-09T00:00:00'],
  ['d MMM yyyy', '9 Sept 2024', '2024-09-09T00:00:00'],
  ['EEEE, d MMM yyyy', 'Sat, 9 Mar 2024', '2024-03-09T00:00:00'],
  ['yyyy-MM-dd kk:mm', '2024-03-09 24:30', '2024-03-09T00:30:00'],
  ['yyyy-MM-dd KK:mm a', '2024-03-09 00:30 PM', '2024-03-09T12:30:00'],
  ['yyyy-MM-dd HH', '2024-03-09 24', 'refused'],
  ['yyyy.DDD', '2023.365', '2023-12-31T00:00:00'],
  ["xxxx-'W'ww-e", '2020-W53-7', '2021-01-03T00:00:00'],
  ['yyyy-MM-dd HH:mm ZZZ', '2024-07-09 12:00 America/St_Johns', '2024-07-09T14:30:00'],
  ['yyyy-MM-dd HH:mm ZZZ', '2024-07-09 12:00 +02:00', '2024-07-09T10:00:00'],
  ['yyyy-MM-dd HH:mm z', '2024-07-09 12:00 QQQ', 'refused'],
  ["hh 'o''clock' a, yyyy-MM-dd", "03 o'clock PM, 2024-03-09", '2024-03-09T15:00:00'],
  ['MMM  d HH:mm:ss', 'Mar 11 01:02:03', '2024-03-11T01:02:03', march],
  ['yyyy G', '2024 AD', '2024-01-01T00:00:00'],
  ['yyyy-MM-dd', '2024-03-09 12:00', 'refused'],
  ['yyyy-MM-dd', '2024-03-0', 'refused'],
  ['yyyy-MM-dd', '', 'refused'],
]);

table('ISO8601', [
  ['ISO8601', '2024-03-09T12:00:01Z', '2024-03-09T12:00:01'],
  ['iso8601', '2024-03-09t12:00:01z', '2024-03-09T12:00:01'],
  ['ISO8601', '2024-03-09 12:00:01', '2024-03-09T12:00:01'],
  ['ISO8601', '2024-03-09 12:00:01', '2024-03-09T11:00:01', { timezone: 'Europe/Berlin' }],
  ['ISO8601', '2024-03-09T12:00:01+01', '2024-03-09T11:00:01'],
  ['ISO8601', '2024-03-09T12:00:01+0130', '2024-03-09T10:30:01'],
  ['ISO8601', '2024-03-09T12:00:01-01:30', '2024-03-09T13:30:01'],
  ['ISO8601', '2024-03-09 12:00:01 +0000', '2024-03-09T12:00:01'],
  ['ISO8601', '2024-03-09 12:00:01,123 UTC', '2024-03-09T12:00:01.123000000'],
  ['ISO8601', '2024-03-09T12:00:01.123456789Z', '2024-03-09T12:00:01.123456789'],
  ['ISO8601', '2024-03-09T12:00:01.1234567890123Z', '2024-03-09T12:00:01.123456789'],
  ['ISO8601', '2024-03-09T12:00:01.5', '2024-03-09T12:00:01.500000000'],
  ['ISO8601', '2024-03-09T12:00Z', '2024-03-09T12:00:00'],
  ['ISO8601', '2024-03-09T12', '2024-03-09T12:00:00'],
  ['ISO8601', '2024-03-09', '2024-03-09T00:00:00'],
  ['ISO8601', '2024-03', '2024-03-01T00:00:00'],
  ['ISO8601', '2024-069', '2024-03-09T00:00:00'],
  ['ISO8601', '2024-W10-6', '2024-03-09T00:00:00'],
  ['ISO8601', '20240309T120001Z', '2024-03-09T12:00:01'],
  ['ISO8601', '20240309T120001.25+0100', '2024-03-09T11:00:01.250000000'],
  ['ISO8601', '20240309', '2024-03-09T00:00:00'],
  ['ISO8601', '2024-12-31T24:00:00Z', '2025-01-01T00:00:00'],
  ['ISO8601', '2024-12-31T24:00', '2025-01-01T00:00:00'],
  ['ISO8601', '2024-12-31T24:00:01Z', 'refused'],
  ['ISO8601', '2024-12-31T24:00:00.1Z', 'refused'],
  ['ISO8601', '2016-12-31T23:59:60Z', '2017-01-01T00:00:00'],
  ['ISO8601', '2016-12-31T23:59:61Z', 'refused'],
  ['ISO8601', '0000-01-01T00:00:00Z', '0000-01-01T00:00:00'],
  ['ISO8601', '9999-12-31T23:59:59Z', '9999-12-31T23:59:59'],
  ['ISO8601', '9999-12-31T23:59:59-01:00', 'refused'],
  ['ISO8601', '0000-01-01T00:00:00+01:00', 'refused'],
  ['ISO8601', '2024', 'refused'],
  ['ISO8601', '2024-03-09T', 'refused'],
  ['ISO8601', '2024-03-09T12:', 'refused'],
  ['ISO8601', '2024-03-09T12:00:01.', 'refused'],
  ['ISO8601', '2024-03-09T12:00:01+24:00', 'refused'],
  ['ISO8601', '2024-03-09T12:00:01+1', 'refused'],
  ['ISO8601', '2024-03-09T12:00:01+01:6', 'refused'],
  ['ISO8601', '2024-03-09T12:00:01Zx', 'refused'],
  ['ISO8601', '2024-13-01', 'refused'],
  ['ISO8601', '2024-00-01', 'refused'],
  ['ISO8601', '2024-02-30', 'refused'],
  ['ISO8601', '2023-02-29', 'refused'],
  ['ISO8601', '2024-04-31', 'refused'],
  ['ISO8601', '1900-02-29', 'refused'],
  ['ISO8601', '2000-02-29', '2000-02-29T00:00:00'],
  ['ISO8601', '2024-03-09T25:00', 'refused'],
  ['ISO8601', '2024-03-09T12:60', 'refused'],
  ['ISO8601', '2021-W53-1', 'refused'],
  ['ISO8601', '２０２４-03-09', 'refused'],
]);

table('epochs', [
  ['UNIX', '0', '1970-01-01T00:00:00'],
  ['UNIX', '1700000000.123456789', '2023-11-14T22:13:20.123456789'],
  ['UNIX', '1700000000.1234567899', '2023-11-14T22:13:20.123456789'],
  ['UNIX', '-1', '1969-12-31T23:59:59'],
  ['UNIX', '-0.000000001', '1969-12-31T23:59:59.999999999'],
  ['UNIX', '-1.5', '1969-12-31T23:59:58.500000000'],
  ['UNIX', '1700000000000', 'refused'],
  ['UNIX', '1.7e9', 'refused'],
  ['UNIX', '', 'refused'],
  ['UNIX', '-', 'refused'],
  ['UNIX', '1.', 'refused'],
  ['UNIX', '.5', 'refused'],
  ['UNIX', 'NaN', 'refused'],
  ['UNIX', '99999999999999999999', 'refused'],
  ['UNIX_MS', '1700000000123', '2023-11-14T22:13:20.123000000'],
  ['UNIX_MS', '1700000000123.456789', '2023-11-14T22:13:20.123456789'],
  ['UNIX_MS', '-1', '1969-12-31T23:59:59.999000000'],
  ['UNIX_MS', '0', '1970-01-01T00:00:00'],
  ['TAI64N', '@400000004a32392b2aa21dac', '2009-06-12T11:16:49.715267500'],
  ['TAI64N', '400000000000000a00000000', '1970-01-01T00:00:00'],
  ['TAI64N', '@3fffffffffffffff00000001', '1969-12-31T23:59:49.000000001'],
  ['TAI64N', '@400000004a32392b', 'refused'],
  ['TAI64N', '@400000004a32392bffffffff', 'refused'],
  ['TAI64N', '@7fffffffffffffff00000000', 'refused'],
  ['TAI64N', '@400000004a32392b2aa21dag', 'refused'],
]);

describe('compileDateFormat', () => {
  const invalid: readonly [format: string, named: RegExp][] = [
    ['%Y-%Q', /"%Q"/],
    ['%Y-%', /"%"/],
    ['%Y %:d', /"%:d"/],
    ['yyyy-MM-dd T HH', /"T"/],
    ['yyyy-bb', /"bb"/],
    ["yyyy 'open", /'open/],
    ['', /no element/],
    ["'at' Z", /no element/],
    ['--', /no element/],
  ];
  for (const [format, named] of invalid) {
    test(`refuses the format ${JSON.stringify(format)} and names the element`, () => {
      assert.throws(() => compileDateFormat(format), {
        code: 'SLUICE_DATE_FORMAT_INVALID',
        message: named,
      });
    });
  }

  test('refuses an unknown zone and names the nearest', () => {
    assert.throws(() => compileDateFormat('ISO8601', { timezone: 'Europe/Berlni' }), {
      code: 'SLUICE_DATE_FORMAT_INVALID',
      message: /Europe\/Berlin/,
    });
  });

  test('refuses a text longer than any date and keeps the last result', () => {
    const parser = compileDateFormat('ISO8601');
    assert.ok(parser.parse('2024-03-09'));
    const { seconds } = parser;
    assert.equal(parser.parse(`2024-03-09T12:00:00.${'1'.repeat(300)}`), false);
    assert.equal(parser.parse(`é${'日'.repeat(100)}`), false);
    assert.equal(parser.seconds, seconds);
  });

  test('takes a fraction anew although the second is remembered', () => {
    const parser = compileDateFormat('ISO8601');
    const rows: readonly [string, number, number][] = [
      ['1970-01-01T00:00:01.001Z', 1, 1_000_000],
      ['1970-01-01T00:00:01.002Z', 1, 2_000_000],
      ['1970-01-01T00:00:02.002Z', 2, 2_000_000],
      ['1970-01-01T00:00:02.02Z', 2, 20_000_000],
      ['1970-01-01T00:00:02.02+', 2, -1],
      ['1970-01-01T00:00:02.0xZ', 2, -1],
      ['1970-01-01T00:00:02.999999999Z', 2, 999_999_999],
      ['1970-01-01T00:00:02Z', 2, 0],
      ['1970-01-01T00:00:02Z', 2, 0],
    ];
    for (const [text, seconds, nanos] of rows) {
      assert.equal(parser.parse(text), nanos >= 0, text);
      if (nanos >= 0) assert.deepEqual([parser.seconds, parser.nanos], [seconds, nanos], text);
    }
  });

  test('does not let the end of a day grow a fraction through the memo', () => {
    const parser = compileDateFormat('ISO8601');
    assert.ok(parser.parse('2024-03-09T24:00:00.0Z'));
    assert.equal(parser.parse('2024-03-09T24:00:00.1Z'), false);
  });
});

test('a parser that has read many dates reads each as a new one does', () => {
  const pad = (n: number) => String(n).padStart(2, '0');
  const text = fc.oneof(
    fc.nat(400).map((n) => `10/Oct/2000:13:${pad(n % 60)}:${pad((n * 7) % 61)} -0700`),
    fc.nat(20).map((n) => `10/Oct/2000:13:05:0${n} +0000`),
    fc.constantFrom('', 'x', '10/Oct/2000:13:05:07', '10/Oct/2000:13:05:07 +0000 and more'),
  );
  const formats = ['dd/MMM/yyyy:HH:mm:ss Z', '%d/%b/%Y:%H:%M:%S %z'];
  fc.assert(
    fc.property(
      fc.constantFrom(...formats),
      fc.array(text, { minLength: 1, maxLength: 300 }),
      (format, texts) => {
        const parser = compileDateFormat(format);
        const seconds = texts.map((one) => (parser.parse(one) ? parser.seconds : 'refused'));
        const expected = texts.map((one) => {
          const fresh = compileDateFormat(format);
          return fresh.parse(one) ? fresh.seconds : 'refused';
        });
        assert.deepEqual(seconds, expected);
      },
    ),
    { numRuns: 50 },
  );
});
