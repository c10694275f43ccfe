import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inPlace, type TailPlace, type TailRun } from './tail_harness.ts';

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const numbered = (from: number, to: number, name = 'line') =>
  Array.from({ length: to - from }, (_, i) => `${name} ${from + i}`);

/** Rotates like logrotate: older files move up, the newest by renaming or by copy and truncation;
 *  from the second on they may be compressed. */
class Rotator {
  private readonly place: TailPlace;
  private readonly name: string;
  private readonly keep: number;

  constructor(place: TailPlace, name: string, keep: number) {
    this.place = place;
    this.name = name;
    this.keep = keep;
  }

  rotate(way: 'rename' | 'copytruncate', compress = false): void {
    const file = (index: number, end = '') =>
      this.place.at(index === 0 ? this.name : `${this.name}.${index}${end}`);
    for (const end of ['', '.gz']) {
      if (existsSync(file(this.keep, end))) unlinkSync(file(this.keep, end));
    }
    for (let index = this.keep - 1; index >= 1; index--) {
      for (const end of ['', '.gz']) {
        if (existsSync(file(index, end))) renameSync(file(index, end), file(index + 1, end));
      }
    }
    if (compress && existsSync(file(2))) {
      writeFileSync(file(2, '.gz'), gzipSync(readFileSync(file(2))));
      unlinkSync(file(2));
    }
    if (way === 'rename') {
      renameSync(file(0), file(1));
      writeFileSync(file(0), '');
    } else {
      copyFileSync(file(0), file(1));
      truncateSync(file(0), 0);
    }
  }
}

function assertOnce(run: TailRun, expected: readonly string[]): void {
  assert.deepEqual([...run.lines].sort(), [...expected].sort());
}

/** A busy machine, for runs by hand: `SLUICE_STALL_MS=250` blocks the event loop for up to that
 *  long, again and again, while the tests run beside each other. */
const stallMs = Number(process.env['SLUICE_STALL_MS'] ?? 0);
let stalling: NodeJS.Timeout | undefined;

before(() => {
  if (stallMs === 0) return;
  stalling = setInterval(() => {
    const untilMs = performance.now() + Math.random() * stallMs;
    while (performance.now() < untilMs);
  }, 20);
});
after(() => clearInterval(stalling));

