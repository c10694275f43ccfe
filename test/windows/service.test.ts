import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitUntil } from '../../core/testing/index.ts';
import { WindowsService } from '../../cli/service/windows/windows_service.ts';
import { loadKoffi } from '../../plugins/shared/windows_native/load_koffi.ts';
import { controlCalls } from '../../cli/service/windows/control_calls.ts';
import {
  processStatusBytes,
  readProcessStatus,
} from '../../cli/service/windows/service_structures.ts';
import { cli, type Finished, workplace } from '../cli/run_cli.ts';

const skip =
  process.platform === 'win32' ? false : 'runs in Node for Windows: npm run test:windows';

/** A service of the test's own, removed at its end. Its name is new each time: one that a broken
 *  test left behind stands in nobody's way. */
async function serviceOf(t: TestContext, what: string, pipeline: string) {
  const name = `Sluice${what}${Date.now()}`;
  const directory = workplace(t, { 'pipe line.yaml': pipeline });
  const data = join(directory, 'its data');
  const service = await WindowsService.named(name);
  const call = (verb: string, ...args: string[]): Promise<Finished> =>
    cli(['service', verb, '--name', name, ...args], { cwd: directory });
  t.after(() => service.uninstall().catch(() => undefined));
  const install = (...args: string[]): Promise<Finished> =>
    call('install', '--directory', data, ...args, 'pipe line.yaml');
  const log = (): string => {
    const path = join(data, 'sluice.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  return { name, directory, data, service, call, install, log };
}

test('a service is installed, started, told to reload, stopped and removed', {
  skip,
}, async (t) => {
  const pipeline = (file: string): string => `
service: {flush: 50ms, storage.path: state}
pipeline:
  inputs: [{name: tail, path: in.log, read_from_head: true, tag: a}]
  outputs: [{name: file, match: '*', path: out, file: ${file}}]
`;
  const rig = await serviceOf(t, 'Life', pipeline('one'));
  const { name, directory, data, service, call, install, log } = rig;
  const written = (file: string): string => {
    const path = join(directory, 'out', file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  writeFileSync(join(directory, 'in.log'), 'first\n');
  assert.equal((await service.status()).isInstalled, false);

  const installed = await install('--event-source', name, '--start-type', 'manual');
  assert.equal(installed.code, 0, installed.err);
  const stopped = await call('status');
  assert.equal(stopped.code, 3, stopped.err);
  const [state, settings, command] = stopped.out.split('\n');
  assert.equal(state, `${name}: stopped`);
  assert.equal(settings, `starts by hand as NT SERVICE\\${name}`);
  assert.match(command!, / run --service \S+ --directory ".*its data" ".*pipe line\.yaml"$/);
  assert.match((await install()).err, /installed already: --update .* \(1073\)/);
  writeFileSync(join(directory, 'more.yaml'), 'pipeline: {}\n');
  const updated = await install('--update', 'more.yaml');
  assert.equal(updated.code, 0, updated.err);
  const [, settingsThen, commandThen] = (await call('status')).out.split('\n');
  assert.equal(settingsThen, settings, 'account and start stay');
  assert.match(commandThen!, /more\.yaml .*pipe line\.yaml"$/);

  const started = await call('start');
  assert.equal(started.code, 0, started.err + log());
  await service.start();
  const running = await service.status();
  assert.ok(running.isRunning);
  assert.match(running.text, /: running\nprocess \d+/);
  await waitUntil('the first line', () => written('one').includes('first'));
  assert.ok(existsSync(join(data, 'state', 'checkpoints')), 'its files are in its directory');

  writeFileSync(join(directory, 'pipe line.yaml'), pipeline('two'));
  await service.reload();
  await waitUntil('the reload', () => log().includes('"two"') || log().includes('eload'));
  appendFileSync(join(directory, 'in.log'), 'second\n');
  await waitUntil('the line after the reload', () => written('two').includes('second'));

  writeFileSync(join(directory, 'pipe line.yaml'), 'pipeline: {inputs: [{name: tial}]}\n');
  await service.reload();
  await waitUntil('the refusal', () => log().includes('Reload refused'));

  const ended = await call('stop');
  assert.equal(ended.code, 0, ended.err);
  assert.match((await service.status()).text, /: stopped\n/);
  await service.stop();
  assert.equal((await call('uninstall', '--event-source', name)).code, 0);
  assert.equal((await service.status()).isInstalled, false);
  assert.ok(existsSync(data), 'its data stay');
});

test('a stop is an ordered drain, during which Windows hears of progress', { skip }, async (t) => {
  let records = 0;
  let requests = 0;
  const server = createServer((request, response) => {
    let body = '';
    requests++;
    request.on('data', (bytes) => (body += bytes));
    request.on('end', () =>
      setTimeout(() => {
        records += body.split('\n').filter((line) => line !== '').length;
        response.end();
      }, 2500),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { name, directory, service, install, log } = await serviceOf(
    t,
    'Drain',
    `
service: {flush: 50ms, grace: 30s, storage.path: state}
pipeline:
  inputs: [{name: tail, path: in.log, read_from_head: true, tag: a}]
  outputs: [{name: http, match: '*', host: 127.0.0.1, port: ${port}, format: json_lines}]
`,
  );
  writeFileSync(join(directory, 'in.log'), 'a\nb\nc\n');
  assert.equal((await install()).code, 0);
  await service.start();
  await waitUntil('a delivery that is under way', () => requests > 0);
  const checkPoints = new Set<number>();
  let isOver = false;
  const stopping = service.stop().finally(() => (isOver = true));
  const asked = await progressOf(name);
  while (!isOver) {
    const { state, checkPoint } = asked.ask();
    if (state === 3) checkPoints.add(checkPoint);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  asked.close();
  await stopping;
  assert.equal(records, 3, log());
  assert.ok(checkPoints.size >= 2, `it said ${[...checkPoints]}`);
});

async function progressOf(name: string) {
  const calls = controlCalls(await loadKoffi());
  const manager = calls.openManager(null, null, 1);
  const service = calls.openService(manager, name, 4);
  return {
    ask() {
      const bytes = Buffer.alloc(processStatusBytes);
      calls.queryStatus(service, 0, bytes, bytes.length, Buffer.alloc(4));
      return readProcessStatus(bytes);
    },
    close() {
      calls.closeHandle(service);
      calls.closeHandle(manager);
    },
  };
}

test('one whose pipeline file is wrong says why, and is not restarted', { skip }, async (t) => {
  const { directory, service, install, log } = await serviceOf(t, 'Wrong', goodPipeline);
  assert.equal((await install()).code, 0);
  writeFileSync(join(directory, 'pipe line.yaml'), 'pipeline: {inputs: [{name: tial}]}\n');
  await assert.rejects(
    service.start(),
    /did not start \(stopped, code 78\): its log says why, sluice\.log/,
  );
  assert.match(log(), /tial/);
  assert.match((await service.status()).text, /ended with code 78/);
});

test('a person who uses --service or options of systemd is told what to use', {
  skip,
}, async (t) => {
  const directory = workplace(t, { 'p.yaml': goodPipeline });
  const { code, err } = await cli(['run', '--service', 'x', 'p.yaml'], { cwd: directory });
  assert.equal(code, 1, err);
  assert.match(err, /sluice service start/);
  const foreign = await cli(['service', 'status', '--read-all'], { cwd: directory });
  assert.match(foreign.err, /--read-all is for services of Linux/);
});

const goodPipeline = `
service: {storage.path: state}
pipeline:
  inputs: [{name: dummy, rate: 10}]
  outputs: [{name: 'null', match: '*'}]
`;
