import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileDateFormat } from '../../../core/time/date_parser.ts';

/** Reads `text` as if it were `now`, in `timezone`; gives ISO text in UTC. */
function readAt(now: string, format: string, text: string, timezone = 'UTC'): string {
  const referenceTime = () => ({ seconds: Date.parse(now) / 1000 });
  const parser = compileDateFormat(format, { timezone, referenceTime });
  if (!parser.parse(text)) return 'refused';
  return new Date(parser.seconds * 1000).toISOString().slice(0, 19);
}

type Row = readonly [now: string, format: string, text: string, expected: string, zone?: string];

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    for (const [now, format, text, expected, zone] of rows) {
      test(`at ${now}, ${format} reads ${text} as ${expected} (${zone ?? 'UTC'})`, () => {
        assert.equal(readAt(now, format, text, zone), expected);
      });
    }
  });
}

const syslog = '%b %d %H:%M:%S';

table('a text without a year', [
  ['2025-01-01T00:05:00Z', syslog, 'Dec 31 23:59:58', '2024-12-31T23:59:58'],
  ['2024-12-31T23:59:00Z', syslog, 'Jan  1 00:00:03', '2025-01-01T00:00:03'],
  ['2024-12-31T23:59:00Z', syslog, 'Dec 31 23:58:00', '2024-12-31T23:58:00'],
  ['2025-01-20T00:00:00Z', syslog, 'Nov 30 10:00:00', '2024-11-30T10:00:00'],
  ['2024-06-15T00:00:00Z', syslog, 'Jun 14 10:00:00', '2024-06-14T10:00:00'],
  ['2024-06-15T00:00:00Z', 'MMM dd HH:mm:ss', 'Jan 01 00:00:00', '2024-01-01T00:00:00'],
  // Local New Year: 23:30 UTC is half past midnight in Berlin.
  ['2024-12-31T23:30:00Z', syslog, 'Jan  1 00:29:00', '2024-12-31T23:29:00', 'Europe/Berlin'],
  ['2024-12-31T23:30:00Z', syslog, 'Dec 31 23:59:00', '2024-12-31T22:59:00', 'Europe/Berlin'],
  ['2025-03-01T00:00:00Z', syslog, 'Feb 29 10:00:00', '2024-02-29T10:00:00'],
  ['2026-03-01T00:00:00Z', syslog, 'Feb 29 10:00:00', '2024-02-29T10:00:00'],
  ['2024-03-01T00:00:00Z', syslog, 'Feb 29 10:00:00', '2024-02-29T10:00:00'],
  ['2023-12-31T00:00:00Z', syslog, 'Feb 29 10:00:00', '2020-02-29T10:00:00'],
  ['2024-02-10T00:00:00Z', syslog, 'Feb 29 10:00:00', '2024-02-29T10:00:00'],
  ['2103-03-01T00:00:00Z', syslog, 'Feb 29 10:00:00', '2096-02-29T10:00:00'],
  // An old file that is read late in the year: nearest would be the year to come.
  ['2024-11-21T00:00:00Z', syslog, 'Mar  1 10:00:00', '2024-03-01T10:00:00'],
  ['2024-11-21T10:00:00Z', syslog, 'Dec 22 10:00:00', '2024-12-22T10:00:00'],
  ['2024-11-21T10:00:00Z', syslog, 'Dec 22 10:00:01', '2023-12-22T10:00:01'],
  ['2024-03-01T00:00:00Z', syslog, 'Oct  1 10:00:00', '2023-10-01T10:00:00'],
  ['2102-03-01T00:00:00Z', syslog, 'Feb 29 10:00:00', '2096-02-29T10:00:00'],
  ['2024-03-01T00:00:00Z', syslog, 'Feb 30 10:00:00', 'refused'],
  ['2025-01-01T00:05:00Z', '%j %H:%M', '366 23:59', '2024-12-31T23:59:00'],
]);

table('a text without a date', [
  ['2024-03-09T12:00:00Z', '%H:%M:%S', '11:59:59', '2024-03-09T11:59:59'],
  ['2024-03-09T00:00:05Z', '%H:%M:%S', '23:59:59', '2024-03-08T23:59:59'],
  ['2024-03-09T23:59:58Z', '%H:%M:%S', '00:00:01', '2024-03-10T00:00:01'],
  ['2024-03-09T18:00:00Z', 'HH:mm', '05:00', '2024-03-09T05:00:00'],
  ['2024-03-09T18:00:00Z', 'HH:mm', '21:00', '2024-03-09T21:00:00'],
  ['2024-03-09T18:00:00Z', 'HH:mm', '21:01', '2024-03-08T21:01:00'],
  ['2024-03-09T23:00:00Z', 'HH:mm', '02:00', '2024-03-10T02:00:00'],
  ['2024-03-09T23:00:00Z', 'HH:mm', '02:01', '2024-03-09T02:01:00'],
  ['2024-03-09T23:30:00Z', 'HH:mm', '00:29', '2024-03-09T23:29:00', 'Europe/Berlin'],
  ['2024-03-09T23:30:00Z', 'HH:mm Z', '18:29 -0500', '2024-03-09T23:29:00', 'Europe/Berlin'],
]);

table('a text without a month', [
  ['2024-03-01T00:05:00Z', '%d %H:%M', '29 23:59', '2024-02-29T23:59:00'],
  ['2024-01-01T00:05:00Z', '%d %H:%M', '31 23:59', '2023-12-31T23:59:00'],
  ['2024-12-31T23:55:00Z', '%d %H:%M', '01 00:00', '2025-01-01T00:00:00'],
  ['2024-03-05T00:00:00Z', '%d %H:%M', '31 00:00', '2024-01-31T00:00:00'],
  ['2024-03-05T00:00:00Z', '%d %H:%M', '09 00:00', '2024-02-09T00:00:00'],
]);

test('a text without a year follows the clock, not the memo', () => {
  let now = Date.UTC(2024, 11, 31, 12) / 1000;
  const parser = compileDateFormat(syslog, { referenceTime: () => ({ seconds: now }) });
  assert.ok(parser.parse('Dec 31 11:00:00'));
  assert.equal(parser.seconds, Date.UTC(2024, 11, 31, 11) / 1000);
  now += 365 * 86_400;
  assert.ok(parser.parse('Dec 31 11:00:00'));
  assert.equal(parser.seconds, Date.UTC(2025, 11, 31, 11) / 1000);
});

test('the clock of the machine is the reference by default', () => {
  const parser = compileDateFormat('HH:mm:ss');
  assert.ok(parser.parse('12:00:00'));
  const agoSeconds = Date.now() / 1000 - parser.seconds;
  assert.ok(agoSeconds >= -3 * 3600 && agoSeconds <= 21 * 3600 + 100);
});
