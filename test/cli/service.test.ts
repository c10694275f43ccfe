import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { cli, program, workplace } from './run_cli.ts';

const root = join(program, '..', '..', '..');
const onLinux = { skip: process.platform !== 'linux' && 'services of Linux' };
const has = (name: string) => spawnSync(name, ['--version']).error === undefined;
const withSystemd = { skip: !has('systemctl') && 'systemctl is not installed' };
const withMessages = {
  skip: !(has('systemd-notify') && has('python3')) && 'systemd-notify or python3 is missing',
};

const simple = (service: string) => `
service: {${service}}
pipeline:
  inputs: [{name: dummy, rate: 10}]
  outputs: [{name: 'null', match: '*'}]
`;

test(
  'the unit waits for the grace of the file, reloads by SIGHUP and gives no rights',
  onLinux,
  async (t) => {
    const directory = workplace(t, { 'p.yaml': simple('grace: 45s') });
    const { code, out } = await cli(['service', 'install', '--print', 'p.yaml'], {
      cwd: directory,
    });
    assert.equal(code, 0);
    const lines = out.split('\n');
    for (const line of [
      'TimeoutStopSec=55',
      'ExecReload=/bin/kill -HUP $MAINPID',
      'Restart=on-failure',
      'DynamicUser=yes',
      'ProtectSystem=strict',
      'NoNewPrivileges=yes',
      'CapabilityBoundingSet=',
      'StateDirectory=sluice',
    ]) {
      assert.ok(lines.includes(line), `${line} is in\n${out}`);
    }
    assert.ok(out.includes(`run ${join(directory, 'p.yaml')}\n`), 'the file by its whole path');
  },
);

test('systemd accepts the unit, with blanks and signs of its own in paths', {
  skip: !has('systemd-analyze') && 'systemd-analyze is not installed',
}, async (t) => {
  const directory = workplace(t, { 'a "b" $c %d.yaml': simple('') });
  const args = ['service', 'install', '--print', '--read-all', '--group', 'adm'];
  const wanted = [...args, '--writable', '/srv/a b%', 'a "b" $c %d.yaml'];
  const { out } = await cli(wanted, { cwd: directory });
  const path = join(directory, 'sluice.service');
  writeFileSync(path, out);
  const verified = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
  assert.equal(`${verified.stdout}${verified.stderr}`, '');
  assert.equal(verified.status, 0);
  assert.match(out, /^CapabilityBoundingSet=CAP_DAC_READ_SEARCH$/m);
});

test(
  'install and uninstall below another root enable the service and take it away',
  withSystemd,
  async (t) => {
    const directory = workplace(t, { 'p.yaml': simple('') });
    const image = join(directory, 'image');
    const sluice = (...args: string[]) =>
      cli(['service', ...args, '--root', image, '--name', 'logs'], { cwd: directory });
    spawnSync('mkdir', [image]);
    const unit = join(image, 'etc/systemd/system/logs.service');
    const link = join(image, 'etc/systemd/system/multi-user.target.wants/logs.service');
    const installed = await sluice('install', 'p.yaml');
    assert.equal(installed.code, 0, installed.err);
    assert.match(readFileSync(unit, 'utf8'), /StateDirectory=logs/);
    assert.ok(readlinkExists(link));
    assert.equal((await sluice('uninstall')).code, 0);
    assert.ok(!existsSync(unit) && !readlinkExists(link));
    const again = await sluice('uninstall');
    assert.equal(again.code, 1);
    assert.match(again.err, /There is no service "logs"/);
  },
);

const refusals: [string, string[], number, RegExp][] = [
  ['no verb', [], 1, /say what to do/],
  ['another verb', ['mend'], 1, /"mend" is nothing/],
  ['no file', ['install'], 1, /at least one pipeline file/],
  ['a wrong file', ['install', '--print', 'wrong.yaml'], 78, /wrong\.yaml/],
  ['a name that is a path', ['install', '--name', '../x', 'p.yaml'], 1, /is no name of a service/],
  ['data that nobody could own', ['install', '--print', 'far.yaml'], 1, /with --user/],
];
for (const [what, args, expected, message] of refusals) {
  test(`service refuses ${what}`, onLinux, async (t) => {
    const files = {
      'p.yaml': simple(''),
      'far.yaml': simple('storage.path: /srv/data'),
      'wrong.yaml': 'pipeline: {inputs: [{name: nothing_such}]}\n',
    };
    const { code, err } = await cli(['service', ...args], { cwd: workplace(t, files) });
    assert.equal(code, expected, err);
    assert.match(err, message);
  });
}

