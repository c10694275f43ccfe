import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ServiceNotifier, takeNotifyEnvironment } from '../../cli/service/service_notifier.ts';
import type { Log } from '../../core/sdk/contracts.ts';
import { waitUntil } from '../../core/testing/index.ts';
import type { Clock } from '../../core/time/clock.ts';

test('the environment of systemd is taken out, so that no child speaks for the agent', () => {
  const env = { NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '2000000', WATCHDOG_PID: '7', PATH: '/bin' };
  const taken = takeNotifyEnvironment(env, 7);
  assert.deepEqual([taken?.socket, taken?.watchdogMs], ['@x', 2000]);
  assert.deepEqual(env, { PATH: '/bin' });
});

for (const [what, env] of [
  ['no socket', {}],
  ['a socket that is neither a path nor abstract', { NOTIFY_SOCKET: 'x' }],
  ['an empty socket', { NOTIFY_SOCKET: '' }],
] as const) {
  test(`nobody is told with ${what}`, () => {
    assert.equal(takeNotifyEnvironment({ ...env }, 7), undefined);
  });
}

test('a watchdog of another process is not fed', () => {
  const env = { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '2000000', WATCHDOG_PID: '8' };
  assert.equal(takeNotifyEnvironment(env, 7)?.watchdogMs, undefined);
});

/** Stands for systemd-notify: writes its arguments down. What systemd itself hears is tested in
 *  test/cli/service.test.ts; here the agent is wedged, which a real one is after a minute only. */
function notifier(t: TestContext, wedged: () => string | undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-notify-'));
  const said = join(directory, 'said');
  const program = join(directory, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\nprintf '%s|' "$@" >> '${said}'; echo >> '${said}'\n`);
  chmodSync(program, 0o755);
  const path = process.env['PATH'];
  process.env['PATH'] = `${directory}:${path}`;
  t.after(() => {
    process.env['PATH'] = path;
    rmSync(directory, { recursive: true, force: true });
  });
  let tick: () => void = () => {};
  const clock = {
    every: (_ms: number, work: () => void) => {
      tick = work;
      return () => undefined;
    },
  } as unknown as Clock; // Only `every` is used.
  const errors: string[] = [];
  const log = { error: (_fields: unknown, text: string) => errors.push(text) } as unknown as Log;
  const environment = { socket: '/x', runtimeDirectory: undefined, watchdogMs: 100 };
  const made = new ServiceNotifier({ environment, clock, log, wedged, status: () => 'Ready.' });
  const lines = () => (existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : []);
  return { made, tick: () => tick(), lines, errors };
}

test('the watchdog is fed while the agent gets on, and not while it is wedged', async (t) => {
  let problem: string | undefined;
  const { made, tick, lines, errors } = notifier(t, () => problem);
  await made.ready();
  tick();
  await waitUntil('it is fed', () => lines().length === 2);
  problem = 'input x: wedged';
  for (let k = 0; k < 3; k++) tick();
  problem = undefined;
  tick();
  await waitUntil('it is fed again', () => lines().length === 4);
  await made.close();
  assert.deepEqual(lines(), [
    'READY=1|STATUS=Ready.|',
    'WATCHDOG=1|STATUS=Ready.|',
    'STATUS=input x: wedged|',
    'WATCHDOG=1|STATUS=Ready.|',
  ]);
  assert.equal(errors.length, 1, 'said once');
});
