import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Collector,
  CollectorSchedule,
  type Reading,
} from '../../../plugins/shared/collect/collector_schedule.ts';
import type { LaneName, Lanes } from '../../../plugins/shared/collect/lanes.ts';
import { ManualClock, settle } from './manual_clock.ts';

const lanes: Lanes = {
  high: { workers: 5, queue: 100, timeoutMs: 30_000 },
  normal: { workers: 8, queue: 200, timeoutMs: 60_000 },
};

interface Delivered {
  readonly name: string;
  readonly kind: string;
  readonly value: unknown;
  readonly startedAtMs: number;
}

interface Rig {
  readonly clock: ManualClock;
  readonly delivered: Delivered[];
  readonly log: string[];
  count(name: string, labels: Record<string, string>): number;
  stop(): Promise<void>;
}

function start(
  collectors: readonly Collector<unknown>[],
  limits: Lanes = lanes,
  deliver: () => Promise<void> = async () => undefined,
  clock = new ManualClock(),
): Rig {
  const counters = new Map<string, { value: number }>();
  const delivered: Delivered[] = [];
  const log: string[] = [];
  const say = (fields: object, message: string) => log.push(`${message} ${JSON.stringify(fields)}`);
  const schedule = new CollectorSchedule<unknown>({
    collectors,
    lanes: limits,
    context: {
      clock,
      log: { error: say, warn: say, info: say, debug: say },
      metrics: {
        counter: (name, labels = {}) => {
          const key = `${name} ${JSON.stringify(labels)}`;
          const known = counters.get(key) ?? { value: 0 };
          counters.set(key, known);
          return known;
        },
        gauge: () => undefined,
      },
    },
    async deliver(collector, reading: Reading<unknown>) {
      delivered.push({
        name: collector.name,
        kind: reading.kind,
        value: reading.kind === 'done' ? reading.value : reading.reason,
        startedAtMs: reading.startedAtMs - 1_700_000_000_000,
      });
      await deliver();
    },
  });
  const stopper = new AbortController();
  const running = schedule.run(stopper.signal);
  running.catch(() => undefined);
  return {
    clock,
    delivered,
    log,
    count: (name, labels) => counters.get(`${name} ${JSON.stringify(labels)}`)?.value ?? 0,
    async stop() {
      stopper.abort();
      await running;
    },
  };
}

function collector(
  name: string,
  collect: (signal: AbortSignal) => Promise<unknown>,
  lane: LaneName = 'normal',
  intervalMs = 10_000,
): Collector<unknown> {
  return { name, lane, intervalMs, collect };
}

const never = () => new Promise<never>(() => undefined);

test('a normal lane full of hung collectors leaves the high lane on time', async () => {
  const hung = Array.from({ length: 20 }, (_, k) => collector(`hung${k}`, never));
  const rig = start([...hung, collector('load', async () => 1, 'high')]);
  await rig.clock.advance(50_000);
  assert.deepEqual(
    rig.delivered.map(({ name, startedAtMs }) => [name, startedAtMs]),
    [0, 10_000, 20_000, 30_000, 40_000, 50_000].map((ms) => ['load', ms]),
  );
  await rig.stop();
});

test('a hung collector is given up at its deadline, and frees its worker', async () => {
  const one: Lanes = { ...lanes, normal: { workers: 1, queue: 10, timeoutMs: 60_000 } };
  const good = async () => 'value';
  const hourMs = 3_600_000;
  const rig = start(
    [collector('hung', never, 'normal', hourMs), collector('good', good, 'normal', hourMs)],
    one,
  );
  await rig.clock.advance(59_999);
  assert.deepEqual(rig.delivered, []);
  await rig.clock.advance(1);
  assert.deepEqual(
    rig.delivered.map(({ name, kind, value }) => [name, kind, value]),
    [
      ['hung', 'timeout', 'no values within 60000 ms'],
      ['good', 'done', 'value'],
    ],
  );
  assert.equal(rig.count('sluice_collector_timeout_total', { collector: 'hung' }), 1);
  assert.match(rig.log.join(), /gives no values; the others go on.*hung/);
  await rig.stop();
});

test('what a late reading brings is thrown away, and the next one is asked for anew', async () => {
  let finish = (_value: string): void => undefined;
  let asked = 0;
  const slow = collector('slow', () => {
    asked++;
    return asked === 1
      ? new Promise((resolve) => {
          finish = resolve;
        })
      : Promise.resolve('new');
  });
  const rig = start([slow]);
  await rig.clock.advance(75_000);
  // Hung readings never pile up: it is asked once.
  assert.equal(asked, 1);
  finish('old');
  await settle();
  await rig.clock.advance(5000);
  assert.deepEqual(
    rig.delivered.map(({ kind, value, startedAtMs }) => [kind, value, startedAtMs]),
    [
      ['timeout', 'no values within 60000 ms', 0],
      ['done', 'new', 80_000],
    ],
  );
  assert.match(rig.log.at(-1)!, /gives values again/);
  await rig.stop();
});

