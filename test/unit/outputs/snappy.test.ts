import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  maxCompressedBytes,
  SnappyCompressor,
  snappyDecompress,
} from '../../../plugins/shared/snappy/snappy.ts';
import { kernelForTest } from '../kernel/batches.ts';

const compressor = new SnappyCompressor();
const inKernel = new SnappyCompressor(kernelForTest());

function roundTrip(input: Buffer): Buffer {
  const compressed = compressor.compress(input);
  assert.ok(compressed.length <= maxCompressedBytes(input.length));
  assert.ok(inKernel.compress(input).equals(compressed), 'the kernel writes other bytes');
  const middle = input.length >> 1;
  const halves = [input.subarray(0, middle), input.subarray(middle)];
  const ofHalves = Buffer.from(compressor.compress(halves));
  assert.ok(inKernel.compress(halves).equals(ofHalves), 'the kernel writes other bytes of halves');
  assert.ok(snappyDecompress(ofHalves, input.length).equals(input));
  return snappyDecompress(Buffer.from(inKernel.compress(input)), input.length);
}

test('a block with every kind of element is read', () => {
  const block = Buffer.from([
    0x15, // 21 bytes
    0x0c,
    ...Buffer.from('abcd'), // literal of 4
    0x01,
    0x04, // copy of 4 from 4 back, two-byte form
    0x12,
    0x04,
    0x00, // copy of 5 from 4 back, three-byte form
    0x1f,
    0x01,
    0x00,
    0x00,
    0x00, // copy of 8 from 1 back, five-byte form
  ]);
  assert.equal(snappyDecompress(block, 100).toString(), 'abcdabcdabcdaaaaaaaaa');
});

test('what is compressed is the block format to the byte', () => {
  const compressed = compressor.compress(Buffer.from('abcd'.repeat(20)));
  const copies = [(63 << 2) | 2, 4, 0, (7 << 2) | 1, 4];
  const expected = [80, 0x10, ...Buffer.from('abcda'), ...copies];
  assert.deepEqual([...compressed], expected);
  assert.deepEqual([...compressor.compress(Buffer.alloc(0))], [0]);
});

test('any bytes come back', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(200))
        .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes))),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      const input = Buffer.concat(parts);
      assert.ok(roundTrip(input).equals(input));
    }),
    { numRuns: 300 },
  );
});

test('input of several fragments comes back, and repeats shrink', () => {
  for (const length of [65_535, 65_536, 65_537, 300_000]) {
    const text = Buffer.from('GET /index.html HTTP/1.1 200 5124\n'.repeat(10_000)).subarray(
      0,
      length,
    );
    assert.ok(roundTrip(text).equals(text));
    assert.ok(compressor.compress(text).length < length / 15);
    const noise = Buffer.from(
      Array.from({ length }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255),
    );
    assert.ok(roundTrip(noise).equals(noise));
  }
});

test("parts in the kernel's memory are compressed where they stand", () => {
  const kernel = kernelForTest();
  const text = Buffer.from('one line of many, much like the others\n'.repeat(4000));
  const body = kernel.bytes
    .subarray(kernel.bytes.length - text.length - 64)
    .subarray(0, text.length);
  text.copy(body);
  const parts = [Buffer.from('head '), body, Buffer.from(' tail')];
  const compressed = new SnappyCompressor(kernel).compress(parts);
  assert.ok(compressed.equals(compressor.compress(parts)));
  assert.ok(snappyDecompress(compressed, 1_000_000).equals(Buffer.concat(parts)));
});

test('damaged blocks are refused', () => {
  const good = Buffer.from(compressor.compress(Buffer.from('some text, some text, some text')));
  const cases = [
    Buffer.alloc(0),
    good.subarray(0, good.length - 1),
    Buffer.concat([good, Buffer.from([0])]),
    Buffer.from([4, 0x01, 0x04]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  ];
  for (const block of cases) assert.throws(() => snappyDecompress(block, 1000), RangeError);
  assert.throws(() => snappyDecompress(good, 10), RangeError);
});
