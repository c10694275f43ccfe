import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownPlugins } from '../../cli/plugin_set.ts';
import {
  type ScriptedInput,
  scriptedInput,
  scriptedOutput,
  startPipeline,
  waitUntil,
} from '../../core/testing/index.ts';
import { cli, workplace } from '../cli/run_cli.ts';

const own = await ownPlugins();
const workerProgram = { url: new URL('./engine_worker.js', import.meta.url) };

/** Lines of access logs, some of which no pattern fits. */
function accessLines(from: number, count: number): string {
  let text = '';
  for (let n = from; n < from + count; n++) {
    const second = String(n % 60).padStart(2, '0');
    text +=
      n % 97 === 0
        ? `not a request ${n}\n`
        : `10.0.${n % 200}.${n % 250} - - [21/Nov/2026:10:11:${second} +0000] "GET /${n}?a,b,${n} HTTP/1.1" ${200 + (n % 300)} ${n} "-" "agent/${n % 7}"\n`;
  }
  return text;
}

const rich = (workers: number, directory: string) => `
service: {flush: 50ms, storage.path: data${workers}, workers: ${workers}, log_level: warn}
pipeline:
  inputs:
    - {name: tail, path: '${directory}/*.log', path_key: file, tag: access, read_from_head: true, exit_on_eof: true}
  filters:
    - {name: grok, match: '*', pattern: '%{COMBINEDAPACHELOG}'}
    - {name: date, match: '*', key: timestamp, formats: ['dd/MMM/yyyy:HH:mm:ss Z']}
    - {name: grep, match: '*', exclude: 'response ^40'}
    - {name: rewrite_tag, match: access, rule: '$response ^5 broken.$1 true'}
    - {name: split, match: broken.*, field: request, terminator: ','}
    - {name: mutate, match: '*', convert: {bytes: integer}, set: {place: '%{clientip} %{agent}'}}
  outputs:
    - {name: file, alias: all, match: access, path: out${workers}, file: all.ndjson, batch: {records: 500}}
    - {name: file, alias: some, match: '*', when: 'bytes > 4000', path: out${workers}, file: some.ndjson, storage.type: filesystem}
`;

const outputFile = (directory: string, workers: number, name: string): string =>
  readFileSync(join(directory, `out${workers}`, `${name}.ndjson`), 'utf8');

test('three worker threads give the bytes of one thread, in its order', async (t) => {
  const directory = workplace(t);
  writeFileSync(join(directory, 'app.log'), accessLines(0, 14_000));
  for (const workers of [1, 3]) {
    writeFileSync(join(directory, 'pipeline.yaml'), rich(workers, '.'));
    const { code, err } = await cli(['run', 'pipeline.yaml'], { cwd: directory });
    assert.equal(code, 0, err);
    assert.equal(err, '');
  }
  for (const name of ['all', 'some']) {
    const [text, expected] = [3, 1].map((workers) => outputFile(directory, workers, name));
    assert.ok(expected!.length > 1_000_000);
    assert.ok(text === expected, `output "${name}" differs`);
  }
});

test('files that many workers share keep their order, each for itself', async (t) => {
  const directory = workplace(t);
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(join(directory, `${name}.log`), accessLines(1, 4000));
  }
  writeFileSync(join(directory, 'pipeline.yaml'), rich(2, '.'));
  const { code, err } = await cli(['run', 'pipeline.yaml'], { cwd: directory });
  assert.equal(code, 0, err);
  const all = outputFile(directory, 2, 'all');
  const last = new Map<string, number>();
  let count = 0;
  for (const line of all.split('\n').slice(0, -1)) {
    const { file, bytes, log } = JSON.parse(line) as { file: string; bytes?: number; log?: string };
    const number = bytes ?? Number(/\d+$/.exec(log ?? '')?.[0]);
    assert.ok(number > (last.get(file) ?? 0), `${file}: ${number} behind ${last.get(file)}`);
    last.set(file, number);
    count++;
  }
  assert.equal(last.size, 3);
  assert.ok(count > 9000);
});

const mortal = `
export const plugin = {
  kind: 'filter', name: 'mortal', summary: 'Ends its thread at a word.', stability: 'experimental',
  isStateless: true, schema: {type: 'object', properties: {}}, example: '',
  create: () => ({
    filter: (event) => {
      if (String(event.get('log')).startsWith('die')) process.exit(3);
    },
  }),
};
`;

