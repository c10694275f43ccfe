import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import {
  assertConservation,
  type StartedPipeline,
  scriptedInput,
  scriptedOutput,
  startPipeline,
} from '../../core/testing/index.ts';
import { Random } from '../model/random.ts';
import { SimulatedClock } from './simulated_clock.ts';

export interface HourOptions {
  readonly whenFull: 'block' | 'drop_oldest';
  /** Output A refuses everything for an hour. */
  readonly isDown: boolean;
  readonly recordBytes: number;
}

export interface HourCounts {
  /** Records that B got during the hour. */
  neighbourRecords: number;
  neighbourDelayMsP99: number;
  /** What `/readyz` named during the hour. */
  reasons: string[];
  /** The input had to wait. */
  waited: boolean;
  dropped: number;
  /** Records that A never got. */
  lost: number;
}

const hourMs = 3_600_000;
const periodMs = 12_000;
const perPeriod = 10;

function yaml(whenFull: string): string {
  return `
service: {flush: 1s, scheduler.base: 1s, scheduler.cap: 30s, grace: 1s, memory_limit: 16777216}
pipeline:
  inputs: [{name: scripted, tag: test}]
  outputs:
    - {name: a, alias: a, match: '*', storage.when_full: ${whenFull}}
    - {name: b, alias: b, match: '*'}
`;
}

/** One input, output A that is down for an hour, output B that works: an hour of a simulated clock,
 *  then A works again. */
export async function downForAnHour(options: HourOptions): Promise<HourCounts> {
  const clock = new SimulatedClock();
  const input = scriptedInput();
  const a = scriptedOutput('a');
  const b = scriptedOutput('b');
  let isDown = options.isDown;
  a.answer = () => (isDown ? { kind: 'retry', reason: 'down' } : { kind: 'accepted' });
  const delays: number[] = [];
  b.answer = (chunk) => {
    for (let index = 0; index < chunk.count; index++) {
      // The encoder wrote it.
      const { at } = JSON.parse(chunk.recordAt(index).toString()) as { at: number };
      delays.push(clock.monotonicMs() - at);
    }
    return { kind: 'accepted' };
  };
  const plugins = [input.plugin, a.plugin, b.plugin];
  const pipeline = await startPipeline({ yaml: yaml(options.whenFull), plugins, clock });
  const { agent } = pipeline;
  const counts: HourCounts = {
    neighbourRecords: 0,
    neighbourDelayMsP99: 0,
    reasons: [],
    waited: false,
    dropped: 0,
    lost: 0,
  };
  const text = 'x'.repeat(options.recordBytes);
  let sent = 0;
  const reasons = new Set<string>();
  let emitting: Promise<void> | undefined;
  while (clock.monotonicMs() < hourMs) {
    if (emitting === undefined) {
      const records = Array.from({ length: perPeriod }, () => {
        return { n: sent++, at: clock.monotonicMs(), text };
      });
      emitting = input.emit(records).finally(() => {
        emitting = undefined;
      });
    }
    // Streams and the disk work in real time: only a full output makes the input wait.
    const isFull = () => agent.outputs.some(({ stage }) => !stage.hasRoom());
    for (let k = 0; emitting !== undefined && (k < 5000 || !isFull()); k++) await turn();
    if (emitting !== undefined) counts.waited = true;
    await clock.advance(periodMs);
    for (const { component, reason } of agent.problems()) reasons.add(`${component}: ${reason}`);
  }
  counts.neighbourRecords = delays.length;
  counts.neighbourDelayMsP99 = delays.sort((x, y) => x - y)[Math.floor(delays.length * 0.99)] ?? 0;
  counts.reasons = [...reasons].slice(0, 8);
  isDown = false;
  await drained(pipeline, clock, () => emitting === undefined);
  assert.deepEqual(agent.problems(), []);
  counts.dropped = agent.outputs[0]!.stage.counters.droppedTotal();
  const got = new Set(a.accepted.map((record) => record['n']));
  counts.lost = sent - got.size;
  assert.equal(b.accepted.length, sent);
  await stopped(pipeline, clock);
  return counts;
}

