import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../../core/time/clock.ts';
import { parseDuration } from '../../../core/time/duration.ts';

describe('parseDuration', () => {
  const rows: readonly [value: string | number, unit: 's' | 'ms', ms: number][] = [
    [5, 's', 5000],
    [5, 'ms', 5],
    ['5', 's', 5000],
    ['1.5', 's', 1500],
    ['0', 's', 0],
    ['500ns', 's', 0.0005],
    ['250us', 's', 0.25],
    ['250µs', 's', 0.25],
    ['250 ms', 's', 250],
    ['30s', 'ms', 30_000],
    ['30S', 'ms', 30_000],
    ['5m', 's', 300_000],
    ['5 minutes', 's', 300_000],
    ['2h', 's', 7_200_000],
    ['1h30m', 's', 5_400_000],
    ['1h 30m 5s', 's', 5_405_000],
    ['1d', 's', 86_400_000],
    ['1w', 's', 604_800_000],
    ['.5s', 's', 500],
    ['1.1s', 's', 1100],
    [' 10s ', 's', 10_000],
    ['30000d', 's', 2_592_000_000_000],
  ];
  for (const [value, unit, ms] of rows) {
    test(`reads ${JSON.stringify(value)} (${unit}) as ${ms} ms`, () => {
      assert.equal(parseDuration(value, unit), ms);
    });
  }

  const invalid = [
    '',
    ' ',
    '5x',
    '-5',
    '-5s',
    's',
    '1e3',
    '5s!',
    '1.2.3s',
    'constructor',
    '5 5',
    '9'.repeat(40),
    Number.NaN,
    -1,
    Number.POSITIVE_INFINITY,
  ];
  for (const value of invalid) {
    test(`refuses ${JSON.stringify(String(value).slice(0, 20))}`, () => {
      assert.throws(() => parseDuration(value, 's'), { code: 'SLUICE_OPTION_INVALID' });
    });
  }

  test('names an unknown unit', () => {
    assert.throws(() => parseDuration('5 fortnights', 's'), /unit "fortnights"/);
  });
});

test('a delay of months is waited for, though timers take no more than 25 days', (t) => {
  const delays: number[] = [];
  const next: (() => void)[] = [];
  t.mock.method(globalThis, 'setTimeout', (work: () => void, delayMs: number) => {
    delays.push(delayMs);
    next.push(work);
  });
  const dayMs = 86_400_000;
  let calls = 0;
  systemClock.after(60 * dayMs, () => calls++);
  while (next.length > 0) next.shift()!();
  assert.equal(calls, 1);
  assert.ok(delays.every((ms) => ms <= 2 ** 31 - 1));
  assert.equal(
    delays.reduce((sum, ms) => sum + ms),
    60 * dayMs,
  );
});
