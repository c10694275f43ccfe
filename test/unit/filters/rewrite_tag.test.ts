import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyPlugin } from '../../../core/sdk/define.ts';
import {
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../../core/testing/index.ts';
import { plugin as grep } from '../../../plugins/filters/grep/index.ts';
import { plugin as mutate } from '../../../plugins/filters/mutate/index.ts';
import { plugin } from '../../../plugins/filters/rewrite_tag/index.ts';
import { plugin as sample } from '../../../plugins/filters/sample/index.ts';
import { plugin as script } from '../../../plugins/filters/script/index.ts';
import { plugin as split } from '../../../plugins/filters/split/index.ts';
import { plugin as throttle } from '../../../plugins/filters/throttle/index.ts';
import { filterEvents, RawLine, testContext } from './value_filter_harness.ts';

const tagsOf = async (rule: string, event: Record<string, unknown>) => {
  const { derived } = await filterEvents(plugin, { rule: [rule] }, [event]);
  return derived.map((one) => one.tag);
};

const tags: readonly [string, Record<string, unknown>, readonly string[]][] = [
  ['$level ^(err)or$ alert.$1.$0 false', { level: 'error' }, ['alert.err.error']],
  ['level error $TAG.x.$TAG[0].$TAG[7] true', { level: 'error' }, ['app.x.app.']],
  [
    "$level error to.$host.$k8s['ns'].$no false",
    { level: 'error', host: 'h', k8s: { ns: 'n' } },
    ['to.h.n.'],
  ],
  ['$msg "two words" t false', { msg: 'has two words' }, ['t']],
  ['$msg two words t false', { msg: 'has two words' }, ['t']],
  ['$msg /TWO/i t off', { msg: 'two' }, ['t']],
  ['$msg ^(a)?(b)$ x$1$2 false', { msg: 'b' }, ['xb']],
  ['$level error app false', { level: 'error' }, []],
  ['$level error $no false', { level: 'error' }, []],
  ['$no . t false', { level: 'error' }, []],
];

for (const [rule, event, expected] of tags) {
  test(`${rule} on ${JSON.stringify(event)} gives ${JSON.stringify(expected)}`, async () => {
    assert.deepEqual(await tagsOf(rule, event), expected);
  });
}

test('without KEEP the record leaves and goes on under its own id', async () => {
  const outcome = await filterEvents(plugin, { rule: ['$a 1 t false'] }, [
    { a: 2 },
    { a: 1, b: [1.0] },
  ]);
  assert.deepEqual(outcome.dropped, [0, 6]);
  assert.deepEqual(outcome.derived, [
    { event: { a: 1, b: [1] }, tag: 't', part: 0, offset: 10, to: 'first' },
  ]);
});

test('with KEEP the copy has an id of its own, the same on every read', async () => {
  const run = () => filterEvents(plugin, { rule: ['$log . t true'] }, [new RawLine('x"y')]);
  const [first, second] = [await run(), await run()];
  assert.deepEqual(first.events, [{ log: 'x"y' }]);
  assert.deepEqual(first.derived[0]?.event, { log: 'x"y' });
  assert.notEqual(first.derived[0]?.part, 0);
  assert.deepEqual(first.derived, second.derived);
  const other = await filterEvents(
    plugin,
    { rule: ['$log . t true'] },
    [new RawLine('x"y')],
    testContext({ id: 'other' }),
  );
  assert.notEqual(other.derived[0]?.part, first.derived[0]?.part);
});

test('the first rule that matches counts', async () => {
  const rule = ['$a 1 one true', '$a . any false'];
  const { derived, dropped } = await filterEvents(plugin, { rule }, [{ a: 1 }, { a: 2 }]);
  assert.deepEqual(derived.map(({ tag }) => tag).sort(), ['any', 'one']);
  assert.deepEqual(dropped, [0, 6]);
});

test('a tag has no control characters', async () => {
  const { derived } = await filterEvents(plugin, { rule: ['$a \\s t.$a false'] }, [
    '{"a":"\\n","n":12345678901234567890}',
  ]);
  assert.equal(derived[0]?.tag, 't._');
});

test('wrong rules are found', () => {
  const rule = ['$a b c', '$a ( t true', '$a x t maybe', '[a x t true', '$a x %{+YYYY} true'];
  assert.deepEqual(
    plugin.check!({ rule }).map(({ path }) => path[1]),
    ['0', '1', '2', '3', '4'],
  );
});

const filters = [grep, mutate, plugin, split, sample, throttle, script] as unknown as AnyPlugin[];

async function deliver(filterYaml: string, records: readonly Record<string, unknown>[]) {
  const input = scriptedInput();
  const output = scriptedOutput();
  const yaml = `
service: {flush: 20ms}
pipeline:
  inputs: [{name: scripted, tag: test}]
  filters:
${filterYaml}
  outputs: [{name: scripted, alias: out, match: '*'}]
`;
  const pipeline = await startPipeline({
    yaml,
    plugins: [input.plugin, output.plugin, ...filters],
  });
  await input.emit(records);
  await waitUntil('all settled', () => input.settled() === records.length);
  // Asserts that no record went missing.
  await pipeline.stop();
  return output.accepted;
}

test('records that come and go in a pipeline are all accounted for', async () => {
  const filterYaml = `
    - {name: grep, exclude: level debug}
    - {name: mutate, match: test, rename: {msg: message}, set: {env: prod}}
    - {name: rewrite_tag, match: test, rule: ['level error alert.$TAG true', 'level warn warned false']}
    - {name: split, when: list != null, field: list}
    - {name: script, code: '(event, tag) => { event.set("tag", tag); }'}
    - {name: sample, match: test, percentage: 100}
    - {name: throttle, match: test, rate: 2, window: 1, interval: 1h}`;
  const accepted = await deliver(filterYaml, [
    { level: 'debug', msg: 'a' },
    { level: 'error', msg: 'b' },
    { level: 'warn', msg: 'c' },
    { level: 'info', list: [1, 2] },
    { level: 'info', msg: 'd' },
    { level: 'info', msg: 'throttled' },
  ]);
  const lines = accepted.map(
    (one) => `${one['tag']} ${one['message'] ?? one['list']} ${one['env']}`,
  );
  // In the order of their sources: the throttle lets the first two of its tag through.
  assert.deepEqual(lines.sort(), [
    'alert.test b prod',
    'test 1 prod',
    'test b prod',
    'warned c prod',
  ]);
});

test('tags that lead in a circle come to an end', async () => {
  const filterYaml = `
    - {name: rewrite_tag, match: '*', rule: ['n . $TAG.x false']}`;
  const accepted = await deliver(filterYaml, [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(
    accepted.map(({ n }) => n),
    [1, 2],
  );
});
