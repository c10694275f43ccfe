import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { textEncoding } from '../../../plugins/shared/text_encoding/text_encoding.ts';
import { inPlace } from './tail_harness.ts';

const around = (middle: string) => `before\n${middle}\nafter\n`;

describe('tail bounds lines', { concurrency: 4 }, () => {
  const limit = 100;
  for (const end of ['\n', '\r\n']) {
    for (const bytes of [limit - 1, limit, limit + 1, limit * 2 + 1]) {
      for (const policy of ['split', 'truncate', 'skip'] as const) {
        it(`${policy}s ${bytes} bytes with a limit of ${limit} and ${JSON.stringify(end)}`, () =>
          inPlace(async (place) => {
            const long = 'x'.repeat(bytes);
            place.write('a.log', ['before', long, 'after', ''].join(end));
            const run = await place.readAll({ buffer_max_size: limit, long_lines: policy });
            const pieces: string[] = [];
            if (bytes <= limit) pieces.push(long);
            else if (policy === 'truncate') pieces.push(long.slice(0, limit));
            else if (policy === 'split') {
              for (let at = 0; at < bytes; at += limit) pieces.push(long.slice(at, at + limit));
            }
            assert.deepEqual(run.lines, ['before', ...pieces, 'after']);
            const counted = bytes > limit ? 1 : 0;
            const name = { split: 'split', truncate: 'truncated', skip: 'skipped' }[policy];
            assert.equal(run.counter(`sluice_tail_${name}_lines_total`), counted);
          }));
      }
    }
  }

  it('takes the other names for the policies', () =>
    inPlace(async (place) => {
      place.write('a.log', around('x'.repeat(50)));
      const skipped = await place.readAll({ buffer_max_size: 20, skip_long_lines: true });
      assert.deepEqual(skipped.lines, ['before', 'after']);
      place.checkpoints.stored.clear();
      const cut = await place.readAll({ buffer_max_size: 20, truncate_long_lines: true });
      assert.deepEqual(cut.lines, ['before', 'x'.repeat(20), 'after']);
    }));

  for (const size of [255, 256, 257, 511, 512, 513, 1024].map((kib) => kib * 1024)) {
    it(`reads a line of ${size} bytes in one piece`, () =>
      inPlace(async (place) => {
        const long = 'y'.repeat(size);
        place.write('a.log', around(long));
        const run = await place.readAll();
        assert.equal(run.lines.length, 3);
        assert.ok(run.lines[1] === long);
        assert.equal(run.lines[2], 'after');
      }));
  }

  const long = 'y'.repeat(600 * 1024);
  const changes: readonly [string, string, string, string[]][] = [
    [
      'truncated and written anew',
      'one\n',
      `new\n${'z'.repeat(700 * 1024)}\nx\n`,
      ['new', 'z', 'x'],
    ],
    ['cut behind the lines before', 'one\n', 'one\nshort\nnext\n', ['short', 'next']],
    ['written over from its place on', 'one\n', `one\na\n${long}\n`, ['a', 'y']],
    ['written anew from the beginning', '', `new\n${long}\n`, ['new', 'y']],
  ];
  for (const [what, before, after, expected] of changes) {
    it(`measures a line again whose file was ${what} since`, () =>
      inPlace(async (place) => {
        place.write('a.log', `${before}${long}\n`);
        const run = place.run({}, { isStepped: true });
        const batch = run.batch.bind(run);
        let isWritten = false;
        run.batch = async (source, tag, dataBytes) => {
          // Only a line that was measured asks for its size.
          if (dataBytes !== undefined && !isWritten) {
            isWritten = true;
            place.write('a.log', after);
          }
          return batch(source, tag, dataBytes);
        };
        await run.begun();
        for (let i = 0; i < 3; i++) {
          await run.read();
          await run.look();
        }
        const seen = run.lines.map((line) => (line.length > 1000 ? line[0] : line));
        assert.deepEqual(seen, [...(before === '' ? [] : ['one']), ...expected]);
        const longs = run.lines.filter((line) => line.length > 1000);
        assert.ok(longs.every((line) => line === long || line === 'z'.repeat(700 * 1024)));
      }));
  }

  it('holds a line of 10 MB once', () =>
    inPlace(async (place) => {
      const long = 'z'.repeat(10_000_000);
      place.write('a.log', around(long));
      const run = await place.readAll();
      assert.ok(run.lines[1] === long);
      assert.equal(run.lines[2], 'after');
      // With the bytes before it, by which the place is known again.
      assert.equal(run.largestBatchBytes, 10_000_001 + 'before\n'.length);
      assert.deepEqual([run.sent[1]!.offset, run.sent[1]!.offsetEnd], [7, 10_000_008]);
    }));

  for (const policy of ['split', 'truncate', 'skip'] as const) {
    it(`${policy}s a line above the limit that comes in pieces, neighbours intact`, () =>
      inPlace(async (place) => {
        const limit = 600_000;
        place.write('a.log', 'before\n');
        const run = place.run({ buffer_max_size: limit, long_lines: policy });
        for (let i = 0; i < 10; i++) {
          place.append('a.log', `${i}`.repeat(200_000));
          if (i % 3 === 0) await run.until(() => run.sent.length >= 1);
        }
        place.append('a.log', '\nafter\n');
        await run.until(() => run.lines.at(-1) === 'after');
        const between = run.lines.slice(1, -1);
        const whole = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(200_000)).join('');
        if (policy === 'split') assert.ok(between.join('') === whole);
        if (policy === 'truncate') assert.ok(between.join('') === whole.slice(0, limit));
        if (policy === 'skip') assert.equal(between.length, 0);
      }));
  }

  it('cuts between characters', () =>
    inPlace(async (place) => {
      place.write('a.log', around('é€😀'.repeat(20)));
      const run = await place.readAll({ buffer_max_size: 25 });
      assert.equal(run.lines.slice(1, -1).join(''), 'é€😀'.repeat(20));
      assert.equal(run.counter('sluice_tail_invalid_utf8_lines_total'), 0);
    }));

  it('begins a line anew after a restart in the middle of a skipped one', () =>
    inPlace(async (place) => {
      place.write('a.log', `before\n${'x'.repeat(300)}`);
      const options = { buffer_max_size: 100, long_lines: 'skip' as const };
      const run = place.run(options);
      await run.until(() => run.counter('sluice_tail_skipped_lines_total') === 1);
      await run.save();
      await run.kill();
      place.append('a.log', 'x\nafter\n');
      assert.deepEqual((await place.readAll(options)).lines, ['after']);
    }));
});

