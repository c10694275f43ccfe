import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { jsonLines, program, workplace } from './run_cli.ts';

const file = (extra = '') => `
service: {http_server: true, http_port: 0, http_token: secret, storage.path: data, flush: 10s, grace: 10s${extra}}
pipeline:
  inputs: [{name: tail, path: app.log, read_from_head: true, refresh_interval: 100ms}]
  outputs: [{name: file, match: '*', path: out, file: records.ndjson}]
`;

interface Running {
  readonly agent: ChildProcess;
  readonly log: () => string;
}

function run(t: TestContext, directory: string, command: readonly string[] = []): Running {
  const [first, ...rest] = [...command, process.execPath, program, 'run', 'p.yaml'];
  const agent = spawn(first!, rest, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => agent.kill('SIGKILL'));
  let text = '';
  agent.stderr!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return { agent, log: () => text };
}

async function placeOf(directory: string): Promise<string> {
  const path = join(directory, 'data', 'agent.json');
  await waitUntil('the agent answers', () => existsSync(path) && readFileSync(path).length > 0);
  return (JSON.parse(readFileSync(path, 'utf8')) as { url: string }).url;
}

const drain = (url: string, token: string, path = '/drain') =>
  fetch(new URL(path, url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });

test('POST /drain delivers what was read, answers with the counts, and the agent ends with 0', async (t) => {
  const directory = workplace(t, { 'p.yaml': file(), 'app.log': 'one\ntwo\nthree\n' });
  const { agent, log } = run(t, directory);
  const url = await placeOf(directory);
  await waitUntil('the lines are read', async () =>
    /^sluice_records_in_total\{[^}]*tail[^}]*\} 3$/m.test(
      await (await fetch(new URL('/metrics', url))).text(),
    ),
  );
  for (const path of ['/drain', '/api/v2/drain']) {
    assert.equal((await drain(url, 'wrong', path)).status, 401);
  }
  assert.equal((await fetch(new URL('/api/v2/drain', url))).status, 405);
  const answer = await drain(url, 'secret');
  assert.equal(answer.status, 200);
  const {
    drain: outcome,
    delivered,
    persisted,
    dropped,
  } = (await answer.json()) as Record<string, unknown>;
  assert.deepEqual([outcome, delivered, persisted, dropped], ['done', 3, 0, 0]);
  await waitUntil('the agent is gone', () => agent.exitCode !== null);
  assert.equal(agent.exitCode, 0);
  assert.equal(jsonLines(readFileSync(join(directory, 'out', 'records.ndjson'), 'utf8')).length, 3);
  const last = jsonLines(log()).at(-1) as Record<string, unknown>;
  assert.equal(last['msg'], 'The agent stopped: 3 records delivered, 0 persisted, 0 lost.');
  assert.deepEqual([last['delivered'], last['persisted'], last['lost']], [3, 0, 0]);
});

const asInit = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc'];
const canBeInit = spawnSync(asInit[0]!, [...asInit.slice(1), 'true']).status === 0;

test('as process 1 of a container it ends in order at SIGTERM and reaps what exec starts', {
  skip: !canBeInit && 'unshare may make no process name space here',
}, async (t) => {
  const directory = workplace(t, {
    'p.yaml': `
service: {storage.path: data, log_level: info, grace: 5s}
pipeline:
  inputs:
    - {name: exec, command: [sh, -c, 'echo run; sleep 0 & wait'], interval: 100ms, format: lines}
    - {name: exec, alias: zombies, command: [sh, -c, 'cat /proc/[0-9]*/stat | grep -c ") Z "'], interval: 100ms, format: lines}
  outputs: [{name: file, match: '*', path: out, file: records.ndjson, flush: 50ms}]
`,
  });
  const { agent, log } = run(t, directory, asInit);
  const out = join(directory, 'out', 'records.ndjson');
  const lines = () => (existsSync(out) ? jsonLines(readFileSync(out, 'utf8')) : []);
  await waitUntil('both programs ran often', () => lines().length > 20);
  const init = readFileSync(`/proc/${agent.pid}/task/${agent.pid}/children`, 'utf8').trim();
  process.kill(Number(init), 'SIGTERM');
  await waitUntil('the agent is gone', () => agent.exitCode !== null);
  assert.equal(agent.exitCode, 0, log());
  assert.match(log(), /The agent stopped: \d+ records delivered/);
  const counts = lines().map((line) => Number((line as { exec?: string }).exec));
  const zombies = counts.filter((count) => !Number.isNaN(count));
  assert.ok(zombies.length > 3 && Math.max(...zombies) <= 2, `zombies seen: ${zombies}`);
  assert.ok(readdirSync(directory).includes('out'));
});
