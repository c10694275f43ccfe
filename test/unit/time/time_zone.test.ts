import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compileDateFormat } from '../../../core/time/date_parser.ts';
import { findTimeZone, systemTimeZoneName, timeZone } from '../../../core/time/time_zone.ts';

function toUtc(zone: string, local: string): string {
  const seconds = timeZone(zone).toUtc(Date.parse(`${local}Z`) / 1000);
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

describe('toUtc', () => {
  const rows: readonly [zone: string, local: string, utc: string, why: string][] = [
    ['Europe/Berlin', '2024-03-31T01:59:59', '2024-03-31T00:59:59', 'before the gap'],
    ['Europe/Berlin', '2024-03-31T02:00:00', '2024-03-31T01:00:00', 'gap begins: 03:00'],
    ['Europe/Berlin', '2024-03-31T02:30:00', '2024-03-31T01:30:00', 'in the gap: 03:30'],
    ['Europe/Berlin', '2024-03-31T03:00:00', '2024-03-31T01:00:00', 'after the gap'],
    ['Europe/Berlin', '2024-10-27T01:59:59', '2024-10-26T23:59:59', 'before the overlap'],
    ['Europe/Berlin', '2024-10-27T02:30:00', '2024-10-27T00:30:00', 'overlap: first time'],
    ['Europe/Berlin', '2024-10-27T03:00:00', '2024-10-27T02:00:00', 'after the overlap'],
    ['America/New_York', '2024-03-10T02:30:00', '2024-03-10T07:30:00', 'in the gap: 03:30 EDT'],
    ['America/New_York', '2024-11-03T01:30:00', '2024-11-03T05:30:00', 'overlap: first time, EDT'],
    ['America/New_York', '2024-11-03T02:00:00', '2024-11-03T07:00:00', 'after the overlap'],
    ['Australia/Lord_Howe', '2024-10-06T02:15:00', '2024-10-05T15:45:00', 'gap of half an hour'],
    ['Australia/Lord_Howe', '2024-10-06T02:30:00', '2024-10-05T15:30:00', 'after that gap'],
    ['Australia/Lord_Howe', '2024-04-07T01:45:00', '2024-04-06T14:45:00', 'overlap: first time'],
    ['Australia/Lord_Howe', '2024-04-07T02:00:00', '2024-04-06T15:30:00', 'after that overlap'],
    ['Asia/Kathmandu', '2024-03-09T12:00:00', '2024-03-09T06:15:00', 'a quarter hour'],
    ['Asia/Kathmandu', '1986-01-01T00:10:00', '1985-12-31T18:40:00', 'gap of 15 minutes in 1986'],
    ['America/St_Johns', '2024-03-10T02:30:00', '2024-03-10T06:00:00', 'in the gap'],
    ['America/St_Johns', '2024-11-03T01:30:00', '2024-11-03T04:00:00', 'overlap: first time'],
    ['Pacific/Apia', '2011-12-30T12:00:00', '2011-12-30T22:00:00', 'a day that never was'],
    ['America/Sao_Paulo', '2018-11-04T00:00:00', '2018-11-04T03:00:00', 'no midnight'],
    ['Africa/Casablanca', '2024-03-10T02:30:00', '2024-03-10T01:30:00', 'Ramadan: overlap'],
    ['Africa/Casablanca', '2024-04-14T02:30:00', '2024-04-14T02:30:00', 'after Ramadan: gap'],
    ['+05:30', '2024-03-09T12:00:00', '2024-03-09T06:30:00', 'fixed'],
    ['-0330', '2024-03-09T12:00:00', '2024-03-09T15:30:00', 'fixed'],
    ['Z', '2024-03-09T12:00:00', '2024-03-09T12:00:00', 'fixed'],
    ['utc', '2024-03-09T12:00:00', '2024-03-09T12:00:00', 'fixed'],
    ['europe/berlin', '2024-07-09T12:00:00', '2024-07-09T10:00:00', 'letter case is free'],
  ];
  for (const [zone, local, utc, why] of rows) {
    test(`${zone} ${local} is ${utc} (${why})`, () => {
      assert.equal(toUtc(zone, local), utc);
      // The answer must not depend on what was asked before.
      timeZone(zone).offsetSecondsAt(Date.parse(`${local}Z`) / 1000 + 4 * 3600);
      assert.equal(toUtc(zone, local), utc);
    });
  }

  test('a format without a zone follows its time zone through a change', () => {
    const parser = compileDateFormat('yyyy-MM-dd HH:mm:ss', { timezone: 'Europe/Berlin' });
    assert.ok(parser.parse('2024-03-31 02:30:00'));
    assert.equal(parser.seconds, Date.UTC(2024, 2, 31, 1, 30) / 1000);
  });
});

describe('timeZone', () => {
  const unknown: readonly [name: string, nearest: RegExp][] = [
    ['Europe/Berln', /Europe\/Berlin/],
    ['berlin', /Europe\/Berlin/],
    ['New York', /America\/New_York/],
    ['Mars/Olympus', /IANA name/],
    ['', /IANA name/],
    ['+25:00', /unknown/],
    ['x'.repeat(300), /IANA name/],
  ];
  for (const [name, nearest] of unknown) {
    test(`refuses ${JSON.stringify(name.slice(0, 20))} with advice`, () => {
      assert.throws(() => timeZone(name), {
        code: 'SLUICE_DATE_FORMAT_INVALID',
        message: nearest,
      });
      assert.equal(findTimeZone(name), undefined);
    });
  }

  test('knows the zone of the machine', () => {
    assert.ok(timeZone(systemTimeZoneName()));
  });

  test('keeps answering when more names come than it caches', () => {
    for (let index = 0; index < 600; index++)
      assert.equal(findTimeZone(`No/Zone${index}`), undefined);
    for (const name of Intl.supportedValuesOf('timeZone').slice(0, 100))
      assert.ok(findTimeZone(name));
    assert.equal(toUtc('Europe/Berlin', '2024-07-09T12:00:00'), '2024-07-09T10:00:00');
  });
});

const zoneNames = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Africa/Casablanca',
  'Pacific/Apia',
  'Asia/Gaza',
  'America/Sao_Paulo',
];

const formats = new Map(
  zoneNames.map((name) => [
    name,
    new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }),
  ]),
);

/** Offset by Intl, asked anew each time: what the cache must agree with. */
function offsetByIntl(zone: string, seconds: number): number {
  const values: Record<string, number> = {};
  for (const part of formats.get(zone)!.formatToParts(seconds * 1000)) {
    values[part.type] = Number(part.value);
  }
  const { year, month, day, hour, minute, second } = values;
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) / 1000 - seconds;
}

test('offsets are those of Intl at any instant from 1850 to 2150', () => {
  const instant = fc.integer({ min: -3_786_825_600, max: 5_680_281_600 });
  fc.assert(
    fc.property(fc.constantFrom(...zoneNames), instant, (zone, seconds) => {
      assert.equal(timeZone(zone).offsetSecondsAt(seconds), offsetByIntl(zone, seconds));
    }),
    { numRuns: 500 },
  );
});

test('an instant goes to local time and back, or to its first occurrence', () => {
  const instant = fc.integer({ min: 0, max: 4_102_444_800 });
  fc.assert(
    fc.property(fc.constantFrom(...zoneNames), instant, (name, seconds) => {
      const zone = timeZone(name);
      const local = seconds + zone.offsetSecondsAt(seconds);
      const back = zone.toUtc(local);
      assert.ok(back <= seconds);
      assert.equal(back + zone.offsetSecondsAt(back), local);
    }),
    { numRuns: 1000 },
  );
});
