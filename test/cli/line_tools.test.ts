import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli, ended, jsonLines, start, workplace } from './run_cli.ts';

test('grok prints an object for a line that matches and null for one that does not', async () => {
  const { code, out } = await cli(['grok', '%{IP:client} %{NUMBER:ms:float}'], {
    input: '10.0.0.1 1.5\nnothing\n\n::1 2\r\nlast 1.2.3.4 7',
  });
  assert.equal(code, 0);
  assert.deepEqual(jsonLines(out), [
    { client: '10.0.0.1', ms: 1.5 },
    null,
    null,
    { client: '::1', ms: 2 },
    { client: '1.2.3.4', ms: 7 },
  ]);
});

test('grok takes several patterns, definitions, directories and other field names', async (t) => {
  const directory = workplace(t);
  mkdirSync(join(directory, 'patterns'));
  writeFileSync(join(directory, 'patterns', 'own.grok'), 'LEVEL (?:low|high)\n');
  const args = [
    '--define',
    'WHAT=[a-z]+',
    '--patterns-dir',
    'pat*/*.grok',
    '^%{LEVEL:level}$',
    '%{WHAT:what} ?%{MORE:more=[0-9]{0,2}}',
  ];
  const { out } = await cli(['grok', ...args], { cwd: directory, input: 'low\nother 77\n' });
  assert.deepEqual(jsonLines(out), [{ level: 'low' }, { what: 'other', more: '77' }]);
  const line = '1.2.3.4 - - [12/May/2026:00:00:02 +0000] "GET / HTTP/1.1" 200 17 "-" "curl"';
  const ecs = await cli(['grok', '--ecs', 'v1', '%{COMBINEDAPACHELOG}'], { input: line });
  assert.match(ecs.out, /"source":\{"address":"1\.2\.3\.4"\}/);
});

test('grok --explain shows where a line stopped matching', async () => {
  const { out } = await cli(['grok', '--explain', '%{IP:client} %{NUMBER:ms}'], {
    input: '10.0.0.1 fast\n',
  });
  assert.match(out, /10\.0\.0\.1 fast\n\s+~+\^\n/);
  assert.match(out, /did not match here: %\{NUMBER:ms\}/);
});

test('grok --explain says which patterns run in the kernel, and why others do not', async () => {
  const { err } = await cli(['grok', '--explain', '%{IP:client}', '(?<=ab+)%{WORD:x}'], {
    input: '',
  });
  assert.match(err, /^Pattern 1 runs in the kernel\.\n/);
  assert.match(err, /Pattern 2 runs as a regular expression, not in the kernel: it looks behind/);
});

test('a pattern that is wrong ends with 78 and its place', async () => {
  const { code, err } = await cli(['grok', '%{NOPE:x}']);
  assert.equal(code, 78);
  assert.match(err, /NOPE/);
});

test('parse knows built-in parsers, formats with options, and those of a pipeline file', async (t) => {
  const built = await cli(['parse', 'logfmt'], { input: 'a=1 b="x y"\n' });
  assert.deepEqual(jsonLines(built.out), [{ a: '1', b: 'x y' }]);
  const args = ['parse', '--option', 'regex=^(?<n>\\d+)', '--option', 'types=n:integer', 'regex'];
  const format = await cli(args, { input: '12 x\nnone\n' });
  assert.deepEqual(jsonLines(format.out), [{ n: 12 }, null]);
  const directory = workplace(t, {
    'p.yaml': `parsers: [{name: mine, format: regex, regex: '^(?<who>\\w+)'}]
pipeline: {inputs: [{name: dummy}], outputs: [{name: "null"}]}
`,
  });
  const own = await cli(['parse', '--file', 'p.yaml', 'mine'], { cwd: directory, input: 'me\n' });
  assert.deepEqual(jsonLines(own.out), [{ who: 'me' }]);
});

test('parse --time prints the time that the parser took', async () => {
  const { out } = await cli(['parse', '--time', 'nginx'], {
    input: '1.2.3.4 - - [12/May/2026:00:00:02 +0200] "GET / HTTP/1.1" 200 17 "-" "curl"\n',
  });
  const [parsed] = jsonLines(out) as [{ time: string; record: object }];
  assert.equal(parsed.time, '2026-05-11T22:00:02.000000000Z');
  assert.ok('path' in parsed.record);
});

test('a parser that is not there, or needs other options, ends with 78', async () => {
  for (const args of [['nope'], ['regex'], ['--option', 'sepparator=;', 'csv']]) {
    const { code, err } = await cli(['parse', ...args]);
    assert.equal(code, 78, args.join(' '));
    assert.match(err, /^error: /);
  }
});

test('a reader that goes away ends the command in peace', async () => {
  const child = start(['parse', 'logfmt']);
  const done = ended(child);
  child.stdin.on('error', () => undefined);
  child.stdout.once('data', () => child.stdout.destroy());
  const block = 'a=1\n'.repeat(10_000);
  const feed = () => {
    while (child.stdin.writable && child.stdin.write(block));
  };
  child.stdin.on('drain', feed);
  feed();
  const { code, err } = await done;
  assert.deepEqual([code, err], [0, '']);
});

test('lines of any number pass through a pipe in order', async () => {
  const input = Array.from({ length: 50_000 }, (_, n) => `n=${n}\n`).join('');
  const { out } = await cli(['parse', 'logfmt'], { input });
  const lines = out.trimEnd().split('\n');
  assert.equal(lines.length, 50_000);
  assert.equal(lines[49_999], '{"n":"49999"}');
});