test('service says what to do where systemd does not run', {
  skip: (existsSync('/run/systemd/system') || process.platform !== 'linux') && 'systemd runs here',
}, async () => {
  const { code, err } = await cli(['service', 'status']);
  assert.equal(code, 1);
  assert.match(err, /was not started by systemd.*--print/);
});

interface Message {
  readonly at: number;
  readonly lines: readonly string[];
}

/** A datagram socket that keeps what it gets. */
async function receiver(t: TestContext, path: string): Promise<Message[]> {
  const script = join(root, 'test', 'cli', 'datagram_receiver.py');
  const child = spawn('python3', [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const messages: Message[] = [];
  let listens = false;
  createInterface(child.stdout).on('line', (line) => {
    if (listens) messages.push(JSON.parse(line) as Message);
    listens = true;
  });
  await waitUntil('the socket is there', () => listens);
  return messages;
}

function agentUnder(t: TestContext, directory: string, socket: string): ChildProcess {
  const agent = spawn(process.execPath, [program, 'run', 'p.yaml'], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '600000' },
  });
  t.after(() => agent.kill('SIGKILL'));
  return agent;
}

for (const kind of ['path', 'abstract']) {
  test(
    `systemd hears of the whole life over ${kind === 'path' ? 'a path' : 'an abstract name'}`,
    withMessages,
    async (t) => {
      const directory = workplace(t, { 'p.yaml': simple('log_level: warn, grace: 2s') });
      const name = join(directory, 'notify');
      const socket = kind === 'path' ? name : `@sluice-test-${process.pid}-${Date.now()}`;
      const messages = await receiver(t, socket);
      const agent = agentUnder(t, directory, socket);
      const count = (line: string) => messages.filter(({ lines }) => lines.includes(line)).length;
      await waitUntil('two pings', () => count('WATCHDOG=1') >= 2);
      assert.ok(messages[0]!.lines.includes('READY=1'), 'READY=1 is the first message');
      const [, status] = messages.find(({ lines }) => lines[0] === 'WATCHDOG=1')!.lines;
      assert.match(status!, /^STATUS=Ready: 1 inputs, 1 outputs, \d+ records delivered\.$/);
      agent.kill('SIGHUP');
      await waitUntil(
        'the reload is over',
        () => count('RELOADING=1') === 1 && count('READY=1') === 2,
      );
      const reloading = messages.find(({ lines }) => lines[0] === 'RELOADING=1')!;
      assert.match(reloading.lines[1]!, /^MONOTONIC_USEC=\d+$/);
      agent.kill('SIGTERM');
      await waitUntil('the agent is gone', () => agent.exitCode !== null);
      assert.equal(agent.exitCode, 0);
      await waitUntil('it said so', () => count('STOPPING=1') === 1);
    },
  );
}

test(
  'READY=1 comes after the inputs run: none when an input cannot be opened',
  withMessages,
  async (t) => {
    const directory = workplace(t, {
      'p.yaml': `
pipeline:
  inputs: [{name: http, listen: 127.0.0.1, port: 1, ssl: {cert_file: missing.pem, key_file: missing.pem}}]
  outputs: [{name: 'null', match: '*'}]
`,
    });
    const socket = join(directory, 'notify');
    const messages = await receiver(t, socket);
    const { code } = await cli(['run', 'p.yaml'], {
      cwd: directory,
      env: { NOTIFY_SOCKET: socket },
    });
    assert.notEqual(code, 0);
    assert.deepEqual(messages, []);
  },
);

function readlinkExists(path: string): boolean {
  return spawnSync('test', ['-L', path]).status === 0;
}
