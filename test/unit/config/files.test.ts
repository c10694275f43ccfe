import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { loadConfig, readPipelineFiles } from '../../../core/config/load.ts';
import { type FileTexts, loadTexts, placesOf, samplePlugins } from './sample_plugins.ts';

const pipeline = 'pipeline: {inputs: [{name: stdin}], outputs: [{name: null}]}\n';

function filterTags(texts: FileTexts, files = ['main.yaml']) {
  const result = loadTexts(texts, { files, env: { DIR: 'conf.d' } });
  assert.deepEqual(placesOf(result), []);
  return result.config!.filters.map(({ base }) => base.match);
}

const filter = (match: string) => `pipeline: {filters: [{name: grep, match: ${match}}]}\n`;

test('Included files come before the file that includes them, each once.', () => {
  const texts = {
    'main.yaml': `includes: [a/one.yaml, b.yaml]\n${pipeline.replace('}\n', ', filters: [{name: grep, match: main}]}\n')}`,
    'a/one.yaml': `includes: [two.yaml, ../b.yaml]\n${filter('one')}`,
    'a/two.yaml': filter('two'),
    'b.yaml': filter('b'),
  };
  assert.deepEqual(filterTags(texts), ['two', 'b', 'one', 'main']);
});

test('Files named by parsers_file are read like included ones.', () => {
  const texts = {
    'main.yaml': `service: {parsers_file: [p/one.yaml, p/two.yaml]}\n${pipeline}`,
    'p/one.yaml': filter('one'),
    'p/two.yaml': filter('two'),
  };
  assert.deepEqual(filterTags(texts), ['one', 'two']);
  const missing = loadTexts({ 'main.yaml': `service: {parsers_file: none.yaml}\n${pipeline}` });
  assert.match(placesOf(missing).join(), /main\.yaml:1:25: .*none\.yaml cannot be read/);
});

test('Globs of includes are taken in the order of names, and may match nothing.', () => {
  const texts = {
    'main.yaml': `Includes: ["\${DIR}/*.yaml", "none/*.yaml", "deep/**/*.yaml"]\n${pipeline}`,
    'conf.d/2.yaml': filter('two'),
    'conf.d/1.yaml': filter('one'),
    'conf.d/x.txt': 'no',
    'conf.d/sub/3.yaml': filter('three'),
    'deep/a/b.yaml': filter('deep'),
  };
  assert.deepEqual(filterTags(texts), ['one', 'two', 'deep']);
});

test('Several files on the command line are merged in their order.', () => {
  const texts = { 'main.yaml': pipeline, 'x.yaml': filter('x'), 'y.yaml': filter('y') };
  assert.deepEqual(filterTags(texts, ['x.yaml', 'main.yaml', 'y.yaml']), ['x', 'y']);
});

const mistakes: readonly [string, FileTexts, readonly string[]][] = [
  [
    'an option of the service in two files',
    {
      'main.yaml': `includes: [b.yaml]\nservice: {flush: 1}\n${pipeline}`,
      'b.yaml': 'service:\n  Flush: 2\n',
    },
    ['main.yaml:2:18: error: The option "flush" is set by two files; the first is at b.yaml:2:10.'],
  ],
  [
    'a variable in two files',
    {
      'main.yaml': `includes: [b.yaml]\nenv: {A: 1}\n${pipeline}`,
      'b.yaml': 'env: [{name: A, value: 1}]\n',
    },
    ['main.yaml:2:7: error: The variable "A" is set twice; the first is at b.yaml:1:7.'],
  ],
  [
    'a circle',
    { 'main.yaml': `includes: [b.yaml]\n${pipeline}`, 'b.yaml': 'includes:\n  - main.yaml\n' },
    ['b.yaml:2:5: error: The includes go in a circle: main.yaml -> b.yaml -> main.yaml.'],
  ],
  [
    'a missing file',
    { 'main.yaml': `includes: [b.yaml]\n${pipeline}` },
    ['main.yaml:1:12: error: The file b.yaml cannot be read: there is no such file.'],
  ],
  [
    'a missing variable',
    { 'main.yaml': `includes: ["\${X}.yaml"]\n${pipeline}` },
    ['main.yaml:1:13: error: The variable "X" is not set and has no default.'],
  ],
  [
    'mistakes in both files',
    { 'main.yaml': `includes: [b.yaml]\nx: 1\n${pipeline}`, 'b.yaml': 'y: 1\n' },
    [
      'b.yaml:1:1: error: The option "y" is unknown.',
      'main.yaml:2:1: error: The option "x" is unknown.',
    ],
  ],
];

