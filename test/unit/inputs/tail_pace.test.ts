import assert from 'node:assert/strict';
import { mkdirSync, utimesSync } from 'node:fs';
import { describe, it } from 'node:test';
import { systemClock } from '../../../core/sdk/index.ts';
import { DirectoryWatch } from '../../../plugins/inputs/tail/directory_watch.ts';
import { SweepPace, untilNext } from '../../../plugins/inputs/tail/sweep_pace.ts';
import { inPlace } from './tail_harness.ts';

describe('the pace of sweeps', () => {
  it('slows down for many small turns, and never beyond a share of the flush', () => {
    const pace = new SweepPace(1000);
    for (let turn = 0; turn < 500; turn++) pace.read(1000, 0);
    assert.equal(pace.pauseMs(), 450);
    for (let turn = 0; turn < 5000; turn++) pace.read(1000, 0);
    assert.equal(pace.pauseMs(), 900);
    const quick = new SweepPace(200);
    for (let turn = 0; turn < 5000; turn++) quick.read(1000, 0);
    assert.equal(quick.pauseMs(), 180);
  });

  it('does not slow down for large turns', () => {
    const pace = new SweepPace(1000);
    for (let turn = 0; turn < 5000; turn++) pace.read(100_000, 0);
    assert.equal(pace.pauseMs(), 100);
  });

  it('slows down for a slow sweep as far as its files explain it', () => {
    const pace = new SweepPace(1000);
    pace.swept(50, 100_000);
    assert.equal(pace.pauseMs(), 1000);
    pace.swept(50, 10);
    assert.equal(pace.pauseMs(), 100);
  });

  it('takes what is to be done together while all is quiet', () => {
    const pace = new SweepPace(1000);
    pace.read(10, 5000);
    assert.equal(pace.restMs(6010, 100), 100);
    assert.equal(pace.restMs(20_010, 100), 490);
    assert.equal(pace.restMs(20_490, 100), 510);
    assert.equal(pace.restMs(20_010, 900), 900);
    assert.equal(new SweepPace(250).restMs(20_010, 100), 240);
  });

  it('leaves a chunk some of its time, however long its lines waited', () => {
    const pace = new SweepPace(1000);
    assert.equal(pace.waitedMs(300), 300);
    assert.equal(pace.waitedMs(30_000), 900);
  });

  it('finds the next multiple of a period', () => {
    assert.equal(untilNext(1000, 250), 250);
    assert.equal(untilNext(1000.4, 250), 250);
    assert.equal(untilNext(1249, 250), 1);
  });
});

describe('the watch over directories', () => {
  it('tells of names that come, and of directories that appear', () =>
    inPlace(async (place) => {
      let told: () => void = () => {};
      const watch = new DirectoryWatch(systemClock, () => told(), { restMs: () => 1 });
      const next = () =>
        new Promise<void>((resolve) => {
          told = resolve;
        });
      try {
        await watch.add([place.directory, place.at('later')]);
        const appeared = next();
        mkdirSync(place.at('later'));
        await appeared;
        const named = next();
        place.write('later/a.log', 'x\n');
        // Two changes within one tick of the system's clock bear one time.
        utimesSync(place.at('later'), 1, 1);
        await named;
      } finally {
        await watch.close();
      }
    }));
});
