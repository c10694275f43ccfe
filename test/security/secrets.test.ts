import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { formatDiagnostic } from '../../core/config/diagnostic.ts';
import { type LoadResult, loadConfig } from '../../core/config/load.ts';
import { schemaOf } from '../../core/config/schema_of.ts';
import { type PluginOptions, pluginOptions } from './schema_secrets.ts';
import { ownPlugins } from '../../cli/plugin_set.ts';

const canary = 'c4nary-Ouw8';

const { plugins } = await ownPlugins();
const schemas = plugins.map((plugin) => schemaOf(plugin));

function load(yaml: string, env: Readonly<Record<string, string>> = {}): LoadResult {
  return loadConfig({
    files: ['/pipeline.yaml'],
    cwd: '/',
    env,
    plugins: schemas,
    builtinParsers: [],
    access: { readFile: (path) => (path === '/pipeline.yaml' ? yaml : `${canary}\n`) },
  });
}

/** What a person, an editor or a script gets to see of a pipeline file. */
function shown(yaml: string, env?: Readonly<Record<string, string>>): string {
  const { diagnostics } = load(yaml, env);
  return `${diagnostics.map(formatDiagnostic).join('\n')}\n${JSON.stringify(diagnostics)}`;
}

function assertHidden(yaml: string, env?: Readonly<Record<string, string>>): void {
  const text = shown(yaml, env);
  assert.ok(!text.includes(canary), `${yaml}\n--- shows the secret:\n${text}`);
}

/** A component with these lines, between other errors, so that code frames show all of it. */
function componentOf({ plugin }: PluginOptions, lines: readonly string[], name?: string): string {
  return `    - name: ${name ?? plugin.name}
      first_nonsense: 1
${lines.map((line) => `      ${line}\n`).join('')}      last_nonsense: 2
`;
}

/** So many that each of their errors is among those that are shown. */
const componentsMax = 12;

/** Reads the components in files of a few: a file costs more than a component. */
function assertAllHidden(section: PluginOptions['section'], components: readonly string[]): void {
  const other = section === 'inputs' ? 'outputs' : 'inputs';
  for (let at = 0; at < components.length; at += componentsMax) {
    const group = components.slice(at, at + componentsMax).join('');
    assertHidden(`pipeline:\n  ${other}: []\n  ${section}:\n${group}`);
  }
}

/** A name as a person in a hurry types it. */
function mistyped(option: string): string[] {
  const middle = Math.ceil(option.length * 0.6);
  return [
    option.slice(0, -1),
    option.slice(0, middle) + option.slice(middle + 1),
    `${option.slice(0, middle)}x${option.slice(middle)}`,
    option.replace(/_/g, ''),
    option.toUpperCase(),
  ];
}

test('no message about a pipeline file shows a secret option of any plugin, right or mistyped', async () => {
  let options = 0;
  for (const one of await pluginOptions()) {
    const components: string[] = [];
    const broken: string[] = [];
    for (const option of one.secrets) {
      options++;
      const of = (...lines: string[]) => components.push(componentOf(one, lines));
      for (const key of mistyped(option)) of(`${key}: ${canary}`);
      for (const key of [option, `"${option}"`]) {
        of(`${key}: ${canary}`);
        of(`${key}: "${canary}"`);
        of(`${key}: |`, `  first ${canary}`, `  second ${canary}`);
      }
      of(`${option}: [${canary}, "${canary}"]`);
      of(`${option}:`, `  - ${canary}`);
      of(`${option}: {value: ${canary}, env: {a: ${canary}}}`);
      of(`${option}: {file: missing}`);
      components.push(componentOf(one, [`${option}: ${canary}`], `${one.plugin.name}x`));
      const flow = `{name: ${one.plugin.name}, nonsense: 1, ${option}: ${canary}, more: 2}`;
      components.push(`    - ${flow}\n`);
      for (const lines of [
        [`${option}: ${canary}`, `${option}: ${canary}`],
        [`${option}: ${canary}`, '  bad: indent'],
        [`${option}: "${canary}`],
        [`${option}: @${canary}`],
      ]) {
        broken.push(componentOf(one, lines));
      }
    }
    assertAllHidden(one.section, components);
    for (const component of broken) assertAllHidden(one.section, [component]);
  }
  assert.ok(options > 20, `only ${options} secret options: are they marked in the schemas?`);
});

