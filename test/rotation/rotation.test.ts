import assert from 'node:assert/strict';
import {
  accessSync,
  appendFileSync,
  constants,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inPlace, type TailPlace, type TailRun } from '../unit/inputs/tail_harness.ts';
import {
  abandonedBytes,
  attack,
  isLong,
  LineTally,
  memoryDirectory,
  range,
} from './rotation_rig.ts';
import { lineOf } from './rotation_writer.ts';

const text = (from: number, count: number) =>
  range(from, count)
    .map((number) => `${lineOf(number)}\n`)
    .join('');

async function waitMs(run: TailRun, ms: number): Promise<void> {
  const untilMs = performance.now() + ms;
  await run.until(() => performance.now() > untilMs);
}

describe('tail under attack by rotation loses nothing', { concurrency: 2 }, () => {
  // Out of the patterns a file is read on only when it was seen within them: on a machine that is
  // busy with other things that may take longer than 200 ms.
  for (const [path, rotateMs] of [
    ['a.log*', 200],
    ['a.log', 1000],
  ] as const) {
    it(`when ${path} is renamed every ${rotateMs} ms while the outputs are full`, () =>
      inPlace(async (place) => {
        const { tally, result, run } = await attack(
          place,
          { path: [path], rotate_wait: 1000 },
          {
            way: 'rename',
            linesPerSecond: isLong ? 50_000 : 10_000,
            rotateMs,
            runMs: isLong ? 15_000 : 3500,
            keep: isLong ? 100 : 30,
            lateLines: 0,
          },
          isLong ? 10_000 : 1500,
        );
        assert.ok(result.rotations >= 2);
        assert.equal(tally.twice, 0);
        assert.equal(abandonedBytes(run), 0);
      }));
  }

  it('when older files are deleted that are still to be read', () =>
    inPlace(async (place) => {
      const { tally } = await attack(
        place,
        { path: ['a.log*'], rotate_wait: 1000 },
        {
          way: 'rename',
          linesPerSecond: isLong ? 50_000 : 10_000,
          rotateMs: 200,
          runMs: isLong ? 15_000 : 3000,
          keep: 3,
          lateLines: 0,
        },
        isLong ? 10_000 : 1500,
      );
      assert.equal(tally.twice, 0);
    }));

  it('when a file is copied and truncated, the copy within the patterns', () =>
    inPlace(async (place) => {
      const { tally, run } = await attack(
        place,
        { path: ['a.log*'], rotate_wait: 1000 },
        {
          way: 'copytruncate',
          linesPerSecond: isLong ? 50_000 : 5000,
          rotateMs: 300,
          runMs: isLong ? 30_000 : 4000,
          keep: 1000,
          lateLines: 0,
        },
        0,
      );
      assert.equal(tally.twice, 0);
      assert.equal(abandonedBytes(run), 0);
    }));

  it('but the lines that land between a copy and the truncation, and adds none to those', () =>
    inPlace(async (place) => {
      const { tally, result } = await attack(
        place,
        { path: ['a.log*'], rotate_wait: 1000 },
        {
          way: 'copytruncate',
          linesPerSecond: isLong ? 50_000 : 5000,
          rotateMs: 300,
          runMs: isLong ? 30_000 : 4000,
          keep: 1000,
          lateLines: 20,
        },
        0,
      );
      assert.ok(result.late.length > 0);
      // A copy that is shorter than what was read is read again from a place that is sure.
      assert.ok(tally.twice <= result.written / 10, `${tally.twice} of ${result.written} twice`);
    }));
});