for (const [what, texts, places] of mistakes) {
  test(`Files with ${what} are refused at the place.`, () => {
    const found = placesOf(loadTexts(texts));
    assert.deepEqual(found, places);
  });
}

test('Broken syntax is reported for every file, and alone.', () => {
  const texts = {
    'main.yaml': 'includes: [b.yaml, c.yaml]\npipeline: {inputs: [{name: nothing}]}\n',
    'b.yaml': 'a: }\nb: 1\nc: "x" y\n',
    'c.yaml': 'a: [\n',
  };
  const found = placesOf(loadTexts(texts)).map((place) => place.replace(/(Broken YAML).*/, '$1'));
  assert.deepEqual(found, ['b.yaml:1:4: error: Broken YAML', 'c.yaml:2:1: error: Broken YAML']);
});

test('A file given that is not there is an error without a place.', () => {
  const { diagnostics } = loadTexts({}, { files: ['gone.yaml'] });
  assert.deepEqual(placesOf({ diagnostics }), [
    'gone.yaml:0:0: error: The file gone.yaml cannot be read: there is no such file.',
  ]);
  assert.equal(diagnostics[0]?.code, 'SLUICE_CONFIG_UNREADABLE');
});

test('The values of env win over the process, may use it, and are there for all files.', () => {
  const { config, diagnostics } = loadTexts(
    {
      'main.yaml': `includes: [b.yaml]\nenv:\n  A: from file\n  b: "\${A}+\${P}+\${HOSTNAME}"\n  N: 5\n${pipeline}`,
      'b.yaml': 'pipeline: {filters: [{name: mutate, set: {x: "${A}", y: "${b}", z: "${N}"}}]}\n',
    },
    { env: { A: 'from process', P: 'p' } },
  );
  assert.deepEqual(placesOf({ diagnostics }), []);
  assert.deepEqual(config!.filters[0]!.options['set'], {
    x: 'from file',
    y: 'from file+p+host-1',
    z: '5',
  });
  assert.deepEqual(config!.env, { A: 'from file', b: 'from file+p+host-1', N: '5' });
});

test('The list form of env takes values and files.', () => {
  const { config, diagnostics } = loadTexts({
    'main.yaml': `env:\n  - {name: A, value: x}\n  - {name: B, uri: "file:///etc/agent/b"}\n${pipeline}`,
    b: 'text ${A}\n',
  });
  assert.deepEqual(placesOf({ diagnostics }), []);
  assert.deepEqual(config!.env, { A: 'x', B: 'text ${A}' });
});

test('Third-party plugins are listed before their schemas are needed.', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  try {
    mkdirSync(join(directory, 'sub'));
    const main =
      'Plugins: [sluice-plugin-x]\nincludes: [sub/b.yaml]\npipeline: {inputs: [{name: custom}]}\n';
    writeFileSync(join(directory, 'main.yaml'), main);
    writeFileSync(join(directory, 'sub/b.yaml'), 'plugins: ["./${NAME}.mjs"]\n');
    const { pluginPaths } = readPipelineFiles({
      files: ['main.yaml'],
      cwd: directory,
      env: { NAME: 'mine' },
    });
    assert.deepEqual(
      pluginPaths.map(({ text, modulePath }) => [text, modulePath]),
      [
        ['./mine.mjs', join(directory, 'sub/mine.mjs')],
        ['sluice-plugin-x', undefined],
      ],
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('A secret file is read beside its pipeline file; everybody being able to read it is a warning.', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  try {
    const load = (secret: string) => {
      const text = `pipeline: {inputs: [{name: stdin}], outputs: [{name: es, http_passwd: {file: ${secret}}}]}`;
      writeFileSync(join(directory, 'main.yaml'), text);
      return loadConfig({ files: ['main.yaml'], cwd: directory, plugins: samplePlugins, env: {} });
    };
    writeFileSync(join(directory, 'password'), 'hunter2\n\n', { mode: 0o600 });
    const closed = load('password');
    assert.deepEqual(placesOf(closed), []);
    const secret = closed.config!.outputs[0]!.options['http_passwd'] as { reveal(): string };
    assert.equal(secret.reveal(), 'hunter2\n');
    if (process.platform !== 'win32') {
      chmodSync(join(directory, 'password'), 0o644);
      assert.match(
        placesOf(load('password'))[0]!,
        /^main.yaml:1:78: warning: .* read by everybody/,
      );
    }
    const gone = load('gone');
    assert.equal(gone.config, undefined);
    assert.match(placesOf(gone)[0]!, /^main.yaml:1:78: error: The secret file gone cannot be read/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
