import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf } from '../../core/errors/sluice_error.ts';
import { waitUntil } from '../../core/testing/index.ts';
import { loadDuckdb } from '../../plugins/outputs/duckdb/database.ts';
import { cli, ended, start, workplace } from './run_cli.ts';

const skip = await loadDuckdb().then(
  () => false as const,
  (error) => `duckdb: ${messageOf(error)}`,
);

const pipeline = `
service: {flush: 20ms, storage.path: data, http_server: on, http_port: 0, log_level: error}
pipeline:
  inputs: [{name: tail, tag: t, path: in.log, read_from_head: true, parser: json, EXIT}]
  outputs: [{name: duckdb, alias: db, match: '*', path: logs.duckdb}]
`;
const records = [
  { level: 'error', n: 9007199254740993n, note: 'a, "b"\nc' },
  { level: 'info', n: 2n, note: null },
];
const text = records
  .map(({ level, n, note }) => `{"level":"${level}","n":${n},"note":${JSON.stringify(note)}}\n`)
  .join('');

test('a finished pipeline leaves a database that query reads', { skip }, async (t) => {
  const cwd = workplace(t, {
    'in.log': text,
    'p.yaml': pipeline.replace('EXIT', 'exit_on_eof: true'),
  });
  const ran = await cli(['run', 'p.yaml'], { cwd });
  assert.equal(ran.code, 0, ran.err);
  const sql = 'SELECT level, n, note FROM logs ORDER BY n';
  const table = await cli(['query', 'p.yaml', sql], { cwd });
  assert.equal(table.code, 0, table.err);
  assert.equal(
    table.out,
    `level                 n  note
─────  ────────────────  ─────────
info                  2
error  9007199254740993  a, "b"\\nc

2 rows
`,
  );
  const file = ['query', '--file', 'logs.duckdb'];
  const json = await cli([...file, '--format', 'json', sql], { cwd });
  assert.deepEqual(JSON.parse(json.out), [
    { level: 'info', n: 2, note: null },
    { level: 'error', n: '9007199254740993', note: 'a, "b"\nc' },
  ]);
  const csv = await cli([...file, '--format', 'csv', sql], { cwd });
  assert.equal(csv.out, 'level,n,note\ninfo,2,\nerror,9007199254740993,"a, ""b""\nc"\n');
});

test('while the agent runs, query asks it', { skip }, async (t) => {
  const cwd = workplace(t, { 'in.log': text, 'p.yaml': pipeline.replace(', EXIT', '') });
  const agent = start(['run', 'p.yaml'], { cwd });
  const done = ended(agent);
  t.after(() => agent.kill('SIGKILL'));
  const place = join(cwd, 'data', 'agent.json');
  await waitUntil('the agent listens', () => existsSync(place));
  const count = ['query', '--format', 'csv', 'p.yaml', 'SELECT count(*) AS n FROM logs'];
  await waitUntil('both records are stored', async () => {
    return (await cli(count, { cwd })).out === 'n\n2\n';
  });
  const { url, token } = JSON.parse(readFileSync(place, 'utf8')) as { url: string; token: string };
  const asked = ['query', '--format', 'csv', '--agent', url, '--output', 'db', 'SELECT 1 AS one'];
  assert.equal((await cli([...asked, '--token', token], { cwd })).out, 'one\n1\n');
  assert.equal((await cli(asked, { cwd, env: { SLUICE_TOKEN: token } })).out, 'one\n1\n');
  const refused = await cli([...asked, '--token', 'wrong'], { cwd });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /check --agent and --token/);
  const writing = await cli(['query', 'p.yaml', 'DROP TABLE logs'], { cwd });
  assert.equal(writing.code, 1);
  assert.match(writing.err, /Queries only read/);
  const locked = await cli(['query', '--file', 'logs.duckdb', 'SELECT 1'], { cwd });
  assert.equal(locked.code, 1);
  assert.match(locked.err, /in use by process \d+[\s\S]*http_server: on/);
  agent.kill('SIGTERM');
  assert.equal((await done).code, 0);
  // The agent is gone: the file itself answers.
  assert.equal((await cli(count, { cwd })).out, 'n\n2\n');
});

test('query says what it lacks', { skip }, async (t) => {
  const cwd = workplace(t, {
    'none.yaml': 'pipeline: {inputs: [{name: dummy}], outputs: [{name: "null"}]}\n',
    'bad.yaml': 'pipline: {}\n',
  });
  writeFileSync(join(cwd, 'text.duckdb'), 'this is no database');
  const cases: [string[], number, RegExp][] = [
    [[], 1, /nothing to query yet/],
    [['none.yaml'], 1, /No duckdb output is in none\.yaml/],
    [['bad.yaml'], 78, /pipline/],
    [['--file', 'missing.duckdb'], 1, /There is no database/],
    [['--file', 'text.duckdb'], 1, /cannot be opened: .*not a valid DuckDB database/],
    [['--agent', 'http://127.0.0.1:1', '--token', 'x'], 1, /No agent/],
  ];
  for (const [args, code, expected] of cases) {
    const finished = await cli(['query', ...args, 'SELECT 1'], { cwd });
    assert.equal(finished.code, code, args.join(' '));
    assert.match(finished.err, expected);
  }
});
