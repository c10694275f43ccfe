import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineFilter, type FilterPlugin } from '../../core/sdk/index.ts';
import {
  assertConservation,
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';

const marker = defineFilter<{ mark: string; drop: string }>({
  name: 'marker',
  summary: 'Marks events for a test.',
  stability: 'experimental',
  schema: {
    type: 'object',
    properties: {
      mark: { type: 'string', default: '', description: 'Added to `marks`.' },
      drop: { type: 'string', default: '', description: 'Level whose events are dropped.' },
    },
  },
  example: '',
  create: ({ mark, drop }) => ({
    filter: (event) => {
      if (event.get('level') === drop) event.drop();
      else event.set('marks', `${event.get('marks') ?? ''}${mark}`);
    },
  }),
}) as unknown as FilterPlugin<never>;

const levels = ['info', 'error', 'debug', 'fatal'];
const records = levels.map((level, n) => ({ n, level }));

/** Runs two inputs, `app` and `plain`, through a pipeline with the outputs `one` and `two`. */
async function delivered(pipelineText: string, from: 'app' | 'plain') {
  const inputs = { app: scriptedInput('app'), plain: scriptedInput('plain') };
  const outputs = { one: scriptedOutput('one'), two: scriptedOutput('two') };
  const pipeline = await startPipeline({
    yaml: `service: {flush: 10ms, grace: 500ms}\n${pipelineText}`,
    plugins: [
      inputs.app.plugin,
      inputs.plain.plugin,
      marker,
      outputs.one.plugin,
      outputs.two.plugin,
    ],
  });
  await inputs[from].emit(records);
  await waitUntil('settled', () => inputs[from].settled() === records.length);
  const { metrics } = pipeline.agent;
  await pipeline.stop();
  assertConservation(metrics, { drained: true });
  const levelsOf = (output: { accepted: unknown[] }) =>
    (output.accepted as { level: string }[]).map(({ level }) => level);
  return { one: levelsOf(outputs.one), two: levelsOf(outputs.two), outputs };
}

const routed = `
pipeline:
  inputs:
    - name: app
      routes:
        logs:
          - name: bad
            condition:
              op: or
              rules:
                - {field: $level, op: eq, value: error}
                - {field: "$level", op: regex, value: "^fat"}
            to: {outputs: [one]}
          - condition: {default: true}
            to: {outputs: [two]}
    - {name: plain}
  outputs:
    - {name: one}
    - {name: two, match: '*'}
`;

test('routes of an input send each record where its condition says, the rest to the default', async () => {
  const { one, two } = await delivered(routed, 'app');
  assert.deepEqual(one, ['error', 'fatal']);
  assert.deepEqual(two, ['info', 'debug']);
});

test('records of other inputs never go to an output that only routes name', async () => {
  const { one, two } = await delivered(routed, 'plain');
  assert.deepEqual(one, []);
  assert.deepEqual(two, levels);
});

test('a record takes every route that it meets, and an output gets it once', async () => {
  const { one, two } = await delivered(
    `
pipeline:
  inputs:
    - name: app
      routes:
        logs:
          - {condition: {rules: [{field: level, op: in, value: [info, error]}]}, to: {outputs: [one]}}
          - {condition: {rules: [{field: level, op: neq, value: info}]}, to: {outputs: [one, two]}}
    - {name: plain}
  outputs: [{name: one}, {name: two, when: n > 1}]
`,
    'app',
  );
  assert.deepEqual(one, levels);
  assert.deepEqual(two, ['debug', 'fatal'], 'the condition of the output holds as well');
});

test('processors of an input change its own records alone, before all filters', async () => {
  const text = `
pipeline:
  inputs:
    - name: app
      processors:
        logs:
          - {name: marker, mark: a}
          - name: marker
            mark: b
            condition: {op: and, rules: [{field: n, op: gte, value: 2}]}
          - {name: marker, drop: debug}
    - {name: plain}
  filters: [{name: marker, mark: z}]
  outputs: [{name: one}, {name: two}]
`;
  const { outputs } = await delivered(text, 'app');
  assert.deepEqual(outputs.one.accepted, [
    { n: 0, level: 'info', marks: 'az' },
    { n: 1, level: 'error', marks: 'az' },
    { n: 3, level: 'fatal', marks: 'abz' },
  ]);
  const other = await delivered(text, 'plain');
  assert.deepEqual(
    other.outputs.one.accepted,
    records.map((record) => ({ ...record, marks: 'z' })),
  );
});

test('processors of an output change what it gets, and no other output sees it', async () => {
  const { outputs } = await delivered(
    `
pipeline:
  inputs: [{name: app}, {name: plain}]
  filters: [{name: marker, mark: z}]
  outputs:
    - name: one
      when: n > 0
      processors: {logs: [{name: marker, mark: a}, {name: marker, drop: debug}]}
    - {name: two}
`,
    'app',
  );
  assert.deepEqual(outputs.one.accepted, [
    { n: 1, level: 'error', marks: 'za' },
    { n: 3, level: 'fatal', marks: 'za' },
  ]);
  assert.deepEqual(
    outputs.two.accepted,
    records.map((record) => ({ ...record, marks: 'z' })),
  );
});

test('a reload of the routes alone changes where records go, and restarts nothing', async () => {
  const input = scriptedInput('app');
  const outputs = { one: scriptedOutput('one'), two: scriptedOutput('two') };
  const yaml = (to: string) => `
service: {flush: 10ms, grace: 500ms}
pipeline:
  inputs: [{name: app, routes: {logs: [{to: {outputs: [${to}]}}]}}]
  outputs: [{name: one}, {name: two}]`;
  const plugins = [input.plugin, outputs.one.plugin, outputs.two.plugin];
  const pipeline = await startPipeline({ yaml: yaml('one'), plugins });
  const before = pipeline.agent.inputs[0]!.stage;
  await input.emit([{ n: 0 }]);
  await waitUntil('the first is settled', () => input.settled() === 1);
  const result = await pipeline.agent.reload(pipeline.load(yaml('two')));
  assert.equal(result.ok, true, result.message);
  assert.equal(pipeline.agent.inputs[0]!.stage, before);
  await input.emit([{ n: 1 }]);
  await waitUntil('the second is settled', () => input.settled() === 2);
  await pipeline.stop();
  assert.deepEqual(outputs.one.accepted, [{ n: 0 }]);
  assert.deepEqual(outputs.two.accepted, [{ n: 1 }]);
});
