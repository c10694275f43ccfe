import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineStop, splitLines, splitLinesInScript } from '../../../core/kernel/split_lines.ts';
import { emptyBatch, kernelForTest } from './batches.ts';

const kernel = kernelForTest();

function split(text: Buffer, most = 2048): string[][] {
  const batch = emptyBatch(kernel);
  const { bytes, dataStart } = batch;
  text.copy(bytes, dataStart);
  // A newline behind the end must not be seen.
  bytes[dataStart + text.length] = 0x0a;
  const end = dataStart + text.length;
  const count = splitLines(kernel, bytes, dataStart, end, batch.rootStart, batch.rootEnd, most);
  const starts = new Int32Array(2048);
  const ends = new Int32Array(2048);
  const twin = splitLinesInScript(text, 0, text.length, starts, ends, most);
  const spans = (n: number, from: Int32Array, to: Int32Array, base: number): string[] =>
    Array.from({ length: n }, (_, i) => text.toString('latin1', from[i]! - base, to[i]! - base));
  return [spans(count, batch.rootStart, batch.rootEnd, dataStart), spans(twin, starts, ends, 0)];
}

test('lines are cut at newlines and lose one carriage return', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['unfinished', []],
    ['\n', ['']],
    ['\r\n', ['']],
    ['\r\r\n', ['\r']],
    ['a\nb\r\nc', ['a', 'b']],
    ['\n\n\n', ['', '', '']],
    ['0123456789abcdef\n0123456789abcde\n', ['0123456789abcdef', '0123456789abcde']],
  ];
  for (const [text, lines] of cases) {
    assert.deepEqual(split(Buffer.from(text)), [lines, lines], JSON.stringify(text));
  }
});

test('no more lines are given than asked for', () => {
  for (const most of [0, 1, 2, 3, 4]) {
    const expected = ['a', 'b', 'c'].slice(0, most);
    assert.deepEqual(split(Buffer.from('a\nb\nc\n'), most), [expected, expected]);
  }
});

test('the next line begins where lineStop says', () => {
  const bytes = Buffer.from('a\r\nb\nc\r\r\n');
  const starts = new Int32Array(8);
  const ends = new Int32Array(8);
  assert.equal(splitLinesInScript(bytes, 0, bytes.length, starts, ends, 8), 3);
  assert.deepEqual(
    [0, 1, 2].map((i) => lineStop(bytes, ends[i]!)),
    [3, 5, 9],
  );
});

test('kernel and script find the same lines in any bytes', () => {
  const piece = fc.oneof(
    fc.constantFrom('\n', '\r', '\r\n', 'x'.repeat(15), 'y'.repeat(16), 'z'.repeat(40)),
    fc.string({ maxLength: 20 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(70), (pieces, most) => {
      const [byKernel, byScript] = split(Buffer.from(pieces.join('')), most);
      assert.deepEqual(byKernel, byScript);
    }),
    { numRuns: 500 },
  );
});
