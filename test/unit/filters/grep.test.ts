import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import type { Options } from '../../../plugins/filters/grep/config.ts';
import { plugin } from '../../../plugins/filters/grep/index.ts';
import { filterEvents, RawLine, testContext, type TestEvent } from './value_filter_harness.ts';

const events: readonly TestEvent[] = [
  { n: 0, level: 'error', status: 500, http: { path: '/a' } },
  { n: 1, level: 'debug', status: 200 },
  { n: 2, level: 'Error', msg: 'say "error"' },
  { n: 3, msg: 'x\ny' },
  { n: 4, level: null, http: { path: '/b' } },
];

const cases: readonly [string, Options, readonly number[]][] = [
  ['regex keeps what matches', { regex: ['level ^error$'] }, [0]],
  ['exclude drops what matches', { exclude: ['$level ^(debug|trace)$'] }, [0, 2, 3, 4]],
  ['slashes and options', { regex: ['level /^ERROR$/i'] }, [0, 2]],
  ['numbers are matched as written', { regex: ['status ^5'] }, [0]],
  ['nested fields', { regex: ["$http['path'] ^/[ab]$"] }, [0, 4]],
  [
    'brackets and plain dots name nested fields too',
    { exclude: ['[http][path] a', 'http.path b'] },
    [1, 2, 3],
  ],
  ['escapes in JSON are resolved', { regex: ['msg "error"'] }, [2]],
  ['legacy: the first regex that matches decides', { regex: ['level ^error$', 'status ^9'] }, [0]],
  [
    'legacy: the order of the file counts',
    { exclude: ['status 200'], regex: ['level .'] },
    [0, 2, 4],
  ],
  ['and keeps what matches all', { logical_op: 'and', regex: ['level .', 'status ^[25]'] }, [0, 1]],
  ['or keeps what matches any', { logical_op: 'or', regex: ['level ^error', 'msg .'] }, [0, 2, 3]],
  [
    'and drops what matches all',
    { logical_op: 'and', exclude: ['level .', 'status ^2'] },
    [0, 2, 3, 4],
  ],
  ['or drops what matches any', { logical_op: 'or', exclude: ['level debug', 'msg .'] }, [0, 4]],
  ['no rules keep everything', {}, [0, 1, 2, 3, 4]],
];

for (const [name, options, kept] of cases) {
  test(`grep: ${name}`, async () => {
    const outcome = await filterEvents(plugin, options, events);
    assert.deepEqual(
      outcome.events.flatMap((event) => (event === undefined ? [] : [event['n']])),
      kept,
    );
    assert.ok(outcome.dropped.every((reason) => reason === 0 || reason === 1));
  });
}

test('a raw line is matched under its key', async () => {
  const outcome = await filterEvents(plugin, { exclude: ['log DEBUG'] }, [
    new RawLine('a DEBUG b'),
    new RawLine('ok'),
  ]);
  assert.deepEqual(outcome.events, [undefined, { log: 'ok' }]);
});

test('a runaway expression keeps and marks its record', async () => {
  const context = testContext();
  const long = `${'ab'.repeat(4000)}!`;
  const outcome = await filterEvents(
    plugin,
    { regex: ['a ^(?:(?:a|b|ab)*)*$'] },
    [{ a: 'abab' }, { a: long }, { a: 'x' }],
    context,
  );
  assert.deepEqual(outcome.events[0], { a: 'abab' });
  assert.equal(outcome.events[2], undefined);
  // Either the expression was made harmless, or the record was given up.
  const second = outcome.events[1];
  if (second !== undefined) {
    assert.deepEqual(second, { a: long, tags: ['_regextimeout'] });
    assert.equal(context.counters.get('sluice_regex_timeouts_total')?.value, 1);
  }
});

test('many records with few values give the same as one by one', async () => {
  const value = fc.constantFrom('debug', 'info', 'x'.repeat(40), '', 'é', 5, null);
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 600 }), async (values) => {
      const options: Options = { exclude: ['v ^(debug|5|é|x+)$'] };
      const kernel = loadKernel();
      const records = values.map((v) => ({ v }));
      const expected = values.map((v) => /^(debug|5|é|x+)$/.test(String(v)));
      for (const context of [testContext(), testContext({ kernel })]) {
        const outcome = await filterEvents(plugin, options, records, context);
        assert.deepEqual(
          outcome.dropped.map((reason) => reason === 1),
          expected,
        );
      }
    }),
    { numRuns: 20 },
  );
});

test('wrong rules are found', () => {
  const problems = plugin.check!({ regex: ['level', 'a ('], exclude: ['[a x'], logical_op: 'or' });
  assert.deepEqual(
    problems.map(({ path }) => path.join('.')),
    ['regex.0', 'regex.1', 'exclude.0', 'logical_op'],
  );
});