describe('tail follows rotation', { concurrency: 4 }, () => {
  it('by renaming out of the patterns, reading the old file to its end', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 10)));
      const run = place.run();
      await run.until(() => run.sent.length === 10);
      place.append('a.log', text(numbered(10, 20)));
      renameSync(place.at('a.log'), place.at('a.1'));
      place.append('a.1', text(numbered(20, 25)));
      place.write('a.log', text(numbered(25, 30)));
      await run.until(() => run.sent.length === 30);
      place.append('a.1', 'late\n');
      await run.until(() => run.sent.length === 31);
      assertOnce(run, [...numbered(0, 30), 'late']);
      await run.until(() => place.checkpoints.stored.size === 1, 'the old checkpoint to go');
    }));

  it('by renaming out of the patterns while the file is closed, because too many are open', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\n');
      const run = place.run({ open_files_max: 1, rotate_wait: 500 }, { isStepped: true });
      await run.begun();
      await run.read();
      place.write('b.log', 'b\n');
      await run.look();
      await run.read();
      place.append('a.log', 'two\n');
      renameSync(place.at('a.log'), place.at('a.old'));
      await run.look();
      await run.read();
      place.append('a.old', 'three\n');
      renameSync(place.at('a.old'), place.at('a.older'));
      place.append('b.log', 'b\n');
      await run.look();
      place.append('a.older', 'end');
      // The unfinished line is read when nothing came for `rotate_wait`.
      const deadline = Date.now() + 20_000;
      while (!run.lines.includes('end') && Date.now() < deadline) {
        await run.look();
        await run.read();
      }
      assert.deepEqual([...run.lines].sort(), ['b', 'b', 'end', 'one', 'three', 'two']);
      assert.equal(run.counter('sluice_tail_files_abandoned_bytes_total'), 0);
    }));

  it('never taking a file of other content for one that was closed and lost its name', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\ntwo\n');
      const run = place.run({ open_files_max: 1, rotate_wait: 1 }, { isStepped: true });
      await run.begun();
      await run.read();
      place.write('b.log', 'b\n');
      await run.look();
      await run.read();
      place.append('a.log', 'three\n');
      await run.look();
      renameSync(place.at('a.log'), place.at('secret'));
      writeFileSync(place.at('secret'), 'something else that is none of our business\n');
      for (let i = 0; i < 3; i++) {
        await run.look();
        await run.read();
      }
      assert.deepEqual([...run.lines].sort(), ['b', 'one', 'two']);
      await run.until(() => run.counter('sluice_tail_rotations_total') === 1);
    }));

  it('by renaming within the patterns', () =>
    inPlace(async (place) => {
      const rotator = new Rotator(place, 'a.log', 5);
      place.write('a.log', '');
      const run = place.run({ path: ['a.log*'] });
      for (let round = 0; round < 10; round++) {
        place.append('a.log', text(numbered(round * 10, round * 10 + 10)));
        await run.until(() => run.sent.length >= round * 10 + 10);
        rotator.rotate('rename');
      }
      assertOnce(run, numbered(0, 100));
      assert.ok(run.counter('sluice_tail_rotations_total') >= 10);
    }));

  it('by copy and truncation, thirty times, the copies within the patterns', () =>
    inPlace(async (place) => {
      const rotator = new Rotator(place, 'a.log', 100);
      place.write('a.log', '');
      const run = place.run({ path: ['a.log*'] });
      for (let round = 0; round < 30; round++) {
        place.append('a.log', text(numbered(round * 5, round * 5 + 5)));
        await run.until(() => run.sent.length >= round * 5 + 5, `round ${round}`);
        rotator.rotate('copytruncate');
      }
      place.append('a.log', 'end\n');
      await run.until(() => run.lines.includes('end'));
      assertOnce(run, [...numbered(0, 150), 'end']);
      assert.equal(run.counter('sluice_tail_files_abandoned_bytes_total'), 0);
    }));

  it('by copy and truncation, reading the rest from the copy', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 50)));
      const run = place.run({ path: ['a.log*'] });
      await run.until(() => run.sent.length === 50);
      run.pauseOutput();
      place.append('a.log', text(numbered(50, 100)));
      copyFileSync(place.at('a.log'), place.at('a.log.1'));
      truncateSync(place.at('a.log'), 0);
      place.append('a.log', text(numbered(100, 110)));
      run.resumeOutput();
      await run.until(() => run.sent.length >= 110);
      assertOnce(run, numbered(0, 110));
    }));

  it('with compression of older files within the patterns', () =>
    inPlace(async (place) => {
      const rotator = new Rotator(place, 'a.log', 6);
      place.write('a.log', '');
      const run = place.run({ path: ['a.log*'] });
      for (let round = 0; round < 8; round++) {
        place.append('a.log', text(numbered(round * 10, round * 10 + 10)));
        await run.until(() => run.sent.length >= round * 10 + 10);
        rotator.rotate('rename', true);
      }
      place.append('a.log', 'end\n');
      await run.until(() => run.lines.includes('end'));
      // Longer than a copy is waited for: nothing may come twice.
      const waited = Date.now() + 900;
      await run.until(() => Date.now() > waited);
      assertOnce(run, [...numbered(0, 80), 'end']);
    }));

  it('in quick succession while the outputs are full', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 5)));
      const run = place.run();
      await run.until(() => run.sent.length === 5);
      run.pauseOutput();
      for (let round = 1; round <= 6; round++) {
        renameSync(place.at('a.log'), place.at(`a.${round}`));
        place.write('a.log', text(numbered(round * 5, round * 5 + 5)));
        // As long as the input needs to see the name: it opens files though it cannot read them.
        const opened = place.checkpoints.stored.size;
        await run.until(() => place.checkpoints.stored.size > opened || opened > round);
      }
      run.resumeOutput();
      await run.until(() => run.sent.length >= 35);
      assertOnce(run, numbered(0, 35));
    }));

  it('while it is stopped: copy, truncation and compression', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 30)));
      const options = { path: ['a.log*'] };
      await place.readAll(options);
      place.append('a.log', text(numbered(30, 40)));
      copyFileSync(place.at('a.log'), place.at('a.log.1'));
      truncateSync(place.at('a.log'), 0);
      place.append('a.log', text(numbered(40, 45)));
      const second = await place.readAll(options);
      assertOnce(second, numbered(30, 45));
      place.append('a.log.1', '');
      writeFileSync(place.at('a.log.1.gz'), gzipSync(readFileSync(place.at('a.log.1'))));
      unlinkSync(place.at('a.log.1'));
      assertOnce(await place.readAll(options), []);
    }));
});