export interface PauseCounts {
  rounds: number;
  records: number;
  pauses: number;
  lost: number;
}

/** Three outputs that pause and resume at random, at small limits, with each policy that keeps
 *  records. Whatever the order, all arrives once all work again. */
export async function pausedAndResumed(seed: number, rounds: number): Promise<PauseCounts> {
  const counts: PauseCounts = { rounds, records: 0, pauses: 0, lost: 0 };
  for (let round = 0; round < rounds; round++) {
    await pauseRound(new Random(seed + round), counts).catch((error) => {
      throw new Error(`seed ${seed + round}`, { cause: error });
    });
  }
  return counts;
}

async function pauseRound(random: Random, counts: PauseCounts): Promise<void> {
  const clock = new SimulatedClock();
  const inputs = [scriptedInput('first'), scriptedInput('second')];
  const outputs = ['a', 'b', 'c'].map((name) => scriptedOutput(name));
  const isDown = outputs.map(() => false);
  for (const [index, output] of outputs.entries()) {
    output.answer = () => {
      return isDown[index] ? { kind: 'retry', reason: 'paused' } : { kind: 'accepted' };
    };
  }
  const pipeline = await startPipeline({
    yaml: `
service: {flush: 1s, scheduler.base: 1s, scheduler.cap: 5s, grace: 1s, memory_limit: 16777216}
pipeline:
  inputs: [{name: first, tag: x}, {name: second, tag: y}]
  outputs:
    - {name: a, alias: a, match: '*'}
    - {name: b, alias: b, match: x}
    - {name: c, alias: c, match: y, batch: {records: 3}}
`,
    plugins: [...inputs, ...outputs].map(({ plugin }) => plugin),
    clock,
  });
  const text = 'x'.repeat(100_000);
  const sent = [0, 0];
  const busy = [false, false];
  const steps = 30 + random.below(30);
  for (let step = 0; step < steps; step++) {
    for (const [index, input] of inputs.entries()) {
      if (busy[index]) continue;
      busy[index] = true;
      const records = Array.from({ length: 1 + random.below(8) }, () => {
        return { n: sent[index]!++, from: index, text };
      });
      void input.emit(records, index === 0 ? 'x' : 'y').then(() => {
        busy[index] = false;
      });
    }
    const flipped = random.below(5);
    if (flipped < 3) {
      isDown[flipped] = !isDown[flipped];
      counts.pauses++;
    }
    await clock.advance(random.pick([1, 100, 1000, 7000]));
  }
  isDown.fill(false);
  await drained(pipeline, clock, () => busy.every((one) => !one));
  const [a, b, c] = outputs.map(
    ({ accepted }) => new Set(accepted.map((r) => `${r['from']}/${r['n']}`)),
  );
  counts.records += sent[0]! + sent[1]!;
  counts.lost += sent[0]! + sent[1]! - a!.size + (sent[0]! - b!.size) + (sent[1]! - c!.size);
  await stopped(pipeline, clock);
  assert.equal(counts.lost, 0);
}

/** Lets time go by until nothing is on its way; half an hour is more than enough. */
async function drained(
  pipeline: StartedPipeline,
  clock: SimulatedClock,
  isThrough: () => boolean,
): Promise<void> {
  const { agent } = pipeline;
  const endMs = clock.monotonicMs() + hourMs / 2;
  // The disk works in real time, in which half an hour of this clock takes a second.
  const realEndMs = performance.now() + 30_000;
  while (!isThrough() || !agent.outputs.every(({ stage }) => stage.isIdle)) {
    const isOver = clock.monotonicMs() >= endMs && performance.now() >= realEndMs;
    assert.ok(!isOver, `wedged: ${JSON.stringify(agent.problems())}`);
    await clock.advance(500);
  }
}

async function stopped(pipeline: StartedPipeline, clock: SimulatedClock): Promise<void> {
  let isStopped = false;
  const stopping = pipeline.agent.stop().then(() => {
    isStopped = true;
  });
  while (!isStopped) {
    await clock.advance(10);
    await turn();
  }
  await stopping;
  assertConservation(pipeline.agent.metrics, { drained: true });
  await pipeline.stop();
}
