import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { program, workplace } from '../cli/run_cli.ts';

const nobody = 65_534;
const isLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;

interface Running {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly api: { url: string; token: string };
  log(): string;
}

/** Runs the program under umask 0, which takes no right away, as a user without any if that can be. */
async function running(t: TestContext, yaml: string, files = {}): Promise<Running> {
  const directory = workplace(t, { 'p.yaml': yaml, ...files });
  const user = isRoot ? { uid: nobody, gid: nobody } : {};
  if (isRoot)
    for (const name of ['', ...Object.keys(files)])
      chownSync(join(directory, name), nobody, nobody);
  const command = 'umask 0; exec "$0" "$@"';
  const child = spawn('/bin/sh', ['-c', command, process.execPath, program, 'run', 'p.yaml'], {
    cwd: directory,
    ...user,
  });
  t.after(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const place = join(directory, 'state', 'agent.json');
  const isUp = () => existsSync(place) && statSync(place).size > 0;
  await waitUntil('the interface', isUp, 30_000).catch((error) => {
    throw new Error(log, { cause: error });
  });
  // The agent wrote it.
  const api = JSON.parse(readFileSync(place, 'utf8')) as Running['api'];
  return { child, directory, api, log: () => log };
}

/** Addresses that a process listens on, as the kernel says. */
function listeners(pid: number): string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined;
      }
    }),
  );
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(
        (cells) =>
          cells[9] !== undefined &&
          sockets.has(cells[9]) &&
          (cells[3] === '0A' || table.startsWith('udp')),
      )
      .map((cells) => cells[1]!.split(':')[0]!),
  );
}

/** As /proc writes 127.0.0.1 and ::1. */
const loopback = new Set(['0100007F', '00000000000000000000000001000000']);

const everything = `
service:
  http_server: on
  http_port: 0
  storage.path: state
  storage.type: filesystem
  log_file: agent.log
  flush: 50ms
pipeline:
  inputs:
    - {name: tail, path: in.log, tag: lines, refresh_interval: 100ms, read_from_head: on}
    - {name: http, alias: in, port: 0}
    - {name: host_metrics, tag: metrics, interval: 1s}
  outputs:
    - {name: file, alias: files, match: lines, path: out, file: 'a/%{log}.log'}
    - {name: duckdb, alias: db, match: lines, path: db/records.duckdb, table: records}
    - {name: prometheus_exporter, alias: page, match: metrics, port: 0}
    - {name: http, alias: down, match: lines, port: 9}
    - {name: http, alias: refused, match: lines, port: 9, retry_limit: no_retries}
`;

test('all listeners are on loopback, all files for the owner alone, as a user without rights', {
  skip: !isLinux,
}, async (t) => {
  const { child, directory, api } = await running(t, everything, { 'in.log': 'one\ntwo\n' });
  await waitUntil('the files', () => existsSync(join(directory, 'out/a/two.log')), 30_000);
  await waitUntil('the database', () => existsSync(join(directory, 'db/records.duckdb')), 30_000);
  await waitUntil(
    'the dead letters',
    () => existsSync(join(directory, 'state/dead_letters/refused')),
    30_000,
  );
  await waitUntil('the positions', () => existsSync(join(directory, 'state/checkpoints')), 30_000);
  const found = listeners(child.pid!);
  assert.equal(found.length, 3, `the interface, the http input, the page: ${found.join()}`);
  for (const address of found) assert.ok(loopback.has(address), address);
  const own = new Set(['p.yaml', 'in.log']);
  const made = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !own.has(name),
  );
  assert.ok(
    made.includes('agent.log') && made.some((name) => name.startsWith('state/buffers/down/')),
  );
  for (const name of made) {
    const { mode, uid } = statSync(join(directory, name));
    const wanted = statSync(join(directory, name)).isDirectory() ? 0o700 : 0o600;
    assert.equal((mode & 0o777).toString(8), wanted.toString(8), name);
    if (isRoot) assert.equal(uid, nobody, name);
  }
  const answer = await fetch(`${api.url}/metrics`);
  assert.match(await answer.text(), /sluice_records_in_total/);
});

/** Sends bytes and waits for the end of the connection; gives what came back. */
function talk(port: number, ...parts: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', () => undefined).on('close', () => resolve(text));
    for (const part of parts) socket.write(part);
  });
}

const attacked = `
service: {http_server: on, http_port: 0, storage.path: state, log_format: json}
pipeline:
  inputs: [{name: http, port: 0, header_timeout: 1s, idle_timeout: 1s, request_timeout: 2s, connections_max: 20}]
  outputs: [{name: "null", match: '*'}]
`;

test('who sends too much, too slowly or nothing is sent away, counted, and holds up nobody', async (t) => {
  const { api, log } = await running(t, attacked);
  const port = Number(/"address":"127.0.0.1:(\d+)"/.exec(log())![1]);
  const own = Number(new URL(api.url).port);
  const head = 'POST /x HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n';
  const started = performance.now();
  const ends = await Promise.all([
    talk(port, head, `x-long: ${'x'.repeat(20_000)}\r\n\r\n`),
    talk(port, 'no request\r\n\r\n'),
    talk(port),
    talk(port, head),
    talk(port, `${head}content-length: 1000\r\n\r\n`, '{"a":'),
    talk(port, `${head}content-length: 7\r\n\r\n`, '{"a":1}'),
    talk(
      own,
      'GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n',
      `x-long: ${'x'.repeat(20_000)}\r\n\r\n`,
    ),
  ]);
  const [long, garbage, silent, slowHead, slowBody, good, ownLong] = ends;
  assert.match(long!, /^HTTP\/1.1 431 /);
  assert.match(garbage!, /^HTTP\/1.1 400 /);
  assert.match(silent!, /^(?:HTTP\/1.1 408 |$)/);
  assert.match(slowHead!, /^HTTP\/1.1 408 /);
  assert.match(slowBody!, /^(?:HTTP\/1.1 408 |$)/);
  assert.match(good!, /^HTTP\/1.1 200 /);
  assert.match(ownLong!, /^HTTP\/1.1 431 /);
  assert.ok(performance.now() - started < 30_000);
  // More connections than it keeps: the rest is closed at once, and the interface still answers.
  const many = Array.from({ length: 60 }, () =>
    connect(port, '127.0.0.1').on('error', () => undefined),
  );
  t.after(() => many.forEach((socket) => void socket.destroy()));
  await waitUntil('the refusals', () => many.filter(({ destroyed }) => destroyed).length >= 40);
  assert.equal((await fetch(`${api.url}/readyz`)).status, 200);
  const page = await (await fetch(`${api.url}/metrics`)).text();
  const count = (status: string) => {
    const line = page
      .split('\n')
      .find(
        (one) =>
          one.startsWith('sluice_http_input_requests_total{') && one.includes(`status="${status}"`),
      );
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  assert.ok(count('dropped') >= 40, page);
  for (const status of ['431', '400', '408', '200']) assert.ok(count(status) >= 1, status);
});
