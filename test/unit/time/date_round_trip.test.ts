import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileDatePattern, compileStrftime } from '../../../core/time/date_formatter.ts';
import { compileDateFormat, type DateParser } from '../../../core/time/date_parser.ts';
import { timeZone } from '../../../core/time/time_zone.ts';

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/St_Johns',
  '+05:30',
];

const withZone = [
  "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSZZ",
  'dd/MMM/yyyy:HH:mm:ss Z',
  'EEEE, d MMMM yyyy hh:mm:ss.SSSSSS a Z',
  "xxxx-'W'ww-e kk:mm:ss Z",
  '%Y-%m-%dT%H:%M:%S.%L%z',
  '%a %b %e %I:%M:%S.%9N %p %Y %:z',
  '%s.%N',
];

const withoutZone = [
  'yyyy-MM-dd HH:mm:ss,SSS',
  'yyyyMMddHHmmssSSS',
  'yyyy.DDD K:mm:ss.SSSSSSSSS a',
  '%d %b %Y %T.%f',
  '%Y-%j %l:%M:%S %P',
];

const seconds = fc.integer({ min: -62_167_000_000, max: 253_402_000_000 });
const modernSeconds = fc.integer({ min: 0, max: 4_102_444_800 });
const nanos = fc.integer({ min: 0, max: 999_999_999 });

function format(pattern: string, zone: string): (seconds: number, nanos: number) => string {
  return pattern.includes('%') ? compileStrftime(pattern, zone) : compileDatePattern(pattern, zone);
}

/** Digits of the fraction that a pattern keeps. */
function keptNanos(pattern: string, value: number): number {
  const joda = /S{3,}/.exec(pattern)?.[0].length ?? 0;
  const strptime = /%(9N|N)/.test(pattern)
    ? 9
    : /%f/.test(pattern)
      ? 6
      : /%L/.test(pattern)
        ? 3
        : 0;
  const unit = 10 ** (9 - (pattern.includes('%') ? strptime : joda));
  return Math.floor(value / unit) * unit;
}

function assertReads(parser: DateParser, text: string, wanted: readonly [number, number]): void {
  assert.ok(parser.parse(text), text);
  assert.deepEqual([parser.seconds, parser.nanos], wanted, text);
  const bytes = Buffer.from(`..${text}..`);
  assert.ok(parser.parseBytes(bytes, 2, bytes.length - 2), text);
  assert.deepEqual([parser.seconds, parser.nanos], wanted, text);
}

test('what a format with a zone writes reads back as the same instant', () => {
  for (const pattern of withZone) {
    for (const zone of zones) {
      const write = format(pattern, zone);
      const parser = compileDateFormat(pattern, { timezone: 'Asia/Tokyo' });
      // Local mean time has seconds in its offset, which `+hhmm` cannot write.
      fc.assert(
        fc.property(
          zone === 'UTC' && !pattern.startsWith('%s') ? seconds : modernSeconds,
          nanos,
          (at, rest) => {
            assertReads(parser, write(at, rest), [at, keptNanos(pattern, rest)]);
          },
        ),
        { numRuns: 40 },
      );
    }
  }
});

test('what a format without a zone writes reads back in its zone as the same or the first such instant', () => {
  for (const pattern of withoutZone) {
    for (const name of zones) {
      const write = format(pattern, name);
      const zone = timeZone(name);
      const parser = compileDateFormat(pattern, { timezone: name });
      fc.assert(
        fc.property(modernSeconds, nanos, (at, rest) => {
          const first = zone.toUtc(at + zone.offsetSecondsAt(at));
          assertReads(parser, write(at, rest), [first, keptNanos(pattern, rest)]);
        }),
        { numRuns: 40 },
      );
    }
  }
});

test('ISO8601 reads what Date writes', () => {
  const parser = compileDateFormat('ISO8601');
  fc.assert(
    fc.property(seconds, fc.integer({ min: 0, max: 999 }), (at, ms) => {
      assertReads(parser, new Date(at * 1000 + ms).toISOString(), [at, ms * 1_000_000]);
    }),
  );
});

test('local texts by Intl read back as the instant they show', () => {
  for (const name of zones.filter((zone) => zone.includes('/'))) {
    const intl = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      dateStyle: 'medium',
      timeStyle: 'long',
    });
    // `Mar 9, 2024, 12:00:01 PM GMT+1`: only the part before the zone is of interest.
    const parser = compileDateFormat('MMM d, yyyy, h:mm:ss a', { timezone: name });
    const zone = timeZone(name);
    fc.assert(
      fc.property(modernSeconds, (at) => {
        const shown = intl.format(at * 1000).replace(/\u202f/g, ' ');
        const text = /^(.*[AP]M) /.exec(shown)![1]!;
        assert.ok(parser.parse(text), text);
        assert.equal(parser.seconds, zone.toUtc(at + zone.offsetSecondsAt(at)), text);
      }),
      { numRuns: 60 },
    );
  }
});

test('UNIX keeps every nanosecond', () => {
  const parser = compileDateFormat('UNIX');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), nanos, (at, rest) => {
      assertReads(parser, `${at}.${String(rest).padStart(9, '0')}`, [at, rest]);
    }),
  );
});

test('no text makes a parser throw, and a parser with a memo agrees with a fresh one', () => {
  const texts = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.stringMatching(/^[0-9TZ:.,+ -]{0,30}$/),
      fc.stringMatching(
        /^2024-0[0-9]-[0-3][0-9][T ]1[0-9]:00:0[0-9]([.,][0-9]{1,3})?(Z|[+]0[0-9]00)?$/,
      ),
    ),
    { maxLength: 8 },
  );
  const patterns = ['ISO8601', 'UNIX', 'UNIX_MS', 'TAI64N', ...withZone, ...withoutZone];
  fc.assert(
    fc.property(fc.constantFrom(...patterns), texts, (pattern, list) => {
      const parser = compileDateFormat(pattern);
      for (const text of list) {
        const fresh = compileDateFormat(pattern);
        const parsed = parser.parse(text);
        assert.equal(parsed, fresh.parse(text), text);
        if (parsed)
          assert.deepEqual([parser.seconds, parser.nanos], [fresh.seconds, fresh.nanos], text);
      }
    }),
    { numRuns: 300 },
  );
});
