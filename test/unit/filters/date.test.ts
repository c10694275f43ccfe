import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import type { BatchFilter } from '../../../core/sdk/contracts.ts';
import { plugin } from '../../../plugins/filters/date/index.ts';
import {
  batchOf,
  recordsOf,
  runFilter,
  testContext,
  type TestEvent,
  timesOf,
} from '../parsers/parsing_fixture.ts';

const kernel = loadKernel({});
const untouched = '1970-01-01T00:00:00.000000000Z';

async function dated(options: Record<string, unknown>, events: readonly TestEvent[]) {
  const results: { records: unknown[]; times: string[]; failures: number }[] = [];
  for (const memory of [kernel, undefined]) {
    const batch = batchOf(events, memory);
    const context = testContext({}, memory);
    // `date` gives a BatchFilter; the options are those of the test.
    const filter = plugin.create(options as never, context) as BatchFilter;
    await runFilter(filter, batch);
    await filter.close?.();
    const failures = context.counters.get('sluice_date_failures_total')!.value;
    results.push({ records: recordsOf(batch), times: timesOf(batch), failures });
  }
  assert.deepEqual(results[0], results[1]);
  return results[0]!;
}

describe('the date filter reads', () => {
  const cases: readonly {
    what: string;
    options?: Record<string, unknown>;
    value: unknown;
    time: string;
  }[] = [
    {
      what: 'ISO 8601 to the nanosecond',
      value: '2024-03-09T10:00:00.123456789+01:00',
      time: '2024-03-09T09:00:00.123456789Z',
    },
    {
      what: 'strptime formats',
      options: { formats: ['%d/%b/%Y:%H:%M:%S %z'] },
      value: '10/Oct/2000:13:55:36 -0700',
      time: '2000-10-10T20:55:36.000000000Z',
    },
    {
      what: 'Joda formats',
      options: { formats: ['dd/MMM/yyyy:HH:mm:ss Z'] },
      value: '10/Oct/2000:13:55:36 -0700',
      time: '2000-10-10T20:55:36.000000000Z',
    },
    {
      what: 'the second format when the first does not fit',
      options: { formats: ['ISO8601', 'yyyy/MM/dd HH:mm'] },
      value: '2024/03/09 10:00',
      time: '2024-03-09T10:00:00.000000000Z',
    },
    {
      what: 'seconds as a number',
      options: { formats: ['UNIX'] },
      value: 1700000000.25,
      time: '2023-11-14T22:13:20.250000000Z',
    },
    {
      what: 'milliseconds as a text',
      options: { formats: ['UNIX_MS'] },
      value: '1700000000123',
      time: '2023-11-14T22:13:20.123000000Z',
    },
    {
      what: 'dates in a zone',
      options: { formats: ['yyyy-MM-dd HH:mm:ss'], timezone: 'America/New_York' },
      value: '2024-03-10 02:30:00',
      time: '2024-03-10T07:30:00.000000000Z',
    },
    {
      what: 'dates without a year as the last ones',
      options: { formats: ['MMM dd HH:mm:ss'] },
      value: 'Dec 31 23:59:59',
      time: '2023-12-31T23:59:59.000000000Z',
    },
  ];
  for (const { what, options, value, time } of cases) {
    it(what, async () => {
      const escaped = `"${[...String(value)].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')}"`;
      const events: TestEvent[] = [
        { record: JSON.stringify({ timestamp: value, a: 1 }) },
        { line: String(value), key: 'timestamp' },
        { record: `{"timestamp":${escaped}}` },
      ];
      const { times, failures } = await dated({ ...options }, events);
      assert.deepEqual(times, [time, time, time]);
      assert.equal(failures, 0);
    });
  }
});

describe('the date filter', () => {
  const good = '2024-03-09T10:00:00.5Z';

  it('keeps the field, or removes it', async () => {
    const events = [{ record: `{"timestamp":"${good}","a":1}` }];
    assert.deepEqual((await dated({}, events)).records, [{ timestamp: good, a: 1 }]);
    assert.deepEqual((await dated({ remove: true }, events)).records, [{ a: 1 }]);
  });

  it('keeps the time and marks the record when no format fits', async () => {
    const events = [{ record: '{"timestamp":"soon"}' }, { record: '{"timestamp":null}' }];
    const { records, times, failures } = await dated({ remove: true }, events);
    assert.deepEqual(records, [
      { timestamp: 'soon', tags: ['_dateparsefailure'] },
      { timestamp: null, tags: ['_dateparsefailure'] },
    ]);
    assert.deepEqual(times, [untouched, untouched]);
    assert.equal(failures, 2);
  });

  it('marks as told', async () => {
    const events = [{ record: '{"timestamp":"soon","tags":["x"]}' }];
    const { records } = await dated({ tag_on_failure: ['a', 'b'] }, events);
    assert.deepEqual(records, [{ timestamp: 'soon', tags: ['x', 'a', 'b'] }]);
  });

  it('leaves records without the field', async () => {
    const { records, times, failures } = await dated({}, [{ record: '{"a":1}' }, { line: 'x' }]);
    assert.deepEqual(records, [{ a: 1 }, { log: 'x' }]);
    assert.deepEqual(times, [untouched, untouched]);
    assert.equal(failures, 0);
  });

  it('writes the date into another field', async () => {
    const events = [
      { record: `{"t":{"at":"${good}"}}` },
      { record: '{"t":{"at":"2024-03-09T10:00:00.123456789Z"}}' },
    ];
    const { records, times } = await dated({ key: '[t][at]', target: 'when' }, events);
    assert.deepEqual(records, [
      { t: { at: good }, when: '2024-03-09T10:00:00.500Z' },
      { t: { at: '2024-03-09T10:00:00.123456789Z' }, when: '2024-03-09T10:00:00.123456789Z' },
    ]);
    assert.deepEqual(times, [untouched, untouched]);
  });

  it('takes @timestamp as target for the time of the record', async () => {
    const events = [{ record: `{"timestamp":"${good}","@timestamp":"old"}` }];
    const { records, times } = await dated({ target: '@timestamp' }, events);
    assert.deepEqual(records, [{ timestamp: good }]);
    assert.deepEqual(times, ['2024-03-09T10:00:00.500000000Z']);
  });

  it('leaves events that are not selected', async () => {
    const batch = batchOf([{ record: `{"timestamp":"${good}"}` }], kernel);
    batch.select[0] = 0;
    const filter = plugin.create({}, testContext({}, kernel)) as BatchFilter;
    await runFilter(filter, batch);
    assert.deepEqual(timesOf(batch), [untouched]);
  });

  it('names wrong formats and zones before anything starts', () => {
    const problems = plugin.check!({ formats: ['ISO8601', '%Q'], timezone: 'Mars/Olympus' });
    assert.deepEqual(
      problems.map(({ path }) => path),
      [['timezone'], ['formats', '1']],
    );
  });
});
