import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  civilFromDays,
  daysFromCivil,
  daysInMonth,
  isLeapYear,
  weekdayOf,
  weeksInYear,
} from '../../../core/time/calendar.ts';

test('days and dates agree with Date, both ways', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
      const date = new Date(days * 86_400_000);
      const civil = { year: 0, month: 0, day: 0 };
      civilFromDays(days, civil);
      assert.deepEqual(civil, {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      });
      assert.equal(daysFromCivil(civil.year, civil.month, civil.day), days);
      assert.equal(weekdayOf(days) % 7, date.getUTCDay());
    }),
  );
});

test('leap years follow the Gregorian rule', () => {
  const rows: readonly [year: number, isLeap: boolean][] = [
    [1900, false],
    [2000, true],
    [2023, false],
    [2024, true],
    [2100, false],
    [0, true],
  ];
  for (const [year, isLeap] of rows) {
    assert.equal(isLeapYear(year), isLeap);
    assert.equal(daysInMonth(year, 2), isLeap ? 29 : 28);
  }
});

test('long ISO years have 53 weeks', () => {
  assert.deepEqual([2015, 2020, 2021, 2024, 2026].map(weeksInYear), [53, 53, 52, 52, 53]);
});