test('a worker thread that dies ends the agent in words, and no line is lost', async (t) => {
  const directory = workplace(t, { 'mortal.mjs': mortal });
  const pipeline = (name: string) => `
service: {flush: 50ms, storage.path: data, workers: 2, log_format: json}
plugins: [./mortal.mjs]
pipeline:
  inputs:
    - {name: tail, path: app.log, tag: app, read_from_head: true, exit_on_eof: true}
  filters: [{name: ${name}, match: '*'}]
  outputs:
    - {name: file, match: '*', path: out, file: all.ndjson}
`;
  const log = join(directory, 'app.log');
  let text = '';
  for (let n = 0; n < 60_000; n++) text += `${n === 50_000 ? 'die' : 'line'} ${n}\n`;
  writeFileSync(log, text);
  writeFileSync(join(directory, 'pipeline.yaml'), pipeline('mortal'));
  const first = await cli(['run', 'pipeline.yaml'], { cwd: directory });
  assert.equal(first.code, 1, first.err);
  assert.match(first.err, /Worker thread \d died: it ended with code 3\. The agent ends;/);
  writeFileSync(
    join(directory, 'pipeline.yaml'),
    pipeline('grep').replace("grep, match: '*'", "grep, match: '*', regex: log ."),
  );
  const second = await cli(['run', 'pipeline.yaml'], { cwd: directory });
  assert.equal(second.code, 0, second.err);
  const seen = new Set<string>();
  for (const line of readFileSync(join(directory, 'out', 'all.ndjson'), 'utf8')
    .split('\n')
    .slice(0, -1)) {
    seen.add((JSON.parse(line) as { log: string }).log);
  }
  assert.equal(seen.size, 60_000);
});

const refused: readonly (readonly [string, string, RegExp])[] = [
  [
    'a filter with a window of time',
    '{name: throttle, match: "*", rate: 5}',
    /filter "throttle\.0" cannot run/,
  ],
  [
    'a function of the user',
    '{name: script, match: "*", code: "() => undefined"}',
    /filter "script\.0" cannot run/,
  ],
  [
    'a parser that learns column names',
    '{name: parser, match: "*", parser: table}',
    /parser "table" remembers/,
  ],
];

for (const [what, filter, message] of refused) {
  test(`${what} refuses worker threads, with its place`, async (t) => {
    const directory = workplace(t, {
      'pipeline.yaml': `service: {storage.path: data, workers: 2}
parsers:
  - {name: table, format: csv, autodetect_column_names: true}
pipeline:
  inputs: [{name: dummy, samples: 1}]
  filters:
    - ${filter}
  outputs: [{name: stdout, match: '*'}]
`,
    });
    for (const command of ['check', 'run']) {
      const { code, err } = await cli([command, 'pipeline.yaml'], { cwd: directory });
      assert.equal(code, 78, err);
      assert.match(err, /pipeline\.yaml:7:\d+: /);
      assert.match(err, message);
      assert.match(err, /service\.workers/);
    }
  });
}

/** Emits batches of ten, several of them at a time; resolves when all are through. */
async function emitMany(input: ScriptedInput, batches: number, from: number): Promise<void> {
  let emitted: Promise<void>[] = [];
  for (let b = 0; b < batches; b++) {
    const records = Array.from({ length: 10 }, (_, k) => ({ n: from + b * 10 + k }));
    emitted.push(input.emit(records));
    if (emitted.length < 6) continue;
    await Promise.all(emitted);
    emitted = [];
  }
  await Promise.all(emitted);
}

const numbersOf = (records: readonly Record<string, unknown>[]) => records.map(({ n }) => n);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

test('a reload while batches are with the workers loses none and doubles none', async () => {
  const input = scriptedInput();
  const output = scriptedOutput();
  const yaml = (colour: string) => `
service: {flush: 20ms, workers: 2}
pipeline:
  inputs: [{name: scripted, tag: test}]
  filters: [{name: mutate, match: '*', set: {colour: ${colour}}}]
  outputs: [{name: scripted, alias: out, match: '*'}]
`;
  const pipeline = await startPipeline({
    yaml: yaml('red'),
    plugins: [input.plugin, output.plugin, ...own.plugins],
    workerProgram,
  });
  const first = emitMany(input, 60, 0);
  const reloaded = await pipeline.agent.reload(pipeline.load(yaml('blue')));
  assert.ok(reloaded.ok, reloaded.message);
  await first;
  await emitMany(input, 60, 600);
  await waitUntil('all settled', () => input.settled() === input.position());
  await pipeline.stop();
  assert.deepEqual(numbersOf(output.accepted), upTo(1200));
  const colours = output.accepted.map(({ colour }) => colour);
  assert.equal(colours.at(-1), 'blue');
  assert.ok(colours.lastIndexOf('red') < 600);
});

