import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { bytesText, countOf, secondsText } from '../../cli/counts.ts';
import { readLines } from '../../cli/line_input.ts';
import { Progress, progressText } from '../../cli/progress.ts';
import { textTable } from '../../cli/text_table.ts';

test('a table lines its columns up, numbers to the right, and moves no cursor', () => {
  const rows = [
    ['a', 1, null],
    ['b\u001b[2J\n', 1234, { x: [1] }],
  ];
  const text = textTable({ columns: ['name', 'n', 'more'], rows });
  assert.equal(
    text,
    `name             n  more
────────────  ────  ─────────
a                1
b\\u001b[2J\\n  1234  {"x":[1]}
`,
  );
});

test('a table is as wide as its terminal; the widest columns give way', () => {
  const rows = [['x'.repeat(100), 'short', 'y'.repeat(50)]];
  const text = textTable({ columns: ['one', 'two', 'three'], rows, widthMax: 60 });
  const lines = text.trimEnd().split('\n');
  assert.equal(Math.max(...lines.map((line) => line.length)), 60);
  assert.match(lines[2]!, /x… {2}short {2}y+/);
  assert.equal(textTable({ columns: ['a'], rows: [] }), 'a\n─\n');
});

test('counts, sizes and times are written as people read them', () => {
  assert.deepEqual(
    [countOf(1, 'record'), countOf(1_234_567, 'record'), bytesText(999), bytesText(1_250_000)],
    ['1 record', '1,234,567 records', '999 bytes', '1.3 MB'],
  );
  assert.deepEqual([secondsText(0.84), secondsText(125)], ['0.8 s', '2 min 5 s']);
});

test('progress never passes its end and needs no size', () => {
  const state = { bytes: 1_500_000, records: 3000 };
  assert.equal(progressText(state, 3_000_000, 2), '50% 1.5 MB of 3.0 MB, 3,000 records, 1,500/s');
  assert.match(progressText(state, 1_000_000, 2), /^100% /);
  assert.equal(progressText(state, 0, 2), '1.5 MB, 3,000 records, 1,500/s');
});

test('progress on a terminal is one line that is redrawn within its width', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 40 });
  const progress = new Progress({
    stream,
    bytesTotal: 100,
    read: () => ({ bytes: 100, records: 5 }),
  });
  progress.start();
  progress.finish();
  const drawn = String(stream.read()).split('\r').filter(Boolean);
  assert.equal(drawn.length, 2);
  for (const line of drawn) assert.ok(line.replace('\u001b[K', '').trimEnd().length <= 39, line);
});

test('lines are found whatever the blocks, with either end', async () => {
  const text = Buffer.from('one\r\ntwo\n\nthré\nlast');
  for (let size = 1; size <= text.length; size++) {
    const blocks: Buffer[] = [];
    for (let at = 0; at < text.length; at += size) blocks.push(text.subarray(at, at + size));
    const lines: string[] = [];
    for await (const some of readLines(Readable.from(blocks))) lines.push(...some);
    assert.deepEqual(lines, ['one', 'two', '', 'thré', 'last'], `blocks of ${size}`);
  }
});

test('a line without an end is refused, not held', async () => {
  const block = Buffer.alloc(1024 * 1024, 'x');
  const endless = Readable.from(
    (function* () {
      for (;;) yield block;
    })(),
  );
  await assert.rejects(
    async () => {
      for await (const _ of readLines(endless));
    },
    { code: 'SLUICE_RECORD_TOO_LARGE' },
  );
});
