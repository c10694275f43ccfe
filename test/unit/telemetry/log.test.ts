import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../../core/sdk/contracts.ts';
import { createLog, type LogLevel } from '../../../core/telemetry/log.ts';
import { systemClock } from '../../../core/time/clock.ts';

interface Rig {
  nowMs: number;
  readonly suppressed: { value: number };
  readonly logOf: (component: string, level?: LogLevel) => Log;
  /** What was written since the last look. */
  said(): Record<string, unknown>[];
}

function rig(level: LogLevel = 'info'): Rig {
  let text = '';
  const suppressed = { value: 0 };
  const made: Rig = {
    nowMs: 0,
    suppressed,
    logOf: createLog({
      level,
      format: 'json',
      destination: { write: (line: string) => void (text += line) },
      clock: { ...systemClock, monotonicMs: () => made.nowMs },
      suppressed,
    }),
    said() {
      const lines = text.split('\n').slice(0, -1);
      text = '';
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
  return made;
}

test('a message that repeats is said once in ten seconds, with the number left out', () => {
  const made = rig();
  const log = made.logOf('tail.0');
  for (let n = 0; n < 5; n++) log.warn({ n }, 'It rains.');
  assert.deepEqual(
    made.said().map(({ n, repeated }) => [n, repeated]),
    [[0, undefined]],
  );
  made.nowMs = 9_999;
  log.warn({ n: 5 }, 'It rains.');
  assert.deepEqual(made.said(), []);
  assert.equal(made.suppressed.value, 5);
  made.nowMs = 10_000;
  log.warn({ n: 6 }, 'It rains.');
  assert.deepEqual(
    made.said().map(({ n, repeated }) => [n, repeated]),
    [[6, 5]],
  );
  made.nowMs = 20_000;
  log.warn({ n: 7 }, 'It rains.');
  assert.equal(made.said()[0]!['repeated'], undefined);
});

test('what differs in text, level or component is said beside it', () => {
  const made = rig();
  const log = made.logOf('tail.0');
  log.warn({}, 'It rains.');
  log.warn({}, 'It snows.');
  log.error({}, 'It rains.');
  made.logOf('tail.1').warn({}, 'It rains.');
  assert.deepEqual(
    made
      .said()
      .map(({ level, component, msg }) => `${String(component)} ${String(level)} ${String(msg)}`),
    [
      'tail.0 warn It rains.',
      'tail.0 warn It snows.',
      'tail.0 error It rains.',
      'tail.1 warn It rains.',
    ],
  );
  assert.equal(made.suppressed.value, 0);
});

test('a component has a level of its own, and what is below it is neither said nor counted', () => {
  const made = rig('warn');
  made.logOf('a').info({}, 'quiet');
  made.logOf('b', 'debug').debug({}, 'loud');
  const off = made.logOf('c', 'off');
  off.error({}, 'nothing');
  off.error({}, 'nothing');
  assert.deepEqual(
    made.said().map(({ msg }) => msg),
    ['loud'],
  );
  assert.equal(made.suppressed.value, 0);
});

test('messages that are all different are remembered up to a bound', () => {
  const made = rig();
  const log = made.logOf('a');
  for (let n = 0; n < 2000; n++) log.info({}, `message ${n}`);
  assert.equal(made.said().length, 2000);
  log.info({}, 'message 1999');
  assert.equal(made.said().length, 0);
  // Long forgotten.
  log.info({}, 'message 0');
  assert.equal(made.said().length, 1);
});

test('a message about another file, channel or collector is no repetition', () => {
  const made = rig();
  const log = made.logOf('a');
  for (const name of ['path', 'channel', 'collector', 'counter', 'query']) {
    for (const value of ['one', 'two', 'one']) log.warn({ [name]: value }, `About a ${name}.`);
  }
  assert.equal(made.said().length, 10);
  assert.equal(made.suppressed.value, 5);
});

test('messages about thousands of things are few', () => {
  const made = rig();
  const log = made.logOf('a');
  for (let n = 0; n < 5000; n++) log.warn({ path: `/logs/${n}` }, 'Cannot read.');
  assert.equal(made.said().length, 513);
  assert.equal(made.suppressed.value, 5000 - 513);
  made.nowMs = 10_000;
  log.warn({ path: '/logs/new' }, 'Cannot read.');
  assert.equal(made.said().length, 1);
});
