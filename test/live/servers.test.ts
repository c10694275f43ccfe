import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type RunningServer, type ServerName, servers } from '../servers/index.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Question {
  readonly method?: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

async function ask(server: RunningServer, path: string, question: Question = {}): Promise<Answer> {
  const { body } = question;
  const url = new URL(path, server.url);
  const options = {
    agent: false as const,
    method: question.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { 'content-type': question.contentType ?? 'application/json', ...question.headers },
    signal: AbortSignal.timeout(question.timeoutMs ?? 30_000),
    ...(server.username === undefined ? {} : { auth: `${server.username}:${server.password}` }),
  };
  const ca = server.caPath === undefined ? undefined : await readFile(server.caPath);
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === 'https:' ? requestHttps(url, { ...options, ca }) : requestHttp(url, options);
    sent.once('error', reject);
    sent.once('response', (response) => {
      text(response).then((received) => {
        resolve({ status: response.statusCode ?? 0, body: received });
      }, reject);
    });
    sent.end(body);
  });
}

async function askOk(server: RunningServer, path: string, question?: Question): Promise<string> {
  const answer = await ask(server, path, question);
  assert.ok(
    answer.status >= 200 && answer.status < 300,
    `${path}: ${answer.status} ${answer.body}`,
  );
  return answer.body;
}

// Elasticsearch's own are in elasticsearch.test, which starts each in each way: a start takes long.

/** Registers a test that runs where the server can, and says in one line why it is skipped. */
async function testWith(
  name: ServerName,
  title: string,
  body: (context: TestContext) => Promise<void>,
): Promise<void> {
  const verdict = await servers[name].canRun();
  const skip = verdict.ok ? false : `${name}: ${verdict.why}`;
  test(title, { skip }, async (context) => {
    await servers[name].install((line) => context.diagnostic(`${name}: ${line}`));
    await body(context);
  });
}

async function query(server: RunningServer, sql: string, timeoutMs = 30_000): Promise<string> {
  return askOk(server, '/', { body: sql, contentType: 'text/plain', timeoutMs });
}

await testWith(
  'clickhouse',
  'ClickHouse creates a table, takes rows, gives them back',
  async (t) => {
    const server = await servers.clickhouse.start();
    t.after(() => server.stop());
    await query(server, 'CREATE DATABASE store');
    await query(
      server,
      'CREATE TABLE store.lines (n UInt32, s String) ENGINE MergeTree ORDER BY n',
    );
    await query(
      server,
      'INSERT INTO store.lines FORMAT JSONEachRow {"n":1,"s":"a"} {"n":2,"s":"b"}',
    );
    assert.equal(await query(server, 'SELECT sum(n), max(s) FROM store.lines'), '3\tb\n');
    assert.equal(await query(server, 'SELECT currentUser()'), `${server.username}\n`);
    assert.match(await query(server, 'SELECT version()'), /^26\./);
  },
);

await testWith('clickhouse', 'a server can be frozen, killed and started again', async (t) => {
  const server = await servers.clickhouse.start();
  t.after(() => server.stop());
  await query(server, 'CREATE DATABASE store');
  await query(server, 'CREATE TABLE store.kept (n UInt32) ENGINE MergeTree ORDER BY n');
  await query(server, 'INSERT INTO store.kept VALUES (7)');
  server.pause();
  await assert.rejects(query(server, 'SELECT 1', 300), { name: 'AbortError' });
  server.resume();
  assert.equal(await query(server, 'SELECT 1'), '1\n');
  const { port, pid } = server;
  await server.kill('SIGKILL');
  await assert.rejects(query(server, 'SELECT 1'), { code: 'ECONNREFUSED' });
  await server.restart();
  assert.equal(server.port, port);
  assert.notEqual(server.pid, pid);
  assert.equal(await query(server, 'SELECT n FROM store.kept'), '7\n');
  await server.stop();
  assert.equal(existsSync(server.dataDir), false);
});

await testWith('clickhouse', 'a server ends with a process that is killed', async (t) => {
  const script = `
    const { servers } = await import(process.argv[1]);
    const server = await servers.clickhouse.start();
    console.log(JSON.stringify({ pid: server.pid, dataDir: server.dataDir }));
    process.stdin.resume();`;
  const index = new URL('../servers/index.js', import.meta.url).href;
  const command = ['--input-type=module', '-e', script, index];
  const parent = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => parent.kill('SIGKILL'));
  const { pid, dataDir } = JSON.parse(await firstLine(parent)) as { pid: number; dataDir: string };
  assert.ok(isAlive(pid) && existsSync(dataDir));
  parent.kill('SIGKILL');
  const giveUpAt = Date.now() + 10_000;
  while ((isAlive(pid) || existsSync(dataDir)) && Date.now() < giveUpAt) await wait(20);
  assert.equal(isAlive(pid), false);
  assert.equal(existsSync(dataDir), false);
});

await testWith('loki', 'Loki takes a push and answers a query, each for its tenant', async (t) => {
  const server = await servers.loki.start({ auth: true, limits: { max_line_size: 100 } });
  t.after(() => server.stop());
  const headers = { 'x-scope-orgid': 'one' };
  const push = (line: string): string =>
    JSON.stringify({
      streams: [
        { stream: { job: 'test' }, values: [[`${Date.now()}000000`, line, { pod: 'p1' }]] },
      ],
    });
  const path = '/loki/api/v1/push';
  assert.equal((await ask(server, path, { body: push('a line'), headers })).status, 204);
  assert.equal((await ask(server, path, { body: push('a line') })).status, 401);
  assert.equal((await ask(server, path, { body: push('x'.repeat(101)), headers })).status, 400);
  const search = `/loki/api/v1/query_range?query=${encodeURIComponent('{job="test"} | pod="p1"')}`;
  const found = JSON.parse(await askOk(server, search, { headers }));
  assert.equal(found.data.result[0].values[0][1], 'a line');
  const other = await askOk(server, search, { headers: { 'x-scope-orgid': 'two' } });
  assert.deepEqual(JSON.parse(other).data.result, []);
});

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line;
  throw new Error('The child process ended without a line.');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
