import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type GuardedWork, runGuarded } from '../../../core/regex/guard.ts';
import { compileRegex } from '../../../core/regex/regex.ts';

const runaway = `${'a'.repeat(65_536)}b`;

function matching(source: string, texts: readonly string[], engine: 'auto' | 'matcher' = 'auto') {
  const regex = compileRegex(source, { engine, stepBudget: 100_000 });
  const ends: (number | undefined)[] = texts.map(() => undefined);
  const work: GuardedWork = {
    count: texts.length,
    progress: 0,
    step: (index) => {
      ends[index] = regex.exec(texts[index]!)?.end;
    },
  };
  return { work, ends };
}

describe('the runaway guard', () => {
  test('gives up the runaway item and leaves its neighbours their results', () => {
    const { work, ends } = matching('((?:a|aa)+)+$', ['aa', runaway, 'baa', runaway, 'a']);
    assert.deepEqual(runGuarded(work, 20).timedOut, [1, 3]);
    assert.deepEqual(ends, [2, undefined, 3, undefined, 1]);
    assert.equal(work.progress, 5);
  });

  test('reports items that the matcher gives up by itself', () => {
    const { work, ends } = matching('(a+)+$', ['aa', runaway, 'a'], 'matcher');
    assert.deepEqual(runGuarded(work, 1000).timedOut, [1]);
    assert.deepEqual(ends, [2, undefined, 1]);
  });

  test('does not give up an item that the processor gave too little time', () => {
    // The machine takes three turns away, each as long as the whole time limit.
    let turnsTaken = 0;
    const busy = { wallMs: () => performance.now(), processorMs: () => 0 };
    const work: GuardedWork = {
      count: 2,
      progress: 0,
      step: (index) => {
        if (index === 0 || turnsTaken === 3) return;
        turnsTaken++;
        for (;;);
      },
    };
    assert.deepEqual(runGuarded(work, 5, {}, busy).timedOut, []);
    assert.equal(turnsTaken, 3);
  });

  test('gives an item up in the end on a machine that says nothing of its processor', () => {
    const { work, ends } = matching('((?:a|aa)+)+$', ['aa', runaway, 'a']);
    const mute = { wallMs: () => performance.now(), processorMs: () => 0 };
    assert.deepEqual(runGuarded(work, 2, {}, mute).timedOut, [1]);
    assert.deepEqual(ends, [2, undefined, 1]);
  });

  test('lets the first item, which may compile the expression, run twice', () => {
    let runs = 0;
    const clock = { wallMs: () => performance.now(), processorMs: () => performance.now() };
    const step = () => {
      if (++runs < 2) for (;;);
    };
    assert.deepEqual(runGuarded({ count: 1, progress: 0, step }, 50, {}, clock).timedOut, []);
  });

  test('lets any item run three times whose expression has not run yet', () => {
    const clock = { wallMs: () => performance.now(), processorMs: () => performance.now() };
    const slowUntil = (run: number) => {
      let runs = 0;
      const step = (index: number) => {
        if (index === 1 && ++runs < run) for (;;);
      };
      return { count: 3, progress: 0, step };
    };
    const cold = { isCold: true };
    assert.deepEqual(runGuarded(slowUntil(3), 50, cold, clock).timedOut, []);
    assert.deepEqual(runGuarded(slowUntil(9), 5, cold, clock).timedOut, [1]);
  });

  test('passes other errors on', () => {
    const work: GuardedWork = {
      count: 1,
      progress: 0,
      step: () => {
        throw new TypeError('broken');
      },
    };
    assert.throws(() => runGuarded(work, 100), TypeError);
  });

  test('does nothing for an empty batch', () => {
    assert.deepEqual(runGuarded({ count: 0, progress: 0, step: () => {} }, 10).timedOut, []);
  });
});
