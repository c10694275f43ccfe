import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { cli, ended, start, workplace } from '../cli/run_cli.ts';

/** A server that says everything it was sent back, as an error: the worst that one can do. */
async function echoing(status: (request: IncomingMessage) => number) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const { authorization = '' } = request.headers;
      const pair = Buffer.from(authorization.replace(/^\S+\s+/, ''), 'base64').toString();
      const text = `you sent ${authorization} (${pair}) ${JSON.stringify(request.rawHeaders)}`;
      response.writeHead(status(request), {
        'content-type': 'application/json',
        location: `http://u:${encodeURIComponent(pair)}@x/`,
      });
      response.end(
        JSON.stringify({ error: { type: text, reason: text }, status: 400, message: text }),
      );
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, close: () => server.close() };
}

/** Each of them in its own place, so that the one that leaks can be named. */
const secrets = Object.fromEntries(
  ['token', 'httpPassword', 'bearer', 'basic', 'header', 'cookie', 'proxy', 'elastic', 'apiKey']
    .concat(['clickhouse', 'loki', 'remoteWrite', 'scrape', 'scrapeUrl', 'variable', 'file'])
    .map((name) => [name, `c4n-${name}-${Math.random().toString(36).slice(2, 12)}`]),
) as Record<string, string>;
const s = (name: string) => secrets[name]!;

function pipeline(port: number): string {
  const at = `host: 127.0.0.1, port: ${port}`;
  return `
env: {VARIABLE: ${s('variable')}}
service:
  http_server: on
  http_port: 0
  http_token: ${s('token')}
  log_level: debug
  log_format: json
  flush: 100ms
  grace: 2s
  storage.path: state
  scheduler.base: 1s
  scheduler.cap: 1s
pipeline:
  inputs:
    - {name: dummy, tag: a, samples: 3}
    - {name: http, alias: in, port: 0, token: ${s('httpPassword')}}
    - name: prometheus_scrape
      targets: ['http://127.0.0.1:${port}/metrics?api_token=${s('scrapeUrl')}']
      bearer_token: ${s('scrape')}
      scrape_interval: 1s
  outputs:
    - {name: http, alias: refused, match: a, ${at}, uri: /refuse, http_bearer_token: ${s('bearer')}}
    - {name: http, alias: basic, match: a, ${at}, uri: /refuse, http_user: me, http_passwd: "${s('basic')}"}
    - {name: http, alias: later, match: a, ${at}, uri: /later, http_user: me, http_passwd: {file: secret.txt}}
    - {name: http, alias: variable, match: a, ${at}, uri: /moved, http_bearer_token: "\${VARIABLE}"}
    - name: http
      alias: headers
      match: a
      host: 127.0.0.1
      port: ${port}
      uri: /later
      header: [Authorization Custom ${s('header')}, 'Cookie session=${s('cookie')}']
    - {name: http, alias: proxied, match: a, host: 127.0.0.1, port: 9, proxy: 'http://me:${s('proxy')}@127.0.0.1:${port}'}
    - {name: http, alias: no_proxy, match: a, host: example.invalid, tls: on, proxy: 'http://me:${s('proxy')}@127.0.0.1:1'}
    - {name: elasticsearch, alias: es, match: a, ${at}, http_user: elastic, http_passwd: ${s('elastic')}}
    - {name: elasticsearch, alias: key, match: a, ${at}, api_key: ${s('apiKey')}}
    - {name: clickhouse, alias: ch, match: a, ${at}, table: t, user: default, password: ${s('clickhouse')}}
    - {name: loki, alias: lk, match: a, ${at}, bearer_token: ${s('loki')}}
    - {name: prometheus_remote_write, alias: rw, match: '*', ${at}, bearer_token: ${s('remoteWrite')}}
`;
}

/** All bytes below a directory, in their plain form. */
function filesBelow(directory: string): [string, string][] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => [path, readFileSync(path, 'latin1')]);
}

function assertNone(where: string, text: string): void {
  for (const [name, secret] of Object.entries(secrets)) {
    const forms = [
      secret,
      Buffer.from(secret).toString('base64'),
      Buffer.from(`me:${secret}`).toString('base64'),
    ];
    for (const form of forms) {
      const at = text.indexOf(form);
      assert.ok(
        at < 0,
        `${where} shows the secret of ${name}: ${text.slice(Math.max(0, at - 300), at + 80)}`,
      );
    }
  }
}

test('a server that repeats what it was sent brings no secret into log, probes, metrics or dead letters', async (t) => {
  const server = await echoing(({ url = '' }) =>
    /later|bulk|9\/$/.test(url) ? 503 : /moved/.test(url) ? 302 : 400,
  );
  t.after(server.close);
  const directory = workplace(t, {
    'p.yaml': pipeline(server.port),
    'secret.txt': `${s('file')}\n`,
  });
  const child = start(['run', 'p.yaml'], { cwd: directory });
  t.after(() => child.kill('SIGKILL'));
  const end = ended(child);
  const agentFile = join(directory, 'state', 'agent.json');
  const isUp = () => existsSync(agentFile) && statSync(agentFile).size > 0;
  await waitUntil('the interface', isUp, 60_000);
  // The agent wrote it.
  const place = JSON.parse(readFileSync(agentFile, 'utf8')) as { url: string; token: string };
  const names = ['later', 'variable', 'headers', 'proxied', 'no_proxy', 'es', 'key', 'ch'];
  const ask = async (path: string, method = 'GET') => {
    const headers = { authorization: `Bearer ${place.token}` };
    return (await fetch(place.url + path, { method, headers })).text();
  };
  let readiness = '';
  await waitUntil(
    'every failure to be named',
    async () => {
      readiness = await ask('/readyz');
      return names.every((name) => readiness.includes(`"output ${name}"`));
    },
    60_000,
  ).catch((error) => {
    throw new Error(readiness, { cause: error });
  });
  assertNone('/readyz', readiness);
  for (const path of [
    '/',
    '/metrics',
    '/livez',
    '/api/v1/health',
    '/api/v1/metrics',
    '/api/v1/storage',
    '/api/v1/uptime',
    '/api/v2/metrics',
    '/api/v2/reload',
  ]) {
    assertNone(path, await ask(path));
  }
  assertNone('a reload', await ask('/api/v2/reload', 'POST'));
  child.kill('SIGTERM');
  const { err, out } = await end;
  assert.match(err, /Delivery failed/);
  assertNone('the log', err + out);
  assert.match(err, /are kept as dead letters/);
  for (const [path, text] of filesBelow(join(directory, 'state'))) {
    // The place for the interface's token, which only the owner may read.
    if (path !== agentFile) assertNone(path, text);
  }
  for (const output of ['refused', 'basic']) {
    const letters = await cli(['dlq', 'show', '--storage', 'state', '--output', output], {
      cwd: directory,
    });
    assertNone(`dead letters of ${output}`, letters.out + letters.err);
  }
  const probed = await cli(['check', '--probe', 'p.yaml'], { cwd: directory });
  assertNone('check --probe', probed.out + probed.err);
});