describe('tail under attack tells files apart', { concurrency: 2 }, () => {
  const places = [undefined, ...(isUsable(memoryDirectory) ? [memoryDirectory] : [])];
  for (const parent of places) {
    it(`when inodes are used again and again${parent === undefined ? '' : ' on tmpfs'}`, () =>
      inPlace(async (place) => {
        const cycles = isLong ? 1000 : 60;
        const tally = new LineTally();
        let run = place.run({}, { onLine: tally.onLine });
        for (let cycle = 0; cycle < cycles; cycle++) {
          // Every other one is taken away while the input does not run.
          const isStopped = cycle % 2 === 1;
          place.write('a.log', text(cycle * 10, 10));
          await run.until(() => tally.distinct === cycle * 10 + 10, `cycle ${cycle}`);
          if (isStopped) await run.stop();
          unlinkSync(place.at('a.log'));
          if (isStopped) run = place.run({}, { onLine: tally.onLine });
        }
        await run.stop();
        assert.equal(tally.lost(cycles * 10), 0);
        assert.equal(tally.twice, 0);
        assert.equal(tally.idConflicts, 0);
      }, parent));
  }

  it('when they all begin with the same bytes', () =>
    inPlace(async (place) => {
      const files = isLong ? 200 : 20;
      const head = '-1 the same beginning of every file\n'.repeat(100);
      const tally = new LineTally();
      let heads = 0;
      const onLine: LineTally['onLine'] = (line, generation, offset) => {
        if (line.startsWith('-1')) heads++;
        else tally.onLine(line, generation, offset);
      };
      const run = place.run({ path: ['*.log*'], rotate_wait: 500 }, { onLine });
      let number = 0;
      for (let file = 0; file < files; file++) {
        place.write(`${file}.log`, head);
        place.append(`${file}.log`, text(number, 5));
        number += 5;
        if (file % 3 === 1) renameSync(place.at(`${file}.log`), place.at(`${file}.log.1`));
        if (file % 3 === 1) place.write(`${file}.log`, head);
        if (file % 5 === 4) await run.until(() => tally.distinct === number);
      }
      await run.until(() => tally.distinct === number);
      const wanted = (files + Math.floor((files + 1) / 3)) * 100;
      await run.until(() => heads >= wanted, `${wanted} lines of heads`);
      await run.stop();
      assert.equal(tally.twice, 0);
      assert.equal(heads, wanted);
    }));

  it('when a symbolic link is swapped between them', () =>
    inPlace(async (place) => {
      const swaps = isLong ? 300 : 30;
      mkdirSync(place.at('files'));
      for (const name of ['x', 'y']) place.write(`files/${name}`, '');
      symlinkSync(place.at('files/x'), place.at('current.log'));
      const tally = new LineTally();
      const run = place.run({ rotate_wait: 200, refresh_interval: 300 }, { onLine: tally.onLine });
      for (let swap = 0; swap < swaps; swap++) {
        const target = place.at(`files/${swap % 2 === 0 ? 'x' : 'y'}`);
        symlinkSync(target, place.at('next'));
        renameSync(place.at('next'), place.at('current.log'));
        appendFileSync(target, text(swap * 10, 10));
        await run.until(() => tally.distinct === swap * 10 + 10, `swap ${swap}`);
        // Now and then for so long that the other one was closed.
        if (swap % 10 === 9) await waitMs(run, 700);
      }
      await run.stop();
      assert.equal(tally.twice, 0);
    }));
});