describe('tail decodes', { concurrency: 4 }, () => {
  const lines = [
    'naïve café',
    '日本語テキスト',
    '中文日志',
    'plain',
    '',
    'ਊ਀ line feeds in bytes',
    '😀',
  ];
  const utf16 = (content: string, isBigEndian: boolean) => {
    const bytes = Buffer.from(content, 'utf16le');
    return isBigEndian ? bytes.swap16() : bytes;
  };

  for (const isBigEndian of [false, true]) {
    const name = isBigEndian ? 'UTF-16BE' : 'UTF-16LE';
    for (const hasMark of [true, false]) {
      for (const end of ['\n', '\r\n']) {
        it(`${name} ${hasMark ? 'by its mark' : 'by the option'}, ${JSON.stringify(end)}`, () =>
          inPlace(async (place) => {
            const content = (hasMark ? '\uFEFF' : '') + lines.map((line) => line + end).join('');
            const bytes = utf16(content, isBigEndian);
            place.write('a.log', bytes);
            const options = hasMark ? {} : { 'unicode.encoding': name };
            const run = await place.readAll(options);
            assert.deepEqual(run.lines, lines);
            assert.equal(run.sent.at(-1)!.offsetEnd, bytes.length);
            place.append('a.log', utf16(`more${end}`, isBigEndian));
            assert.deepEqual((await place.readAll(options)).lines, ['more']);
          }));
      }
    }
  }

  it('takes the mark of UTF-8 away', () =>
    inPlace(async (place) => {
      place.write('a.log', '\uFEFFone\ntwo\n');
      assert.deepEqual((await place.readAll()).lines, ['one', 'two']);
    }));

  it('GBK, in lines across blocks', () =>
    inPlace(async (place) => {
      const gbk = Buffer.from([0xd6, 0xd0, 0xce, 0xc4]);
      const line = Buffer.concat([...Array(40).fill(gbk), Buffer.from('\n')]);
      place.write('a.log', Buffer.concat(Array(5000).fill(line)));
      const run = await place.readAll({ 'generic.encoding': 'GBK' });
      assert.equal(run.sent.length, 5000);
      assert.ok(run.lines.every((text) => text === '中文'.repeat(40)));
    }));

  it('a long line of UTF-16 in pieces that are whole characters', () =>
    inPlace(async (place) => {
      place.write('a.log', utf16(`\uFEFFa\n${'x😀'.repeat(50)}\nb\n`, false));
      const run = await place.readAll({ buffer_max_size: 32 });
      assert.equal(run.lines[0], 'a');
      assert.equal(run.lines.slice(1, -1).join(''), 'x😀'.repeat(50));
      assert.equal(run.lines.at(-1), 'b');
    }));

  const names: readonly [string, boolean][] = [
    ['ShiftJIS', true],
    ['UHC', true],
    ['GB18030', true],
    ['Big5', true],
    ['Win866', true],
    ['Win874', true],
    ['Win1252', true],
    ['ISO-8859-15', true],
    ['utf-7', false],
    ['base64', false],
    ['klingon', false],
  ];
  for (const [name, isKnown] of names) {
    it(`${isKnown ? 'knows' : 'does not take'} ${name}`, () => {
      assert.equal(textEncoding(name) !== undefined, isKnown);
    });
  }
});

