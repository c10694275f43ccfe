import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { openTelemetry, startAgent } from '../../cli/commands/run.ts';
import { loadPipeline } from '../../cli/pipeline_config.ts';
import { ownPlugins } from '../../cli/plugin_set.ts';
import { tryPipeline } from '../../cli/try_pipeline.ts';
import type { AnyPlugin } from '../../core/sdk/define.ts';
import { Random } from '../model/random.ts';

/** More by `SLUICE_CHECKS=5000`, others by `SLUICE_CHECKS_SEED`. */
const count = Number(process.env['SLUICE_CHECKS'] ?? 40);
const seed = Number(process.env['SLUICE_CHECKS_SEED'] ?? 5);

type Options = Record<string, unknown>;
type Schema = Readonly<Record<string, unknown>>;

/** Standard input and output are the test's own; commands are not made up. */
const leftOut = ['stdin', 'stdout'];
const untouched = ['command', 'name', 'script', 'log_file'];

const wild = [
  ...[
    '',
    'a',
    'a.b',
    '$a',
    '%{a}',
    '%{+YYYY}',
    '${X}',
    '*',
    '^(?<a>.*)$',
    '(',
    '[a',
    '~/a',
    './a',
    '/dev/null',
  ],
  ...[
    '0',
    '1',
    '-1',
    '5s',
    '10 MB',
    '100ms',
    'off',
    'on',
    'UTC',
    'Europe/Berlin',
    'ISO8601',
    'null',
    'a b',
    'a,b',
  ],
  ...[
    '127.0.0.1',
    'localhost:1',
    'http://[::1]:1/a',
    'level == "x"',
    '1970-01-01',
    'é\u0000',
    'x'.repeat(300),
  ],
  ...[0, 1, -1, 0.5, 65_535, 1e9, true, false, null, [], {}, ['a'], { a: 'b' }, [{ a: 1 }]],
];

function optionValue(schema: Schema, random: Random, depth = 0): unknown {
  if (random.chance(0.15) || depth > 3) return random.pick(wild);
  if (Array.isArray(schema['enum'])) return random.pick(schema['enum'] as unknown[]);
  for (const key of ['anyOf', 'oneOf']) {
    if (Array.isArray(schema[key])) {
      return optionValue(random.pick(schema[key] as Schema[]), random, depth + 1);
    }
  }
  if ('default' in schema && random.chance(0.3)) return schema['default'];
  switch (schema['x-type'] ?? schema['type']) {
    case 'duration':
      return random.pick(['1s', '50ms', '2h', 3]);
    case 'size':
      return random.pick(['1MB', '64k', 4096]);
    case 'integer':
    case 'number': {
      const least = Number(schema['minimum'] ?? 0);
      return (
        least + random.below(Math.min(100, Number(schema['maximum'] ?? least + 100) - least + 1))
      );
    }
    case 'boolean':
    case 'boolean_word':
      return random.pick([true, false, 'on', 'off']);
    case 'array':
      return [optionValue((schema['items'] as Schema | undefined) ?? {}, random, depth + 1)];
    case 'expression':
      return random.pick(['level == "error"', 'a > 1 and exists(b)', 'nonsense (']);
    case 'object':
      return { a: random.pick(['b', 'c.d', 1]) };
    default:
      return random.pick(wild);
  }
}

/** The plugin as its example has it, with some options more or other than there. */
function component(plugin: AnyPlugin, random: Random): Options {
  const section = `${plugin.kind}s`;
  const example = parse(plugin.example) as { pipeline?: Record<string, Options[]> } | null;
  const shown = example?.pipeline?.[section]?.find(({ name }) => name === plugin.name);
  const options: Options = { ...shown, name: plugin.name };
  if (plugin.kind !== 'input') options['match'] = '*';
  const all = Object.entries(plugin.schema.properties);
  for (let k = random.below(4); k > 0 && all.length > 0; k--) {
    const [key, schema] = random.pick(all);
    if (!untouched.includes(key)) options[key] = optionValue(schema, random);
  }
  return options;
}

test('what check calls OK starts, whatever the options', { timeout: 600_000 }, async () => {
  const random = new Random(seed);
  const { plugins } = await ownPlugins();
  const of = (kind: string) =>
    plugins.filter((plugin) => plugin.kind === kind && !leftOut.includes(plugin.name));
  const directory = await mkdtemp(join(tmpdir(), 'sluice-check-'));
  const home = process.cwd();
  process.chdir(directory);
  let started = 0;
  try {
    for (let k = 0; k < count; k++) {
      const inputs = [component(random.pick(of('input')), random)];
      const filters = Array.from({ length: random.below(3) }, () =>
        component(random.pick(of('filter')), random),
      );
      const outputs = [component(random.pick(of('output')), random)];
      const service = { 'storage.path': `data${k}`, log_level: 'off', grace: '100ms' };
      const text = JSON.stringify({ service, pipeline: { inputs, filters, outputs } }, null, 1);
      const file = join(directory, 'pipeline.yaml');
      await writeFile(file, text);
      const loaded = await loadPipeline([file]);
      if (!loaded.ok) continue;
      const { problems } = await tryPipeline(loaded.pipeline, file, false);
      if (problems.length > 0) continue;
      const { stderr } = process;
      const agent = await startAgent(
        loaded.pipeline,
        openTelemetry(loaded.pipeline.config, { stderr }),
      ).catch((error: unknown) => assert.fail(`check said OK of ${text}\nbut: ${String(error)}`));
      started++;
      await agent.stop();
    }
  } finally {
    process.chdir(home);
    await rm(directory, { recursive: true, force: true });
  }
  assert.ok(started > count / 10, `${started} of ${count} were fit to start`);
});
