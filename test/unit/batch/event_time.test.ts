import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../../core/batch/byte_writer.ts';
import { type TimeFormat, writeEventTime } from '../../../core/batch/event_time.ts';

function written(seconds: number, nanos: number, format: TimeFormat): string {
  const out = new ByteWriter();
  writeEventTime(out, seconds, nanos, format);
  return out.view().toString();
}

test('a time is written in the wanted form, cut to its digits', () => {
  const seconds = Date.UTC(2026, 10, 21, 10) / 1000;
  const cases: [number, number, TimeFormat, string][] = [
    [seconds, 123456789, { form: 'iso8601', digits: 9 }, '"2026-11-21T10:00:00.123456789Z"'],
    [seconds, 123456789, { form: 'iso8601', digits: 6 }, '"2026-11-21T10:00:00.123456Z"'],
    [seconds, 999999999, { form: 'iso8601', digits: 3 }, '"2026-11-21T10:00:00.999Z"'],
    [seconds, 5, { form: 'iso8601', digits: 0 }, '"2026-11-21T10:00:00Z"'],
    [seconds, 5, { form: 'epoch', digits: 9 }, `${seconds}.000000005`],
    [seconds, 5, { form: 'epoch', digits: 0 }, `${seconds}`],
    [seconds, 7999999, { form: 'epoch_ms', digits: 0 }, `${seconds}007`],
    [0, 0, { form: 'epoch_ms', digits: 3 }, '0'],
    [-2, 500000000, { form: 'epoch', digits: 3 }, '-1.500'],
    [-2, 0, { form: 'epoch', digits: 3 }, '-2.000'],
    [-1, 1, { form: 'iso8601', digits: 9 }, '"1969-12-31T23:59:59.000000001Z"'],
    [1e15, 0, { form: 'iso8601', digits: 0 }, '"9999-12-31T23:59:59Z"'],
    [-1e15, 0, { form: 'iso8601', digits: 0 }, '"0000-01-01T00:00:00Z"'],
    [Number.NaN, 0, { form: 'iso8601', digits: 0 }, '"1970-01-01T00:00:00Z"'],
  ];
  for (const [at, nanos, format, text] of cases) {
    assert.equal(written(at, nanos, format), text);
    assert.doesNotThrow(() => JSON.parse(text));
  }
});