describe('tail, however bytes arrive,', () => {
  it('gives each line exactly once', async () => {
    const piece = fc.oneof(
      { weight: 6, arbitrary: fc.stringMatching(/^[a-zé😀]{0,30}$/u) },
      { weight: 3, arbitrary: fc.constant('\n') },
      { weight: 1, arbitrary: fc.constant('\r\n') },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 60 }),
        fc.array(fc.nat(2000), { maxLength: 6 }),
        fc.constantFrom(2, 5, 2048),
        async (pieces, cuts, eventsMax) =>
          inPlace(async (place) => {
            const bytes = Buffer.from(pieces.join(''));
            const at = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
            // Runs that end in order pass an unfinished line on: only whole lines are compared.
            let from = 0;
            const sent: string[] = [];
            for (const to of [...at, bytes.length]) {
              place.append('a.log', bytes.subarray(from, to));
              from = to;
              const run = place.run({ exit_on_eof: false }, { eventsMax });
              const settled = () => bytes.subarray(0, to).lastIndexOf(10) + 1;
              await run.until(() => settled() === 0 || lastOffset(sent, run) >= settled());
              await run.save();
              await run.kill();
              for (const { record, offset, offsetEnd } of run.sent) {
                sent.push(`${offset}-${offsetEnd} ${String(record['log'])}`);
              }
            }
            assert.deepEqual(sent, expectedLines(bytes));
          }),
      ),
      { numRuns: 25 },
    );
  });
});

function lastOffset(
  before: readonly string[],
  run: { readonly sent: readonly { readonly offsetEnd: number }[] },
): number {
  const last = run.sent.at(-1)?.offsetEnd;
  if (last !== undefined) return last;
  return Number(/-(\d+)/.exec(before.at(-1) ?? '')?.[1] ?? 0);
}

function expectedLines(bytes: Buffer): string[] {
  const expected: string[] = [];
  let from = 0;
  for (;;) {
    const feed = bytes.indexOf(10, from);
    if (feed < 0) return expected;
    const end = feed > from && bytes[feed - 1] === 13 ? feed - 1 : feed;
    expected.push(`${from}-${feed + 1} ${bytes.toString('utf8', from, end)}`);
    from = feed + 1;
  }
}
