import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReadingStage, readOn } from '../../../core/topology/read_on.ts';
import { SimulatedClock } from '../../neighbours/simulated_clock.ts';

/** An input that always has all, and emits at these times. */
function input(clock: SimulatedClock, emits: readonly number[], finishesMs?: number) {
  const asked: AbortSignal[] = [];
  const finished = new Promise<void>((resolve) => {
    if (finishesMs !== undefined) clock.after(finishesMs, resolve);
  });
  const stage: ReadingStage = {
    hasFinished: false,
    get emittedMs() {
      return Math.max(-Infinity, ...emits.filter((ms) => ms <= clock.monotonicMs()));
    },
    async caughtUp(limit) {
      asked.push(limit);
      if (finishesMs === undefined) return;
      await new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve()));
    },
    finished: () => finished,
  };
  return { stage, asked };
}

async function lasting(work: Promise<void>, clock: SimulatedClock): Promise<number> {
  const startMs = clock.monotonicMs();
  let isOver = false;
  void work.then(() => {
    isOver = true;
  });
  while (!isOver) await clock.advance(10);
  return clock.monotonicMs() - startMs;
}

test('before a stop inputs read on until nothing came for half a second', async () => {
  const neverStops = Array.from({ length: 1000 }, (_, k) => k * 100);
  for (const [emits, leastMs, mostMs] of [
    [[-600], 0, 20],
    [[-100], 400, 420],
    [[0, 300, 700], 1200, 1220],
    [neverStops, 2000, 2020],
  ] as const) {
    const clock = new SimulatedClock();
    const start = clock.monotonicMs();
    const { stage } = input(
      clock,
      emits.map((ms) => ms + start),
    );
    const { signal } = new AbortController();
    const ms = await lasting(readOn([stage], { clock, limitMs: 2000, signal }), clock);
    assert.ok(ms >= leastMs && ms <= mostMs, `${emits.slice(0, 3)}: ${ms}`);
  }
});

test('an input that ends meanwhile is not asked any more, and an order to end at once is obeyed', async () => {
  const clock = new SimulatedClock();
  const ends = input(clock, [clock.monotonicMs()], 50);
  const stop = new AbortController();
  const options = { clock, limitMs: 60_000, signal: stop.signal };
  await lasting(readOn([ends.stage], options), clock);
  assert.deepEqual(
    ends.asked.map(({ aborted }) => aborted),
    ends.asked.map(() => true),
  );
  const writes = input(
    clock,
    Array.from({ length: 1000 }, (_, k) => clock.monotonicMs() + k * 100),
  );
  clock.after(200, () => stop.abort());
  assert.ok((await lasting(readOn([writes.stage], options), clock)) < 300);
});
