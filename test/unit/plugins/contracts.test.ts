import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { annotationKeywords } from '../../../core/config/json_schema.ts';
import { buildFileSchema } from '../../../core/config/schema.ts';
import { loadKernel } from '../../../core/kernel/kernel.ts';
import type { AnyPlugin } from '../../../core/sdk/define.ts';
import {
  type ContractRule,
  ContractSubject,
  filterContract,
  inputContract,
  outputContract,
  pluginContract,
} from '../../../core/testing/index.ts';
import { catalogue, ownPlugins } from '../../../cli/plugin_set.ts';
import { schemaOf } from '../../../core/config/schema_of.ts';
import { builtInMultilineNames } from '../../../plugins/shared/multiline/index.ts';
import { projectRoot } from '../../../scripts/project_root.ts';

const contracts: Readonly<Record<AnyPlugin['kind'], readonly ContractRule[]>> = {
  input: inputContract,
  filter: filterContract,
  output: outputContract,
  parser: pluginContract,
};

/** Options without which an example would reach out of the test. */
const safeOptions: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'input http': { port: 0 },
  'output prometheus_exporter': { port: 0 },
};

/** Rules that a test run cannot put to a plugin, and why. */
const exceptions: Readonly<Record<string, readonly [rule: RegExp, reason: string]>> = {
  'input perfcounter': [/^ends when/, 'it needs Windows; its own tests stop it'],
  'input winevtlog': [/^ends when/, 'it needs Windows; its own tests stop it'],
  'input wmi': [/^ends when/, 'it needs Windows; its own tests stop it'],
  'input stdin': [/^ends when/, "the test's own standard input would be taken"],
  'output windows_event_log': [/^ends a delivery/, 'it needs Windows; its own tests stop it'],
  'output null': [/^gives a record back/, 'its records have no bytes'],
  'output stdout': [/^ends a delivery/, 'records would stand in the output of the test'],
};

const { plugins: builtInPlugins, builtInParsers } = await ownPlugins();
const kernel = loadKernel({});
let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-contracts-'));
});

after(() => rm(directory, { recursive: true, force: true }));

for (const plugin of builtInPlugins) {
  const id = `${plugin.kind} ${plugin.name}`;
  describe(`the ${id}`, () => {
    // One for all rules: its example is loaded once.
    let subject: ContractSubject | undefined;
    for (const rule of contracts[plugin.kind]) {
      const [excepted, reason] = exceptions[id] ?? [];
      const skip = excepted?.test(rule.says) === true ? (reason ?? false) : false;
      it(rule.says, { skip }, () => rule.check((subject ??= subjectOf(plugin))));
    }

    it('has a README whose first example is a whole file that loads', () => {
      const path = join(projectRoot(), 'plugins', `${plugin.kind}s`, plugin.name, 'README.md');
      const text = readFileSync(path, 'utf8');
      const example = /^```yaml\n([\s\S]*?)^```/m.exec(text)?.[1];
      assert.ok(example !== undefined, `${path} has none.`);
      // Secrets are not set here.
      const secretless = example.replace(/\{ *env: *\w+ *\}/g, 'word');
      const subject = subjectOf({ ...plugin, example: secretless });
      if (plugin.kind === 'parser') assert.ok(subject.config.inputs.length > 0);
      else assert.equal(subject.component.plugin, plugin.name);
    });
  });
}

function subjectOf(plugin: AnyPlugin): ContractSubject {
  const options = safeOptions[`${plugin.kind} ${plugin.name}`];
  return new ContractSubject(plugin, {
    plugins: builtInPlugins,
    builtInParsers,
    builtInMultilineNames,
    directory,
    kernel,
    ...(options === undefined ? {} : { options }),
  });
}

describe('the catalogue', () => {
  it('says of each plugin what the plugin says of itself', () => {
    const facts = builtInPlugins.map(({ kind, name, aliases, summary, stability }) => ({
      kind,
      name,
      ...(aliases === undefined ? {} : { aliases }),
      summary,
      stability,
    }));
    assert.deepEqual(
      catalogue.map(({ load, ...entry }) => entry),
      facts,
    );
  });

  it('has no name or alias twice in a kind', () => {
    const names = builtInPlugins.flatMap(({ kind, name, aliases = [] }) =>
      [name, ...aliases].map((one) => `${kind} ${one}`),
    );
    assert.deepEqual(names, [...new Set(names)]);
  });

  for (const form of ['editor', 'validation'] as const) {
    it(`gives a schema of the whole file that ajv takes in strict mode, for ${form}`, () => {
      const ajv = new Ajv({
        strict: true,
        strictTypes: false,
        strictRequired: false,
        allowUnionTypes: true,
      });
      for (const keyword of [...annotationKeywords, 'x-type']) ajv.addKeyword({ keyword });
      ajv.compile(buildFileSchema(builtInPlugins.map(schemaOf), form));
    });
  }
});
