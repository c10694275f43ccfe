import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { loadPipeline } from '../../../cli/pipeline_config.ts';
import { SchemaCompiler, validatorSource } from '../../../core/config/compile_schema.ts';
import type { JsonSchema } from '../../../core/config/json_schema.ts';
import { precompiledValidator, validatorFile } from '../../../core/config/precompiled.ts';
import { checkSpelling, repetitionIn } from '../../../core/config/spelling_check.ts';
import { shippedSchemas } from '../../../scripts/build_validators.ts';
import { projectRoot } from '../../../scripts/project_root.ts';

const folders = ['core/config/validators', 'bundle/validators'];
const schemas = await shippedSchemas();
const context = {
  spelling: (schema: JsonSchema, value: unknown) => checkSpelling(schema, value, {}),
  repetition: repetitionIn,
};

test('Every shipped schema has a validator, to the letter what ajv makes of it.', () => {
  for (const schema of schemas) {
    const expected = validatorSource(schema);
    for (const folder of folders) {
      const path = join(projectRoot(), 'dist', folder, validatorFile(schema));
      assert.ok(existsSync(path), `${schema.description ?? 'the file'}: ${path}`);
      assert.equal(readFileSync(path, 'utf8'), expected);
    }
  }
});

test('A precompiled validator finds the errors that one compiled now finds.', () => {
  const compiler = new SchemaCompiler();
  for (const schema of schemas) {
    const precompiled = precompiledValidator(schema)!;
    const compiled = compiler.compile(schema);
    const check = (value: unknown) => {
      const isValid = precompiled.call(context, value);
      assert.equal(compiled.call(context, value), isValid);
      assert.deepEqual(precompiled.errors, compiled.errors);
    };
    fc.assert(fc.property(optionsLike(schema), check), { numRuns: 30 });
  }
});

test('A schema that differs in a letter has no precompiled validator.', () => {
  const [, schema] = schemas;
  assert.equal(precompiledValidator({ ...schema, description: 'Another.' }), undefined);
});

for (const items of ['{valueOf: 1}, {valueOf: 1}', 'cpu, load, cpu']) {
  test(`Items written twice are told, whatever they are: ${items}.`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-precompiled-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'pipeline.yaml');
    writeFileSync(path, `pipeline: {inputs: [{name: host_metrics, collectors: [${items}]}]}`);
    const loaded = await loadPipeline([path]);
    const messages = loaded.ok ? [] : loaded.diagnostics.map(({ message }) => message);
    assert.ok(
      messages.some((message) => message.includes('same item twice')),
      messages.join('\n'),
    );
  });
}

/** A pipeline with plugins of every kind, and one of a third party's. */
const pipeline = `
parsers: [{name: mine, format: regex, regex: '(?<a>.)'}]
pipeline:
  inputs: [{name: tail, path: /nowhere/*.log, parser: mine}, {name: dummy}]
  filters: [{name: grok, match: '*', pattern: '%{WORD:a}'}]
  outputs: [{name: stdout, match: '*'}]
`;
const wrong = pipeline.replace('name: dummy', 'name: dummy, samples: many, rat: 1');

test('Built-in plugins are validated without compiling anything, also when options are wrong.', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-precompiled-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const check = async (text: string) => {
    const path = join(directory, 'pipeline.yaml');
    writeFileSync(path, text);
    const module = new URL('../../../cli/pipeline_config.js', import.meta.url);
    const script = `
      const { loadPipeline } = await import(${JSON.stringify(module.href)});
      const loaded = await loadPipeline([${JSON.stringify(path)}]);
      const { createRequire } = await import('node:module');
      const files = Object.keys(createRequire(${JSON.stringify(fileURLToPath(import.meta.url))}).cache);
      const compilers = files.filter((file) => /ajv.dist.(compile|ajv)/.test(file));
      console.log(JSON.stringify({ problems: loaded.diagnostics?.length ?? 0, compilers }));`;
    const args = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return JSON.parse(stdout) as unknown;
  };
  assert.deepEqual(await check(pipeline), { problems: 0, compilers: [] });
  assert.deepEqual(await check(wrong), { problems: 2, compilers: [] });
});

/** Options with the schema's own names, some unknown, and values of every kind. */
function optionsLike(schema: JsonSchema): fc.Arbitrary<unknown> {
  const names = Object.keys(schema.properties ?? {});
  const leaf = fc.oneof(
    fc.constantFrom<unknown>('', '5s', '10MB', 'a', '*', true, 0, 1, -1, 70_000, 1.5, null),
    fc.constantFrom(...choicesOf(schema)),
    fc.string({ maxLength: 5 }),
  );
  const value = fc.oneof(
    { weight: 4, arbitrary: leaf },
    fc.array(leaf, { maxLength: 2 }),
    fc.array(fc.dictionary(fc.constantFrom(...names, 'name', 'x'), leaf), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...names, 'file', 'initial', 'inputs'), leaf, { maxKeys: 3 }),
  );
  const keys = fc.constantFrom(...names, 'name', 'unknown');
  return fc.oneof({ weight: 9, arbitrary: fc.dictionary(keys, value, { maxKeys: 12 }) }, value);
}

function choicesOf(schema: JsonSchema): unknown[] {
  const own = Object.values(schema.properties ?? {}).flatMap(({ enum: choices = [] }) => choices);
  return ['on', ...own];
}
