import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli, workplace } from './run_cli.ts';

test('help lists every command and each says how it is called', async () => {
  const { code, out } = await cli(['help']);
  assert.equal(code, 0);
  for (const name of ['run', 'check', 'query', 'grok', 'parse', 'dlq', 'buffer', 'docs']) {
    assert.match(out, new RegExp(`^  ${name} `, 'm'));
  }
  assert.match((await cli(['query', '--help'])).out, /usage: sluice query/);
  assert.deepEqual(await cli([]), await cli(['help']));
});

test('the version is that of the package', async () => {
  const { code, out } = await cli(['version']);
  assert.equal(code, 0);
  assert.match(out, /^sluice \d+\.\d+\.\d+ /);
  assert.equal((await cli(['--version'])).out, out);
});

const wrongCalls: [string, string[], RegExp][] = [
  ['an unknown command', ['serve'], /there is no command "serve"/],
  ['an unknown option', ['plugins', '--frmat', 'json'], /--frmat/],
  ['an unknown format', ['plugins', '--format', 'xml'], /there is no format "xml"/],
  ['docs of nothing', ['docs'], /name one plugin/],
  ['grok without a pattern', ['grok'], /name a pattern/],
  ['grok with other field names', ['grok', '--ecs', 'v8', 'x'], /--ecs is v1 or disabled/],
  ['grok with half a definition', ['grok', '--define', 'A', 'x'], /NAME=PATTERN/],
  ['parse without a parser', ['parse'], /name one parser/],
  ['query without a query', ['query'], /give a query/],
  ['dlq without an action', ['dlq'], /list, show or replay/],
  ['dlq with no number', ['dlq', 'show', '--limit', 'few'], /--limit/],
  ['a replay without a pipeline', ['dlq', 'replay'], /name the pipeline file/],
  ['buffer without an action', ['buffer'], /show or verify/],
  ['two files for the quickstart', ['quickstart', 'a', 'b'], /one file at most/],
];
for (const [what, args, expected] of wrongCalls) {
  test(`${what} is a usage error`, async () => {
    const { code, out, err } = await cli(args);
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, expected);
  });
}

test('plugins are listed for people and for programs', async () => {
  const { out } = await cli(['plugins']);
  for (const name of ['inputs', 'filters', 'outputs', 'parsers', 'tail', 'elasticsearch, es']) {
    assert.match(out, new RegExp(`^ *${name}`, 'm'));
  }
  const listed = JSON.parse((await cli(['plugins', '--format', 'json'])).out) as object[];
  assert.ok(
    listed.some((one) => 'name' in one && one.name === 'duckdb' && 'kind' in one),
    out,
  );
});

test('docs explain a plugin with its options, those of its kind, and an example', async () => {
  const { code, out } = await cli(['docs', 'duckdb']);
  assert.equal(code, 0);
  assert.match(out, /^duckdb \(output, /);
  assert.match(out, /memory_limit \(size, as 2MB, default "64MB"\)/);
  assert.match(out, /Options that every output has[\s\S]*retry_limit/);
  assert.match(out, /Example[\s\S]*- name: duckdb/);
  // A name that several kinds share; one of them.
  assert.match((await cli(['docs', 'es'])).out, /^elasticsearch \(output/);
  assert.match((await cli(['docs', 'parser/json'])).out, /^json \(parser/);
});

test('docs of an unknown plugin name the nearest', async () => {
  const { code, err } = await cli(['docs', 'duckbd']);
  assert.equal(code, 1);
  assert.match(err, /did you mean "duckdb"\?/);
});

test('the schema is one JSON document, of the file or of one plugin', async () => {
  const file = JSON.parse((await cli(['schema'])).out) as { definitions: object };
  assert.ok('output_duckdb' in file.definitions);
  const one = JSON.parse((await cli(['schema', '--plugin', 'duckdb'])).out) as {
    properties: object;
  };
  assert.ok('memory_limit' in one.properties);
  assert.ok('retry_limit' in one.properties);
  assert.equal((await cli(['schema', '--plugin', 'nothing'])).code, 1);
});

for (const output of ['elasticsearch', 'http', 'loki', 'clickhouse']) {
  test(`check --probe says that nothing listens where ${output} should send`, async (t) => {
    const table = output === 'clickhouse' ? ', table: t' : '';
    const directory = workplace(t, {
      'p.yaml': `pipeline:
  inputs: [{name: dummy}]
  outputs: [{name: ${output}, match: '*', host: 127.0.0.1, port: 1${table}}]
`,
    });
    const { code, err } = await cli(['check', '--probe', 'p.yaml'], { cwd: directory });
    assert.notEqual(code, 0);
    assert.match(err, /ECONNREFUSED|refused|connect/i);
    assert.doesNotMatch(err, /undefined/);
  });
}

test('check says OK, or everything that is wrong, with exit code 78', async (t) => {
  const directory = workplace(t, {
    'good.yaml': 'pipeline:\n  inputs: [{name: dummy}]\n  outputs: [{name: "null"}]\n',
    'bad.yaml': 'pipeline:\n  inputs: [{name: dumy}]\n  outputs: [{name: stdout, formt: x}]\n',
  });
  const good = await cli(['check', 'good.yaml'], { cwd: directory });
  assert.deepEqual([good.code, good.err], [0, '']);
  assert.match(good.out, /^OK/);
  const bad = await cli(['check', 'bad.yaml'], { cwd: directory });
  assert.equal(bad.code, 78);
  assert.match(bad.err, /bad\.yaml:2:\d+[\s\S]*dumy[\s\S]*bad\.yaml:3:\d+[\s\S]*formt/);
});

test('a run whose records no output wants says how many went nowhere', async (t) => {
  const directory = workplace(t, {
    'p.yaml': `pipeline:
  inputs: [{name: dummy, samples: 3, tag: a}]
  outputs: [{name: stdout, match: b}]
`,
  });
  const { code, out, err } = await cli(['run', 'p.yaml'], { cwd: directory });
  assert.deepEqual([code, out], [0, '']);
  assert.match(err, /"unmatched":3,"msg":"Records matched no output/);
});
