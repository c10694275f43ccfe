import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  compileDatePattern,
  compileStrftime,
  formatJoda,
  iso8601BytesMax,
  writeIso8601,
} from '../../../core/time/date_formatter.ts';

/** Saturday 2024-03-09 13:04:05.006007008 UTC. */
const seconds = Date.UTC(2024, 2, 9, 13, 4, 5) / 1000;
const nanos = 6_007_008;

describe('compileDatePattern', () => {
  const rows: readonly [pattern: string, text: string, zone?: string][] = [
    ['YYYY.MM.dd', '2024.03.09'],
    ['yyyy.MM.dd.HH', '2024.03.09.13'],
    ['xxxx.ww', '2024.10'],
    ['yy-M-d', '24-3-9'],
    ['EEE EEEE e', 'Sat Saturday 6'],
    ['MMM MMMM', 'Mar March'],
    ['h K H k a', '1 1 13 13 PM'],
    ['D DDD', '69 069'],
    ['HH:mm:ss.SSS', '13:04:05.006'],
    ['ss.SSSSSSSSS', '05.006007008'],
    ["yyyy'T'HH''", "2024T13'"],
    ['Z ZZ', '+0000 +00:00'],
    ['Z ZZ ZZZ', '-0330 -03:30 America/St_Johns', 'America/St_Johns'],
    ['YYYY.MM.dd HH', '2024.03.10 00', '+11:00'],
    ['G C', 'AD 20'],
  ];
  for (const [pattern, text, zone] of rows) {
    test(`${pattern} writes ${text}`, () => {
      const format = compileDatePattern(pattern, zone);
      assert.equal(format(seconds, nanos), text);
      assert.equal(format(seconds, nanos), text);
    });
  }

  test('gives the same string within the unit and another after it', () => {
    const format = compileDatePattern('YYYY.MM.dd', 'Europe/Berlin');
    const midnight = Date.UTC(2024, 9, 26, 22) / 1000;
    assert.equal(format(midnight - 1, 0), '2024.10.26');
    // A day of 25 hours.
    assert.equal(format(midnight, 0), '2024.10.27');
    assert.equal(format(midnight + 25 * 3600 - 1, 0), '2024.10.27');
    assert.equal(format(midnight + 25 * 3600, 0), '2024.10.28');
    assert.equal(format(midnight, 0), '2024.10.27');
  });

  test('keeps a fraction fresh', () => {
    const format = compileDatePattern('ss.SSS');
    assert.equal(format(0, 1_000_000), '00.001');
    assert.equal(format(0, 2_000_000), '00.002');
  });

  test('refuses an unknown element', () => {
    assert.throws(() => compileDatePattern('YYYY.bb'), {
      code: 'SLUICE_DATE_FORMAT_INVALID',
      message: /"bb"/,
    });
    assert.throws(() => compileDatePattern('YYYY', 'Nowhere/Atall'), {
      code: 'SLUICE_DATE_FORMAT_INVALID',
    });
  });

  test('formats one instant at a time with formatJoda', () => {
    assert.equal(formatJoda('YYYY.MM.dd', seconds), '2024.03.09');
  });

  test('writes the ISO week at the turn of years', () => {
    const rows: readonly [date: string, week: string][] = [
      ['2020-12-31', '2020.53'],
      ['2021-01-03', '2020.53'],
      ['2021-01-04', '2021.01'],
      ['2018-12-31', '2019.01'],
    ];
    for (const [date, week] of rows)
      assert.equal(formatJoda('xxxx.ww', Date.parse(date) / 1000), week);
  });
});

describe('compileStrftime', () => {
  const rows: readonly [pattern: string, text: string, zone?: string][] = [
    ['%Y.%m.%d', '2024.03.09'],
    ['%F %T', '2024-03-09 13:04:05'],
    ['%D %R', '03/09/24 13:04'],
    ['%e|%-d|%_d|%d', ' 9|9| 9|09'],
    ['%a %A %b %B %h', 'Sat Saturday Mar March Mar'],
    ['%^a %^b', 'SAT MAR'],
    ['%I %l %p %P', '01  1 PM pm'],
    ['%j %u %w %V %G %g', '069 6 6 10 2024 24'],
    ['%U %W', '09 10'],
    ['%L %f %N %3N %6N', '006 006007 006007008 006 006007'],
    ['%s', String(seconds)],
    ['%z %:z %Z', '+0545 +05:45 Asia/Kathmandu', 'Asia/Kathmandu'],
    ['%C%y %%', '2024 %'],
    ['%n%t', '\n\t'],
    ['logs-%Y', 'logs-2024'],
  ];
  for (const [pattern, text, zone] of rows) {
    test(`${pattern} writes ${JSON.stringify(text)}`, () => {
      assert.equal(compileStrftime(pattern, zone)(seconds, nanos), text);
    });
  }

  test('refuses an unknown element', () => {
    assert.throws(() => compileStrftime('%Y-%Q'), {
      code: 'SLUICE_DATE_FORMAT_INVALID',
      message: /%Q/,
    });
  });
});

describe('writeIso8601', () => {
  function write(at: number, rest: number, digits: 0 | 3 | 6 | 9): string {
    const bytes = Buffer.alloc(iso8601BytesMax + 4, '#');
    const end = writeIso8601(bytes, 2, at, rest, digits);
    assert.equal(bytes.toString('latin1', 0, 2), '##');
    assert.equal(bytes[end], 35);
    return bytes.toString('latin1', 2, end);
  }

  test('writes 0, 3, 6 or 9 digits, cut off', () => {
    assert.equal(write(seconds, 999_999_999, 0), '2024-03-09T13:04:05Z');
    assert.equal(write(seconds, 999_999_999, 3), '2024-03-09T13:04:05.999Z');
    assert.equal(write(seconds, nanos, 6), '2024-03-09T13:04:05.006007Z');
    assert.equal(write(seconds, nanos, 9), '2024-03-09T13:04:05.006007008Z');
    assert.equal(write(seconds, 0, 9), '2024-03-09T13:04:05.000000000Z');
  });

  test('writes years outside four digits as Date does', () => {
    for (const at of [-62_167_219_201, 253_402_300_800, 8_640_000_000_000, -8_640_000_000_000]) {
      assert.equal(write(at, 0, 3), new Date(at * 1000).toISOString());
    }
    assert.equal(write(9e15, 0, 0), '+275760-09-13T00:00:00Z');
  });

  test('agrees with Date at any instant', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }),
        fc.integer({ min: 0, max: 999 }),
        fc.integer({ min: -1, max: 86_401 }),
        (at, ms, step) => {
          // The second time is near the first, so that the memo of the day is used.
          for (const instant of [at, Math.min(at + step, 253_402_300_799)]) {
            assert.equal(
              write(instant, ms * 1_000_000, 3),
              new Date(instant * 1000 + ms).toISOString(),
            );
          }
        },
      ),
    );
  });
});