test('a reload that asks for another number of workers is refused, the old runs on', async () => {
  const input = scriptedInput();
  const output = scriptedOutput();
  const yaml = (workers: number) => `
service: {flush: 20ms, workers: ${workers}}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs: [{name: scripted, alias: out, match: '*'}]
`;
  const pipeline = await startPipeline({
    yaml: yaml(2),
    plugins: [input.plugin, output.plugin, ...own.plugins],
    workerProgram,
  });
  const { ok, message } = await pipeline.agent.reload(pipeline.load(yaml(1)));
  assert.equal(ok, false);
  assert.match(message, /service\.workers cannot change/);
  await input.emit([{ n: 0 }]);
  await waitUntil('all settled', () => input.settled() === input.position());
  await pipeline.stop();
  assert.deepEqual(numbersOf(output.accepted), [0]);
});

test('an output that takes nothing stops its own input alone, and bounds what is under way', async () => {
  const inputs = [scriptedInput('scripted_a'), scriptedInput('scripted_b')] as const;
  const outputs = [scriptedOutput('scripted_x'), scriptedOutput('scripted_y')] as const;
  let isDown = true;
  outputs[0].answer = () => (isDown ? { kind: 'retry', reason: 'down' } : { kind: 'accepted' });
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 20ms, workers: 2, memory_limit: 16MiB, scheduler.base: 10ms, scheduler.cap: 50ms}
pipeline:
  inputs: [{name: scripted_a}, {name: scripted_b}]
  outputs:
    - {name: scripted_x, match: a}
    - {name: scripted_y, match: b}
`,
    plugins: [...inputs.map(({ plugin }) => plugin), ...outputs.map(({ plugin }) => plugin)],
    workerProgram,
  });
  const wide = 'x'.repeat(400_000);
  const stuck = (async () => {
    for (let n = 0; n < 60; n += 6) {
      await Promise.all(upTo(6).map((k) => inputs[0].emit([{ n: n + k, wide }], 'a')));
    }
  })();
  const { budget } = pipeline.agent;
  await waitUntil(
    'the first output is full',
    () => budget.usedBytes > budget.limitBytes / 2 - 800_000,
  );
  for (let n = 0; n < 50; n++) await inputs[1].emit([{ n }], 'b');
  await waitUntil('the second input is settled', () => inputs[1].settled() === 50);
  assert.ok(budget.usedBytes < budget.limitBytes / 2 + 2_000_000);
  assert.equal(outputs[0].accepted.length, 0);
  isDown = false;
  await stuck;
  await waitUntil('the first input is settled', () => inputs[0].settled() === 60);
  await pipeline.stop();
  assert.deepEqual(numbersOf(outputs[0].accepted), upTo(60));
});

test('a record that no encoder can write goes to the dead letters from a worker, too', async (t) => {
  const directory = workplace(t, {
    'in.ndjson': '{"id": 1}\n{"id": "not a number"}\n{"id": 3}\n',
    'pipeline.yaml': `service: {flush: 50ms, storage.path: data, workers: 2, grace: 1s}
pipeline:
  inputs: [{name: tail, path: in.ndjson, tag: t, read_from_head: true, exit_on_eof: true}]
  filters: [{name: parser, match: t, parser: json}]
  outputs:
    - {name: clickhouse, alias: ch, match: t, host: 127.0.0.1, port: 1, database: d, table: t,
       format: row_binary, columns: {id: UInt32}, retry: {max_attempts: 1}}
`,
  });
  const { err } = await cli(['run', 'pipeline.yaml'], { cwd: directory });
  const shown = await cli(['dlq', 'show', 'pipeline.yaml'], { cwd: directory });
  assert.match(shown.out, /not a number/, err + shown.err);
});
