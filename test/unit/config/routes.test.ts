import assert from 'node:assert/strict';
import test from 'node:test';
import { loadText } from './sample_plugins.ts';

const file = (input: string, outputs = '[{name: es, alias: a}, {name: es, alias: b}]') =>
  `pipeline:\n  inputs:\n    - ${input}\n  outputs: ${outputs}\n`;

test('Rules of Fluent Bit become a condition.', () => {
  const cases: readonly (readonly [rules: string, when: string])[] = [
    ['{rules: [{field: $level, op: eq, value: error}]}', '(level == "error")'],
    ['{rules: [{field: "$a[\'b\']", op: gt, value: 5}]}', '([a][b] > 5)'],
    [
      '{op: or, rules: [{field: a, op: in, value: [x, 1]}, {field: b, op: not_regex, value: ^y}]}',
      '((a in ["x", 1]) or (b !~ "^y"))',
    ],
    [
      '{op: and, rules: [{field: a, op: not_in, value: [x]}, {field: b, op: lte, value: 2, context: body}]}',
      '((a not in ["x"]) and (b <= 2))',
    ],
  ];
  for (const [condition, when] of cases) {
    const processor = `{name: grep, condition: ${condition}}`;
    const { config, places } = loadText(
      file(
        `{name: stdin, processors: {logs: [${processor}]}, routes: {logs: [{condition: ${condition}, to: {outputs: [a]}}]}}`,
      ),
    );
    assert.deepEqual(places, []);
    assert.equal(config!.filters[0]!.base.when, when);
    assert.equal(config!.routes.byInput.get('stdin.0')!.get('a'), when);
  }
});

test('Processors stand around the filters, under names of their own.', () => {
  const { config, places } = loadText(
    `pipeline:
  inputs: [{name: stdin, alias: in, processors: {logs: [{name: grep}, {name: grep, alias: mine}]}}]
  filters: [{name: grep}]
  outputs: [{name: es, processors: {logs: [{name: grep}]}}]
`,
  );
  assert.deepEqual(places, []);
  assert.deepEqual(
    config!.filters.map(({ id, base }) => [id, base.processorOf?.id]),
    [
      ['in.grep.0', 'in'],
      ['mine', 'in'],
      ['grep.0', undefined],
      ['elasticsearch.0.grep.0', 'elasticsearch.0'],
    ],
  );
});

test('What is wrong in processors and routes is said at its place.', () => {
  const cases: readonly (readonly [text: string, place: RegExp])[] = [
    [
      '{name: stdin, processors: {logs: [{name: grpe}]}}',
      /:3:48: error: There is no filter "grpe"/,
    ],
    [
      '{name: stdin, processors: {logs: [{name: grep, rgex: x}]}}',
      /:3:54: error: The option "rgex" is unknown/,
    ],
    ['{name: stdin, processors: {metrics: []}}', /:3:34: error: The option "metrics" is unknown/],
    [
      '{name: stdin, processors: {logs: [{name: grep, when: a > 1, condition: {rules: [{field: a, op: eq, value: 1}]}}]}}',
      /:3:54: error: The option "condition" says the same as "when"/,
    ],
    [
      '{name: stdin, processors: {logs: [{name: grep, condition: {rules: [{field: "$a[", op: eq, value: 1}]}}]}}',
      /:3:54: error: The field reference/,
    ],
    [
      '{name: stdin, routes: {logs: [{to: {outputs: [c]}}]}}',
      /:3:53: error: There is no output "c"/,
    ],
    [
      '{name: stdin, routes: {logs: [{to: {outputs: [es]}}]}}',
      /:3:53: error: 2 outputs have the name "es"/,
    ],
    [
      '{name: stdin, routes: {logs: [{condition: {rules: [{field: a, op: eq, value: [1]}]}, to: {outputs: [a]}}]}}',
      /:3:49: error: The value of "eq" is a list/,
    ],
    ['{name: stdin, routes: {logs: [{name: x}]}}', /:3:37: error: The option "to"/],
  ];
  for (const [input, place] of cases) {
    const { places } = loadText(file(input));
    assert.equal(places.length, 1, `${input}: ${places.join('; ')}`);
    assert.match(places[0]!, place, input);
  }
});

test('An output that routes name and that has no match takes only what they give it.', () => {
  const routes = '{name: stdin, routes: {logs: [{to: {outputs: [a, b]}}]}}';
  const outputs = "[{name: es, alias: a}, {name: es, alias: b, match: '*'}]";
  const { config } = loadText(file(routes, outputs));
  assert.deepEqual([...config!.routes.routedOnly], ['a']);
});
