import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapBatch } from '../../../core/batch/batch.ts';
import type { Source } from '../../../core/batch/source.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { SourceHoldings } from '../../../core/topology/source_holdings.ts';

function rig() {
  const ledger = {
    startMark: () => 0,
    pend: () => undefined,
    settle: () => undefined,
    advance: () => undefined,
    processedPosition: 0,
    hold: () => undefined,
    release: () => undefined,
  };
  const source: Source = { name: 'a', inputId: 'in', generation: '0'.repeat(32), ledger };
  const batch = heapBatch(64, 1);
  batch.reset(source, 'tag');
  const timers: { delayMs: number; work: () => void }[] = [];
  let nowMs = 0;
  const clock = {
    ...systemClock,
    monotonicMs: () => nowMs,
    after(delayMs: number, work: () => void) {
      const timer = { delayMs, work };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const called: Source[] = [];
  const holdings = new SourceHoldings(clock, (one) => called.push(one));
  /** A batch goes through the filters, which do some work on it. */
  const pass = (work: () => void): void => {
    holdings.begin(batch, false);
    work();
    holdings.end(batch);
  };
  const elapse = (ms: number): void => {
    nowMs += ms;
    for (const timer of timers.splice(0)) timer.work();
  };
  return { batch, source, holdings, called, timers, pass, elapse };
}

test('a source is known as long as something of it is held, and not a batch longer', () => {
  const { batch, source, holdings, timers, pass } = rig();
  const holder = {};
  pass(() => batch.holding!.hold(holder, 0, 500));
  assert.deepEqual(holdings.held(), [source]);
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [500],
  );
  pass(() => batch.holding!.release(holder));
  assert.deepEqual(holdings.held(), []);
  assert.deepEqual(timers, []);
});

test('a source is called when its first holder is due, once until a batch has come by', () => {
  const { batch, source, called, timers, pass, elapse } = rig();
  const [first, second] = [{}, {}];
  pass(() => {
    batch.holding!.hold(first, 0, 500);
    batch.holding!.hold(second, 0, 900);
  });
  elapse(499);
  assert.deepEqual(called, []);
  elapse(1);
  assert.deepEqual(called, [source]);
  assert.deepEqual(timers, []);
  pass(() => batch.holding!.release(first));
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [400],
  );
  elapse(400);
  assert.deepEqual(called, [source, source]);
});