test('the signal of a reading aborts at its deadline', async () => {
  let seen: AbortSignal | undefined;
  const rig = start([
    collector('one', (signal) => {
      seen = signal;
      return never();
    }),
  ]);
  await rig.clock.advance(59_000);
  assert.equal(seen?.aborted, false);
  await rig.clock.advance(1000);
  assert.equal(seen?.aborted, true);
  await rig.stop();
});

test('a collector that throws, at once or later, fails alone', async () => {
  const rig = start([
    collector('at_once', () => {
      throw new Error('no such file');
    }),
    collector('later', async () => {
      await settle();
      throw new Error('broken');
    }),
    collector('good', async () => 1),
  ]);
  await rig.clock.advance(0);
  await settle();
  await settle();
  assert.deepEqual(
    new Map(rig.delivered.map(({ name, value }) => [name, value])),
    new Map<string, unknown>([
      ['at_once', 'no such file'],
      ['good', 1],
      ['later', 'broken'],
    ]),
  );
  assert.equal(rig.count('sluice_collector_failures_total', { collector: 'later' }), 1);
  await rig.stop();
});

test('as many collectors wait as the queue is long; one more is skipped and counted', async () => {
  const tight: Lanes = { ...lanes, normal: { workers: 1, queue: 2, timeoutMs: 60_000 } };
  const names = ['a', 'b', 'c', 'd'];
  const rig = start(
    names.map((name) => collector(name, never)),
    tight,
  );
  // Four are more than the lane has room for: they start 2.5 s apart.
  await rig.clock.advance(9000);
  const skipped = names.map((name) =>
    rig.count('sluice_collector_skipped_total', { collector: name, reason: 'queue_full' }),
  );
  assert.deepEqual(skipped, [0, 0, 0, 1]);
  await rig.stop();
});

test('collectors that time out again and again take no turns of those that answer', async () => {
  // They end when they are aborted, as a command does, and are asked again at once.
  const hangs = (signal: AbortSignal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('ended')));
    });
  const rig = start([
    ...Array.from({ length: 40 }, (_, k) => collector(`hung${k}`, hangs)),
    collector('good', async () => 1),
  ]);
  await rig.clock.advance(600_000);
  const good = rig.delivered.filter(({ name }) => name === 'good');
  // It waits once, while nobody knows who hangs; then each round is its own.
  assert.deepEqual(
    good.slice(1).map(({ startedAtMs }) => startedAtMs),
    good.slice(1).map((_, at) => good[1]!.startedAtMs + at * 10_000),
  );
  assert.equal(good.at(-1)!.startedAtMs, 600_000);
  await rig.stop();
});

test('more collectors than a lane has room for take turns over the interval', async () => {
  const tight: Lanes = { ...lanes, normal: { workers: 1, queue: 2, timeoutMs: 60_000 } };
  const names = Array.from({ length: 10 }, (_, k) => `one${k}`);
  const rig = start(
    names.map((name) => collector(name, async () => 1)),
    tight,
  );
  await rig.clock.advance(19_999);
  const starts = names.map((name) =>
    rig.delivered.filter((one) => one.name === name).map(({ startedAtMs }) => startedAtMs),
  );
  assert.deepEqual(
    starts,
    names.map((_, k) => [k * 1000, 10_000 + k * 1000]),
  );
  await rig.stop();
});

test('intervals do not drift, however long a reading takes', async () => {
  let clock: ManualClock | undefined;
  const slow = collector(
    'slow',
    () => new Promise((resolve) => clock!.after(3700, () => resolve(1))),
  );
  const rig = start([slow]);
  clock = rig.clock;
  // The first was asked for before the clock was known.
  await rig.clock.advance(45_000);
  assert.deepEqual(
    rig.delivered.filter(({ kind }) => kind === 'done').map(({ startedAtMs }) => startedAtMs),
    [10_000, 20_000, 30_000, 40_000],
  );
  await rig.stop();
});

test('a timer that ends a little early makes no round twice', async () => {
  class EarlyClock extends ManualClock {
    override after(delayMs: number, work: () => void): () => void {
      return super.after(Math.max(delayMs - 0.9, 0.5), work);
    }
  }
  const rig = start([collector('one', async () => 1)], lanes, undefined, new EarlyClock());
  await rig.clock.advance(100_000);
  assert.equal(rig.delivered.length, 11);
  await rig.stop();
});

test('a full pipeline makes rounds be skipped: nothing piles up', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const rig = start([collector('one', async () => 1)], lanes, () => gate);
  await rig.clock.advance(50_000);
  assert.equal(rig.delivered.length, 1);
  assert.equal(
    rig.count('sluice_collector_skipped_total', { collector: 'one', reason: 'busy' }),
    5,
  );
  assert.equal(rig.count('sluice_collector_timeout_total', { collector: 'one' }), 0);
  open();
  await settle();
  await rig.clock.advance(10_000);
  assert.equal(rig.delivered.length, 2);
  await rig.stop();
});

test('it stops at once, also while readings hang', async () => {
  const rig = start([collector('hung', never)]);
  await settle();
  await rig.stop();
});

test('what the pipeline throws ends the schedule', async () => {
  const rig = start([collector('one', async () => 1)], lanes, async () => {
    throw new Error('the agent stopped');
  });
  await settle();
  await assert.rejects(rig.stop(), /the agent stopped/);
});