describe('tail tells files apart', { concurrency: 4 }, () => {
  it('reads two files with the same first kilobytes both', () =>
    inPlace(async (place) => {
      const head = text(Array(100).fill('the same line at the head'));
      place.write('a.log', `${head}a\n`);
      place.write('b.log', `${head}b\n`);
      const run = place.run();
      await run.until(() => run.sent.length === 202);
      place.write('c.log', `${head}c\n`);
      await run.until(() => run.sent.length === 303);
      assert.deepEqual(run.lines.filter((line) => line.length === 1).sort(), ['a', 'b', 'c']);
    }));

  it('reads a file that equals another wholly, once it is clear that it is no copy', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 100)));
      const run = place.run();
      await run.until(() => run.sent.length === 100);
      place.write('b.log', text(numbered(0, 100)));
      await run.until(() => run.sent.length === 200);
    }));

  it('reads a new file in a used inode from its beginning', () =>
    inPlace(async (place) => {
      for (let round = 0; round < 30; round++) {
        place.write('a.log', text(numbered(round, round + 20, `round ${round}`)));
        const run = await place.readAll();
        assert.equal(run.sent.length, 20, `round ${round}`);
        unlinkSync(place.at('a.log'));
      }
    }));

  it('reads a short new file in a used inode though its lines are those read before', () =>
    inPlace(async (place) => {
      place.write('a.log', 'started\n');
      assert.equal((await place.readAll()).sent.length, 1);
      unlinkSync(place.at('a.log'));
      place.write('a.log', 'started\n');
      assert.equal((await place.readAll()).sent.length, 1);
    }));

  it('follows one file under two names', () =>
    inPlace(async (place) => {
      place.write('a.log', 'x\n');
      linkSync(place.at('a.log'), place.at('b.log'));
      assert.deepEqual((await place.readAll()).lines, ['x']);
    }));
});

describe('tail notices truncation', { concurrency: 4 }, () => {
  it('to nothing, and goes on from the beginning', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\ntwo\n');
      const run = place.run();
      await run.until(() => run.sent.length === 2);
      place.write('a.log', 'three\n');
      await run.until(() => run.sent.length === 3);
      assert.notEqual(run.sent[2]!.generation, run.sent[0]!.generation);
      assert.equal(run.sent[2]!.offset, 0);
    }));

  it('though it was filled past the old position before the next look', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 10)));
      const run = place.run();
      await run.until(() => run.sent.length === 10);
      place.write('a.log', text(numbered(100, 200)));
      await run.until(() => run.sent.length === 110);
      assert.deepEqual(run.lines.slice(10), numbered(100, 200));
    }));

  it('though it was filled to the very same size', () =>
    inPlace(async (place) => {
      place.write('a.log', 'aaaa\nbbbb\n');
      const run = place.run();
      await run.until(() => run.sent.length === 2);
      place.write('a.log', 'cccc\ndddd\n');
      await run.until(() => run.sent.length === 4);
      assert.deepEqual(run.lines, ['aaaa', 'bbbb', 'cccc', 'dddd']);
    }));

  it('that happened while it was stopped', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 10)));
      await place.readAll();
      place.write('a.log', text(numbered(50, 100)));
      assert.deepEqual((await place.readAll()).lines, numbered(50, 100));
    }));

  it('and counts the bytes that were lost by it', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 10)));
      const run = place.run({ refresh_interval: 200, rotate_wait: 200 });
      await run.until(() => run.sent.length === 10);
      run.pauseOutput();
      const lost = text(numbered(10, 400));
      place.append('a.log', lost);
      // A new name makes the input look at all sizes, though it cannot read.
      place.write('b.log', 'b\n');
      await run.until(() => place.checkpoints.stored.size === 2);
      await run.until(() => run.gauge('sluice_tail_unread_bytes') === lost.length + 2);
      place.write('a.log', 'new\n');
      run.resumeOutput();
      await run.until(() => run.sent.length === 12);
      await run.until(() => run.counter('sluice_tail_files_abandoned_bytes_total') > 0);
      assert.equal(run.counter('sluice_tail_files_abandoned_bytes_total'), lost.length);
    }));
});

