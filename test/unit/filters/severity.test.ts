import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Options } from '../../../plugins/filters/severity/config.ts';
import { plugin } from '../../../plugins/filters/severity/index.ts';
import { filterEvents, testContext } from './value_filter_harness.ts';

const cases: readonly [unknown, Options, string, number][] = [
  ['error', {}, 'ERROR', 17],
  ['ERR', {}, 'ERROR', 17],
  ['[Warning]', {}, 'WARN', 13],
  ['warn:', {}, 'WARN', 13],
  ['<info>', {}, 'INFO', 9],
  ['SEVERE', {}, 'ERROR', 17],
  ['FINEST', {}, 'TRACE', 1],
  ['CONFIG', {}, 'DEBUG', 5],
  ['notice', {}, 'INFO', 10],
  ['notice', { scale: 'syslog' }, 'NOTICE', 10],
  ['Critical', {}, 'FATAL', 21],
  ['Critical', { scale: 'syslog', case: 'lower' }, 'crit', 21],
  ['trace', { scale: 'four' }, 'INFO', 1],
  ['emerg', {}, 'FATAL', 24],
  ['E', {}, 'ERROR', 17],
  ['警告', {}, 'WARN', 13],
  [0, {}, 'FATAL', 24],
  [3, {}, 'ERROR', 17],
  ['6', {}, 'INFO', 9],
  [7, { from: 'syslog' }, 'DEBUG', 5],
  [30, {}, 'INFO', 9],
  [50, { from: 'pino' }, 'ERROR', 17],
  [35, {}, 'INFO', 9],
  [60, {}, 'FATAL', 21],
  [90, {}, 'FATAL', 21],
  [1, { from: 'windows' }, 'FATAL', 21],
  [2, { from: 'windows' }, 'ERROR', 17],
  [3, { from: 'windows' }, 'WARN', 13],
  [4, { from: 'windows' }, 'INFO', 9],
  [5, { from: 'windows' }, 'DEBUG', 5],
  ['Verbose', { from: 'windows' }, 'DEBUG', 5],
];

for (const [level, options, word, number] of cases) {
  test(`${JSON.stringify(level)} ${JSON.stringify(options)} is ${word}, ${number}`, async () => {
    const all: Options = { number_target: 'n', ...options };
    const { events } = await filterEvents(plugin, all, [{ level }, { level }]);
    assert.deepEqual(events, [
      { level: word, n: number },
      { level: word, n: number },
    ]);
  });
}

test('an escaped level is read, a nested one too', async () => {
  const escaped = await filterEvents(plugin, {}, ['{"level":"\\u0065rror"}']);
  assert.deepEqual(escaped.events, [{ level: 'ERROR' }]);
  const options: Options = { key: '[log][level]', target: 'severity' };
  const nested = await filterEvents(plugin, options, [{ log: { level: 'w' } }]);
  assert.deepEqual(nested.events, [{ log: { level: 'w' }, severity: 'WARN' }]);
});

test('unknown levels stay, are marked and counted', async () => {
  const context = testContext();
  const levels = ['loud', 8, 9, null, true, {}, 'x'.repeat(100), 'OFF'];
  const { events } = await filterEvents(
    plugin,
    {},
    levels.map((level) => ({ level })),
    context,
  );
  assert.deepEqual(
    events,
    levels.map((level) => ({ level, tags: ['_severityunknown'] })),
  );
  assert.equal(context.counters.get('sluice_severity_unknown_total')?.value, levels.length);
});

test('unknown and missing levels get what the options say', async () => {
  const named = await filterEvents(
    plugin,
    { unknown: 'warn', missing: 'info', tag_on_failure: [] },
    [{ level: 'loud' }, { a: 1 }],
  );
  assert.deepEqual(named.events, [{ level: 'WARN' }, { a: 1, level: 'INFO' }]);
  const removed = await filterEvents(plugin, { unknown: 'remove', tag_on_failure: [] }, [
    { level: 'loud' },
    { a: 1 },
  ]);
  assert.deepEqual(removed.events, [{}, { a: 1 }]);
});
