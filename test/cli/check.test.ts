import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cli, ended, start, workplace } from './run_cli.ts';

const filters = 'inputs: [{name: dummy, samples: 1}]\n  outputs: [{name: "null"}]\n';

/** A port that is taken while the test runs. */
async function takenPort(t: TestContext): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function pipeline(parts: { service?: string; input?: string; output?: string }): string {
  const { service = '', input = '{name: dummy, samples: 1}', output = '{name: "null"}' } = parts;
  return `service: {${service}}\npipeline:\n  inputs: [${input}]\n  outputs: [${output}]\n`;
}

const unstartable: [string, (taken: number, free: number) => string, RegExp][] = [
  [
    'the port of the HTTP interface is taken',
    (port) => pipeline({ service: `http_server: on, http_port: ${port}` }),
    /HTTP interface cannot listen on 127\.0\.0\.1:\d+/,
  ],
  [
    'the port of an input is taken',
    (port) => pipeline({ input: `{name: http, port: ${port}}` }),
    /http input cannot listen/,
  ],
  [
    'two components want one port',
    (_, port) =>
      pipeline({
        service: `http_server: on, http_port: ${port}`,
        input: `{name: http, port: ${port}}`,
      }),
    /http input cannot listen/,
  ],
  ['storage.path is a file', () => pipeline({ service: 'storage.path: taken' }), /taken.*ENOTDIR/],
  [
    'storage.path is where nothing can be made',
    () => pipeline({ service: 'storage.path: /proc/nothing' }),
    /\/proc\/nothing/,
  ],
  [
    'the directory of log_file is missing',
    () => pipeline({ service: 'log_file: missing/agent.log' }),
    /log_file cannot be written/,
  ],
  [
    'a file of trusted certificates has none',
    () => pipeline({ output: '{name: es, tls: on, tls.ca_file: taken}' }),
    /tls\.ca_file or tls\.ca_path has no certificate/,
  ],
  [
    'the certificate of a client is missing',
    () => pipeline({ output: '{name: es, tls: on, tls.crt_file: no.pem, tls.key_file: no.key}' }),
    /no\.pem cannot be read/,
  ],
  [
    'the certificate of an input is none',
    () =>
      pipeline({
        input: '{name: http, port: 0, tls: on, tls.crt_file: taken, tls.key_file: taken}',
      }),
    /The files of tls\.\* cannot be used/,
  ],
  [
    'the directory of grok patterns is missing',
    () =>
      `pipeline:\n  filters: [{name: grok, pattern: '%{WORD:a}', patterns_dir: none}]\n  ${filters}`,
    /Cannot read grok patterns/,
  ],
];
for (const [what, file, expected] of unstartable) {
  test(`check and run both end with 78 where ${what}`, async (t) => {
    const cwd = workplace(t, {
      'p.yaml': file(await takenPort(t), await freePort()),
      taken: 'no certificate\n',
    });
    const checked = await cli(['check', 'p.yaml'], { cwd });
    assert.equal(checked.code, 78, checked.err);
    assert.match(checked.err, expected);
    assert.deepEqual(readdirSync(cwd).sort(), ['p.yaml', 'taken']);
    const ran = await cli(['run', 'p.yaml'], { cwd });
    assert.equal(ran.code, 78, ran.err);
    assert.match(ran.err, /^error: /m);
    assert.doesNotMatch(ran.err, /The agent started|\n\s+at /);
  });
}

test('check tells every obstacle at once, for people and for programs', async (t) => {
  const output =
    '{name: es, tls: on, tls.ca_file: a.pem}, {name: loki, labels: j=x, tls: on, tls.ca_file: b.pem}';
  const cwd = workplace(t, { 'p.yaml': pipeline({ service: 'log_file: no/l', output }) });
  const { code, err } = await cli(['check', 'p.yaml'], { cwd });
  assert.equal(code, 78);
  assert.match(
    err,
    /p\.yaml: error: .*log_file[\s\S]*p\.yaml:4:13: error: .*a\.pem[\s\S]*p\.yaml:4:\d\d: error: .*b\.pem/,
  );
  const { out } = await cli(['check', '--format', 'json', 'p.yaml'], { cwd });
  const problems = JSON.parse(out) as { line: number }[];
  assert.deepEqual(
    problems.map(({ line }) => line),
    [0, 4, 4],
  );
});

test('check of a good file leaves nothing behind, also where it would store records', async (t) => {
  const output =
    '{name: duckdb, path: new/x.duckdb, table: t}, {name: "null", alias: n, storage.type: filesystem}';
  const cwd = workplace(t, { 'p.yaml': pipeline({ service: 'log_file: agent.log', output }) });
  const { code, err } = await cli(['check', 'p.yaml'], { cwd });
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(readdirSync(cwd), ['p.yaml']);
});

test('the files of a running agent are right for a reload of it', async (t) => {
  const file = pipeline({ service: 'http_server: on, http_port: 0', input: '{name: dummy}' });
  const cwd = workplace(t, { 'p.yaml': file });
  const agent = start(['run', 'p.yaml'], { cwd });
  const end = ended(agent);
  t.after(() => agent.kill('SIGKILL'));
  const place = join(cwd, 'sluice-data', 'agent.json');
  while (!existsSync(place)) await new Promise((resolve) => setTimeout(resolve, 20));
  const { code, out, err } = await cli(['check', 'p.yaml'], { cwd });
  assert.equal(code, 0);
  assert.match(out, /^OK/);
  assert.match(err, new RegExp(`process ${agent.pid} runs with this storage\\.path`));
  writeFileSync(join(cwd, 'p.yaml'), file.replace('dummy', 'dumy'));
  assert.equal((await cli(['check', 'p.yaml'], { cwd })).code, 78);
  agent.kill('SIGTERM');
  assert.equal((await end).code, 0);
});
