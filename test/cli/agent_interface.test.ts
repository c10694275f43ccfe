import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ended, start, workplace } from './run_cli.ts';

interface Place {
  readonly url: string;
  readonly token: string;
}

/** Runs a pipeline with an HTTP interface until the test ends. */
async function runningAgent(t: TestContext, service: string, output = '{name: "null"}') {
  const text = `service: {http_server: on, http_port: 0, flush: 50ms, ${service}}
pipeline:
  inputs: [{name: dummy, rate: 50}]
  outputs: [${output}]
`;
  const cwd = workplace(t, { 'p.yaml': text });
  const agent = start(['run', 'p.yaml'], { cwd });
  const end = ended(agent);
  t.after(() => agent.kill('SIGKILL'));
  const path = join(cwd, 'sluice-data', 'agent.json');
  await until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'));
  const place = JSON.parse(readFileSync(path, 'utf8')) as Place;
  const ask = (target: string, method = 'GET') =>
    fetch(new URL(target, place.url), {
      method,
      headers: { authorization: `Bearer ${place.token}` },
    });
  return { agent, end, cwd, text, ask };
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('where hot_reload is off, neither the request nor the signal reloads', async (t) => {
  const { agent, end, cwd, text, ask } = await runningAgent(t, 'hot_reload: off');
  writeFileSync(join(cwd, 'p.yaml'), text.replace('rate: 50', 'rate: 51'));
  const answer = await ask('/api/v2/reload', 'POST');
  assert.equal(answer.status, 400);
  const body = (await answer.json()) as { reload: string; status: number };
  assert.deepEqual([body.reload, body.status], ['not enabled', -1]);
  let log = '';
  agent.stderr.on('data', (part: string) => {
    log += part;
  });
  agent.kill('SIGHUP');
  await until(() => log.includes('Reload refused: service.hot_reload is off.'));
  agent.kill('SIGTERM');
  assert.equal((await end).code, 0);
});

test('a reload says which changes of service wait for the next start', async (t) => {
  const { agent, end, cwd, text, ask } = await runningAgent(t, 'grace: 2s');
  const changed = text.replace('http_port: 0', 'http_port: 1, log_level: debug');
  writeFileSync(join(cwd, 'p.yaml'), changed);
  const { message } = (await (await ask('/api/v2/reload', 'POST')).json()) as { message: string };
  assert.match(message, /service\.log_level, service\.http_port counts from the next start/);
  agent.kill('SIGTERM');
  assert.equal((await end).code, 0);
});

test('with health_check the health is that of the last period; storage counts chunks', async (t) => {
  const output = '{name: http, port: 1, retry: {backoff: {initial: 10ms, max: 20ms}}}';
  const service = 'health_check: on, hc_retry_failure_count: 2, hc_period: 10m, grace: 1s';
  const { agent, end, ask } = await runningAgent(t, service, output);
  await until(async () => (await ask('/api/v1/health')).status === 500);
  assert.equal((await ask('/api/v2/health')).status, 500);
  const { storage_layer: layer } = (await (await ask('/api/v1/storage')).json()) as {
    storage_layer: { chunks: Record<string, number> };
  };
  assert.ok(layer.chunks['total_chunks']! > 0);
  assert.equal(layer.chunks['mem_chunks'], layer.chunks['total_chunks']);
  agent.kill('SIGTERM');
  await end;
});
