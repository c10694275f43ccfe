import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../core/telemetry/log.ts';
import { systemClock } from '../../../core/time/clock.ts';

function rig() {
  let nowMs = 0;
  const written: Record<string, unknown>[] = [];
  const suppressed = { value: 0 };
  const log = createLog({
    level: 'info',
    format: 'json',
    destination: { write: (line) => void written.push(JSON.parse(line)) },
    clock: { ...systemClock, monotonicMs: () => nowMs },
    suppressed,
  })('part.0');
  return { log, written, suppressed, pass: (ms: number) => (nowMs += ms) };
}

test('a message that repeats is written every ten seconds, with how many were left out', () => {
  const { log, written, suppressed, pass } = rig();
  for (let at = 0; at < 5; at++) log.warn({ error: `e${at}` }, 'It failed.');
  assert.equal(written.length, 1);
  pass(10_000);
  log.warn({}, 'It failed.');
  assert.deepEqual([written.length, written[1]!['repeated'], suppressed.value], [2, 4, 4]);
});

test('a message about another file, channel or collector is no repetition', () => {
  const { log, written } = rig();
  for (const name of ['path', 'channel', 'collector', 'counter', 'query']) {
    for (const value of ['one', 'two', 'one']) log.warn({ [name]: value }, `About a ${name}.`);
  }
  assert.equal(written.length, 10);
});

test('messages about thousands of things are few', () => {
  const { log, written, suppressed, pass } = rig();
  for (let at = 0; at < 5000; at++) log.warn({ path: `/logs/${at}` }, 'Cannot read.');
  assert.equal(written.length, 513);
  assert.equal(suppressed.value, 5000 - 513);
  pass(10_000);
  log.warn({ path: '/logs/new' }, 'Cannot read.');
  assert.equal(written.length, 514);
});
