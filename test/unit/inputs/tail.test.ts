import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inPlace } from './tail_harness.ts';

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

describe('tail reads lines', () => {
  it('puts each line under the key, with its origin, and ends at the end of all files', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\r\ntwo\n\nthree');
      const run = await place.readAll();
      assert.deepEqual(run.lines, ['one', 'two', '', 'three']);
      assert.deepEqual(
        run.sent.map(({ offset, offsetEnd }) => [offset, offsetEnd]),
        [
          [0, 5],
          [5, 9],
          [9, 10],
          [10, 15],
        ],
      );
    }));

  it('ends at once when there is no file', () =>
    inPlace(async (place) => {
      assert.deepEqual((await place.readAll()).lines, []);
    }));

  it('leaves out empty lines on request', () =>
    inPlace(async (place) => {
      place.write('a.log', '\n\na\n\nb\n\n');
      assert.deepEqual((await place.readAll({ skip_empty_lines: true })).lines, ['a', 'b']);
    }));

  it('adds path and offset under the keys asked for, and expands the tag', () =>
    inPlace(async (place) => {
      place.write('a.log', 'x\ny\n');
      const run = await place.readAll(
        { path_key: 'file', offset_key: 'at', tag_regex: '(?<stem>[^/]+)\\.log$' },
        { tag: 'logs.<stem>.*' },
      );
      const file = place.at('a.log');
      assert.deepEqual(
        run.sent.map(({ record }) => record),
        [
          { log: 'x', file, at: 0 },
          { log: 'y', file, at: 2 },
        ],
      );
      assert.equal(run.sent[0]!.tag, `logs.a.${file.slice(1).replaceAll('/', '.')}`);
    }));

  it('takes more lines from one block than a batch holds', () =>
    inPlace(async (place) => {
      const lines = numbered(0, 2049);
      place.write('a.log', text(lines));
      assert.deepEqual((await place.readAll()).lines, lines);
      const short = numbered(0, 50);
      place.write('b.log', text(short));
      const run = await place.readAll({ path: ['b.log'] }, { eventsMax: 7 });
      assert.deepEqual(run.lines, short);
    }));

  it('reads many files a block a turn', () =>
    inPlace(async (place) => {
      const line = 'x'.repeat(1023);
      for (let i = 0; i < 3; i++) place.write(`${i}.log`, text(Array(600).fill(`${i}${line}`)));
      const run = await place.readAll();
      assert.equal(run.sent.length, 1800);
      const first = run.lines.slice(0, 600).map((entry) => entry[0]);
      assert.deepEqual(new Set(first), new Set(['0', '1', '2']));
    }));

  it('begins at the end of files that are there, and with the head of those that come', () =>
    inPlace(async (place) => {
      place.write('a.log', 'old\n');
      const run = place.run({ read_from_head: false });
      await run.until(() => place.checkpoints.stored.size === 1);
      place.append('a.log', 'new\n');
      place.write('b.log', 'fresh\n');
      await run.until(() => run.sent.length >= 2);
      assert.deepEqual(run.lines.sort(), ['fresh', 'new']);
    }));

  it('does not lose what is written while it is stopped, though it began at the end', () =>
    inPlace(async (place) => {
      place.write('a.log', 'old\n');
      const run = place.run({ read_from_head: false });
      await run.until(() => place.checkpoints.stored.size === 1);
      await run.stop();
      place.append('a.log', 'meanwhile\n');
      const next = await place.readAll({ read_from_head: false });
      assert.deepEqual(next.lines, ['meanwhile']);
    }));

  it('waits for the end of an unfinished line, and passes it on when it is stopped', () =>
    inPlace(async (place) => {
      place.write('a.log', 'whole\nunfin');
      const run = place.run();
      await run.until(() => run.sent.length === 1);
      place.append('a.log', 'ished\nrest');
      await run.until(() => run.sent.length === 2);
      await run.stop();
      assert.deepEqual(run.lines, ['whole', 'unfinished', 'rest']);
      place.append('a.log', ' of it\n');
      const next = await place.readAll();
      assert.deepEqual(next.lines, [' of it']);
      assert.equal(next.sent[0]!.offset, run.sent[2]!.offsetEnd);
    }));

  it('takes a line end alone behind a passed-on line for its end', () =>
    inPlace(async (place) => {
      place.write('a.log', 'last');
      await place.readAll();
      place.append('a.log', '\nnext\n');
      assert.deepEqual((await place.readAll()).lines, ['next']);
    }));

  it('passes an unfinished line on after its timeout, not before', () =>
    inPlace(async (place) => {
      place.write('a.log', 'prompt> ');
      const run = place.run({ unfinished_line_timeout: 300 });
      const began = Date.now();
      await run.until(() => run.sent.length === 1);
      assert.ok(Date.now() - began >= 290);
      assert.deepEqual(run.lines, ['prompt> ']);
    }));

  it('ignores files older than asked', () =>
    inPlace(async (place) => {
      place.write('a.log', 'x\n');
      const { utimesSync } = await import('node:fs');
      utimesSync(place.at('a.log'), 1000, 1000);
      place.write('b.log', 'y\n');
      assert.deepEqual((await place.readAll({ ignore_older: 3_600_000 })).lines, ['y']);
    }));

  it('replaces invalid UTF-8 in its line alone, counts it, and keeps NUL', () =>
    inPlace(async (place) => {
      place.write('a.log', Buffer.from('ok\nb\xffd\nnul\0!\n', 'latin1'));
      const run = await place.readAll();
      assert.deepEqual(run.lines, ['ok', 'b\uFFFDd', 'nul\0!']);
      assert.equal(run.counter('sluice_tail_invalid_utf8_lines_total'), 1);
    }));
});