describe('tail under attack counts what was taken away unread', { concurrency: 2 }, () => {
  it('to the byte, when files are truncated and filled past the old place', () =>
    inPlace(async (place) => {
      const rounds = isLong ? 40 : 4;
      const tally = new LineTally();
      const run = place.run({ rotate_wait: 200, refresh_interval: 300 }, { onLine: tally.onLine });
      let number = 0;
      let lost = 0;
      let lostLines = 0;
      for (let round = 0; round < rounds; round++) {
        const append = (count: number) => {
          const lines = text(number, count);
          number += count;
          place.append('a.log', lines);
          return lines;
        };
        append(10);
        await run.until(() => tally.distinct + lostLines === number, `round ${round}`);
        run.pauseOutput();
        const unread = append(50);
        // Sizes are looked at while the outputs are full, too.
        await waitMs(run, 2500);
        truncateSync(place.at('a.log'), 0);
        lost += unread.length;
        lostLines += 50;
        append(100 + round * 60);
        run.resumeOutput();
        await run.until(() => tally.distinct + lostLines === number, `round ${round}, filled`);
      }
      await run.until(() => abandonedBytes(run) >= lost, `${lost} bytes to be counted`);
      await run.stop();
      assert.equal(abandonedBytes(run), lost);
      assert.equal(tally.twice, 0);
    }));

  it('as nothing, when files are deleted while they are read', () =>
    inPlace(async (place) => {
      const files = isLong ? 500 : 30;
      const tally = new LineTally();
      const run = place.run({ rotate_wait: 200, refresh_interval: 300 }, { onLine: tally.onLine });
      run.pauseOutput();
      for (let file = 0; file < files; file++) place.write(`${file}.log`, text(file * 1000, 1000));
      await run.until(() => place.checkpoints.stored.size === files, 'all files to be opened');
      run.resumeOutput();
      await run.until(() => tally.distinct > 0);
      for (let file = 0; file < files; file++) unlinkSync(place.at(`${file}.log`));
      await run.until(() => tally.distinct === files * 1000);
      await run.until(() => place.checkpoints.stored.size === 0, 'all checkpoints to go');
      assert.equal(tally.twice, 0);
      assert.equal(abandonedBytes(run), 0);
    }));

  it('to the byte, when files are deleted while they are closed', () =>
    inPlace(async (place) => {
      const files = isLong ? 300 : 40;
      const tally = new LineTally();
      const run = place.run(
        { rotate_wait: 200, refresh_interval: 300, open_files_max: 8 },
        { onLine: tally.onLine },
      );
      run.pauseOutput();
      let bytes = 0;
      for (let file = 0; file < files; file++) {
        const lines = text(file * 10, 10);
        bytes += lines.length;
        place.write(`${file}.log`, lines);
      }
      await run.until(() => place.checkpoints.stored.size === files, 'all files to be seen');
      await waitMs(run, 2500);
      for (let file = 0; file < files; file++) unlinkSync(place.at(`${file}.log`));
      await waitMs(run, 500);
      run.resumeOutput();
      await run.until(() => place.checkpoints.stored.size === 0, 'all checkpoints to go');
      await run.stop();
      let read = 0;
      for (let number = 0; number < files * 10; number++) {
        if (tally.has(number)) read += lineOf(number).length + 1;
      }
      assert.ok(read > 0 && read < bytes);
      assert.equal(abandonedBytes(run), bytes - read);
    }));
});

describe('tail under attack while it is stopped', () => {
  it('goes on in files that were renamed, copied and compressed', () =>
    inPlace(async (place) => {
      const rounds = isLong ? 60 : 8;
      const tally = new LineTally();
      const options = { path: ['a.log*'], rotate_wait: 200, refresh_interval: 300 };
      let number = 0;
      const append = (count: number) => {
        place.append('a.log', text(number, count));
        number += count;
      };
      for (let round = 0; round < rounds; round++) {
        append(100);
        const run = place.run(options, { onLine: tally.onLine });
        await run.until(() => tally.distinct === number, `round ${round}`);
        await run.stop();
        append(50);
        rotateStopped(place, round);
        append(25);
      }
      const last = place.run(options, { onLine: tally.onLine });
      await last.until(() => tally.distinct === number);
      await last.stop();
      assert.equal(tally.twice, 0);
      assert.equal(tally.idConflicts, 0);
      assert.equal(abandonedBytes(last), 0);
    }));
});

/** In turns: renamed; copied and truncated; renamed and compressed at once. */
function rotateStopped(place: TailPlace, round: number): void {
  const rotated = place.at(`a.log.${round + 1}`);
  if (round % 3 === 1) {
    writeFileSync(rotated, readFileSync(place.at('a.log')));
    truncateSync(place.at('a.log'), 0);
    return;
  }
  renameSync(place.at('a.log'), rotated);
  if (round % 3 !== 2) return;
  writeFileSync(`${rotated}.gz`, gzipSync(readFileSync(rotated)));
  unlinkSync(rotated);
}

function isUsable(directory: string | undefined): boolean {
  if (directory === undefined) return false;
  try {
    accessSync(directory, constants.W_OK);
    return statSync(directory).isDirectory();
  } catch {
    return false;
  }
}