describe('tail reads deleted files', { concurrency: 4 }, () => {
  it('to their end', () =>
    inPlace(async (place) => {
      place.write('a.log', text(numbered(0, 5000)));
      const run = place.run();
      run.pauseOutput();
      await run.until(() => place.checkpoints.stored.size === 1);
      unlinkSync(place.at('a.log'));
      run.resumeOutput();
      await run.until(() => run.sent.length === 5000);
      await run.until(() => place.checkpoints.stored.size === 0, 'the checkpoint to go');
    }));

  it('with their unfinished last line', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\nlast');
      const run = place.run();
      await run.until(() => run.sent.length === 1);
      unlinkSync(place.at('a.log'));
      await run.until(() => run.sent.length === 2);
      assert.deepEqual(run.lines, ['one', 'last']);
    }));
});

describe('tail reads gzip files', { concurrency: 4 }, () => {
  it('once, from start to end, with positions of the content', () =>
    inPlace(async (place) => {
      const lines = numbered(0, 20_000);
      place.write('a.gz', gzipSync(text(lines)));
      const options = { path: ['*.gz'] };
      const run = await place.readAll(options);
      assert.deepEqual(run.lines, lines);
      assert.equal(run.sent.at(-1)!.offsetEnd, text(lines).length);
      assert.equal((await place.readAll(options)).sent.length, 0);
    }));

  it('made of several members', () =>
    inPlace(async (place) => {
      const members = [0, 1, 2].map((i) => gzipSync(text(numbered(i * 1000, i * 1000 + 1000))));
      place.write('a.gz', Buffer.concat(members));
      assert.deepEqual((await place.readAll({ path: ['*.gz'] })).lines, numbered(0, 3000));
    }));

  it('that are still being written, when they are whole', () =>
    inPlace(async (place) => {
      const whole = gzipSync(text(numbered(0, 20_000)));
      place.write('a.gz', whole.subarray(0, 20_000));
      const run = place.run({ path: ['*.gz'], rotate_wait: 10_000 });
      await run.until(() => run.sent.length > 0);
      place.append('a.gz', whole.subarray(20_000));
      await run.until(() => run.sent.length === 20_000);
      assert.deepEqual(run.lines, numbered(0, 20_000));
    }));

  it('that are damaged, up to the damage, and says so', () =>
    inPlace(async (place) => {
      place.write('a.gz', gzipSync(text(numbered(0, 20_000))).subarray(0, 20_000));
      const run = await place.readAll({ path: ['*.gz'], rotate_wait: 0 });
      assert.deepEqual(run.lines.slice(0, -1), numbered(0, run.sent.length - 1));
      assert.ok(run.sent.length > 1000);
      assert.equal(run.counter('sluice_tail_gzip_damaged_files_total'), 1);
    }));

  it('that are none, and says so before it ends', () =>
    inPlace(async (place) => {
      place.write('a.gz', 'no archive at all\n');
      place.write('b.gz', gzipSync(text(numbered(0, 10))).subarray(0, 9));
      place.write('c.log', text(['c']));
      const run = await place.readAll({ path: ['*'], rotate_wait: 300, refresh_interval: 100 });
      assert.deepEqual(run.lines, ['c']);
      assert.equal(run.counter('sluice_tail_gzip_damaged_files_total'), 2);
    }));
});