test('no message shows the password of a URL, whatever option it stands in', async () => {
  for (const one of await pluginOptions()) {
    const components = one.texts.flatMap((option) =>
      [
        `https://user:${canary}@127.0.0.1:1/x`,
        `['http://${canary}@example:1', 12]`,
        `http://a/?api_token=${canary}`,
      ].map((value) => componentOf(one, [`${option}: ${value}`])),
    );
    assertAllHidden(one.section, components);
  }
});

test('no message shows the value of a header', async () => {
  for (const one of await pluginOptions()) {
    for (const option of one.headers) {
      const lines = [`- Authorization Bearer ${canary}`, `- X-Custom ${canary}`];
      assertAllHidden(one.section, [
        componentOf(one, [`${option}:`, ...lines, `- 'Cookie a=${canary}'`]),
        componentOf(one, [`${option}: X-Custom ${canary}`]),
        componentOf(one, [`${option}: ["X-Custom ${canary}"]`]),
      ]);
    }
  }
});

test('no message shows a variable, be it of the file or of the environment', () => {
  const pipelines = [
    'pipeline: {inputs: [{name: http, port: "${A}"}], outputs: []}',
    'pipeline:\n  inputs:\n    - name: ${A}\n      tag: 1\n  outputs: [{name: "${A}"}]\n',
    'pipeline:\n  inputs: [{name: dummy, alias: "${A} x"}]\n  outputs: [{name: stdout, when: "${A} ("}]\n',
    'service: {flush: "${A}", http_port: "${A}", storage.type: "${A}"}\n',
    'pipeline:\n  outputs:\n    - name: http\n      host: http://x:${A}@[\n      nonsense: 1\n',
    'broken: [\n',
  ];
  for (const pipeline of pipelines) {
    assertHidden(pipeline, { A: canary });
    assertHidden(`env:\n  A: ${canary}\n  B: "${canary}"\n${pipeline}`);
    assertHidden(`env: {A: ${canary}, 2: ${canary}}\n${pipeline}`);
    assertHidden(`env:\n  - name: A\n    value: ${canary}\n    more: x\n${pipeline}`);
    assertHidden(`env:\n  A: ${canary}\n   B: broken\n${pipeline}`);
  }
});

test('a configuration, printed in any way, has no secret in it', async () => {
  const forms = [canary, '{file: /secret}', '{env: SECRET}'];
  const wanted = { outputs: new Set(), inputs: new Set() };
  for (const one of await pluginOptions()) {
    for (const option of one.secrets) {
      for (const value of option === one.secrets[0] ? forms : [canary]) {
        const other =
          one.section === 'inputs' ? 'outputs: [{name: "null"}]' : 'inputs: [{name: dummy}]';
        const example = exampleOf(one);
        if (example === undefined) continue;
        const component = JSON.stringify({ ...example, [option]: 0 }).replace(
          `"${option}":0`,
          `"${option}": ${value}`,
        );
        const yaml = `service: {http_token: ${canary}}\npipeline:\n  ${other}\n  ${one.section}:\n    - ${component}\n`;
        const { config } = load(yaml, { SECRET: canary });
        if (config === undefined) continue;
        wanted[one.section as 'inputs'].add(one.plugin.name);
        for (const text of [
          JSON.stringify(config),
          inspect(config, { depth: null, showHidden: true, getters: true }),
          String(Object.values(config.outputs[0]!.options)),
        ]) {
          assert.ok(!text.includes(canary), `${yaml}: ${text}`);
        }
      }
    }
  }
  assert.ok(wanted.outputs.size >= 4 && wanted.inputs.size >= 1, inspect(wanted));
});

/** Options that a plugin cannot do without. */
function exampleOf({ plugin }: PluginOptions): Record<string, unknown> | undefined {
  const required = plugin.schema.required ?? [];
  const options = required.map((name) => [name, 'x'] as const);
  return { name: plugin.name, ...Object.fromEntries(options) };
}