describe('tail finds files', () => {
  const cases: readonly [string, readonly string[], readonly string[], readonly string[]][] = [
    ['a star within a directory', ['*.log'], [], ['a.log', 'b.log']],
    ['two stars through directories', ['**/*.log'], [], ['a.log', 'b.log', 'd/c.log', 'd/e/f.log']],
    ['a question mark and a set', ['[ab].lo?'], [], ['a.log', 'b.log']],
    ['alternatives', ['{a,b,x}.log'], [], ['a.log', 'b.log']],
    ['alternatives split by the list of options', ['{a', 'b}.log'], [], ['a.log', 'b.log']],
    ['several patterns, each file once', ['a.log', '*.log'], [], ['a.log', 'b.log']],
    ['a directory wildcard', ['*/c.log'], [], ['d/c.log']],
    ['exclusions by name and by path', ['**/*.log'], ['b.*', 'd/e/*'], ['a.log', 'd/c.log']],
    ['alternatives that span directories', ['{d/c,a}.log'], [], ['a.log', 'd/c.log']],
  ];
  for (const [name, paths, excludes, expected] of cases) {
    it(`by ${name}`, () =>
      inPlace(async (place) => {
        mkdirSync(place.at('d/e'), { recursive: true });
        for (const file of ['a.log', 'b.log', 'other.txt', 'd/c.log', 'd/e/f.log', '.hidden.log']) {
          place.write(file, `${file}\n`);
        }
        const run = await place.readAll({ path: paths, exclude_path: excludes });
        assert.deepEqual(run.lines.sort(), [...expected].sort());
      }));
  }

  it('that appear later, in directories that appear later', () =>
    inPlace(async (place) => {
      const run = place.run({ path: ['sub/*/x.log'], refresh_interval: 500 });
      mkdirSync(place.at('sub/one'), { recursive: true });
      place.write('sub/one/x.log', 'hello\n');
      await run.until(() => run.sent.length === 1);
    }));

  it('through symbolic links, each file once', () =>
    inPlace(async (place) => {
      mkdirSync(place.at('real'));
      place.write('real/data', 'x\n');
      symlinkSync(place.at('real/data'), place.at('a.log'));
      symlinkSync(place.at('real/data'), place.at('b.log'));
      assert.deepEqual((await place.readAll()).lines, ['x']);
    }));

  it('when a symbolic link is pointed elsewhere', () =>
    inPlace(async (place) => {
      mkdirSync(place.at('real'));
      place.write('real/1', 'first\n');
      place.write('real/2', 'second\n');
      symlinkSync(place.at('real/1'), place.at('current.log'));
      const run = place.run();
      await run.until(() => run.sent.length === 1);
      unlinkSync(place.at('current.log'));
      symlinkSync(place.at('real/2'), place.at('current.log'));
      await run.until(() => run.sent.length === 2);
      place.append('real/2', 'third\n');
      await run.until(() => run.sent.length === 3);
      assert.deepEqual(run.lines, ['first', 'second', 'third']);
    }));

  it('with fewer descriptors than files', () =>
    inPlace(async (place) => {
      for (let i = 0; i < 12; i++) place.write(`${i}.log`, `${i}\n`);
      const run = place.run({ open_files_max: 3 });
      await run.until(() => run.sent.length === 12);
      for (let i = 0; i < 12; i++) place.append(`${i}.log`, `again ${i}\n`);
      await run.until(() => run.sent.length === 24);
    }));
});

describe('tail resumes', () => {
  it('behind what was settled, and repeats what was not', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\ntwo\n');
      const run = place.run();
      await run.until(() => run.sent.length === 2);
      await run.save();
      place.append('a.log', 'three\n');
      await run.until(() => run.sent.length === 3);
      await run.kill();
      const next = await place.readAll();
      assert.deepEqual(next.lines, ['three']);
      assert.equal(next.sent[0]!.generation, run.sent[2]!.generation);
      assert.equal(next.sent[0]!.offset, run.sent[2]!.offset);
    }));

  it('a file that was renamed within the patterns while it was stopped', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\n');
      await place.readAll({ path: ['a.log*'] });
      place.append('a.log', 'two\n');
      renameSync(place.at('a.log'), place.at('a.log.1'));
      place.write('a.log', 'three\n');
      const next = await place.readAll({ path: ['a.log*'] });
      assert.deepEqual(next.lines.sort(), ['three', 'two']);
    }));

  it('a file that was renamed out of the patterns while it was stopped', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\n');
      await place.readAll();
      place.append('a.log', 'two\n');
      renameSync(place.at('a.log'), place.at('a.old'));
      place.write('a.log', 'three\n');
      const next = await place.readAll();
      assert.deepEqual(next.lines.sort(), ['three', 'two']);
    }));

  it('from the beginning when the checkpoint is not its own', () =>
    inPlace(async (place) => {
      place.write('a.log', 'one\n');
      await place.readAll();
      for (const [key, stored] of place.checkpoints.stored) {
        place.checkpoints.stored.set(key, { ...stored, identity: { path: 7 } });
      }
      assert.deepEqual((await place.readAll()).lines, ['one']);
    }));
});
