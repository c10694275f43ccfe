import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeadLetterCodec } from '../../../core/dead_letter/avro_container.ts';
import { scanContainer } from '../../../core/dead_letter/container_scan.ts';
import { openDeadLetterStore } from '../../../core/dead_letter/dead_letter_store.ts';
import { intactLetterEnd } from '../../../core/dead_letter/letter_frame.ts';
import { recordingLog } from '../buffer/buffer_fixture.ts';
import { MemoryFileSystem } from '../buffer/memory_file_system.ts';

/** A container with one block of 18 letters. */
async function oneBlock(): Promise<Buffer> {
  const fileSystem = new MemoryFileSystem();
  const store = await openDeadLetterStore({
    directory: '/dead',
    output: 'es',
    limitBytes: 1024 * 1024,
    whenFull: 'block',
    log: recordingLog(),
    fileSystem,
    processProbe: { pid: 1, isAlive: () => false, startedAt: () => 'now' },
  });
  const letter = (offset: number) => ({
    record: Buffer.from(`{"n":${offset}}`),
    origin: { source: '/var/log/a.log', generation: 'ab'.repeat(16), offset, part: 0 },
    ...{ tag: 'app.log', time: { seconds: 1_600_000_000, nanos: 0 } },
    ...{ reason: 'refused', reasonCode: 'rejected', status: 400, attempts: 1 },
  });
  await store.append(Array.from({ length: 18 }, (_, offset) => letter(offset)));
  await store.close();
  return fileSystem.bytes('/dead/00000001.avro');
}

// Found by the rig of rot: the letters of such a block are whole, so nobody missed any.
test('a block whose head announces another number of letters is damaged, and its letters are read', async () => {
  const codec = new DeadLetterCodec();
  const content = await oneBlock();
  assert.equal(content[codec.headerBytes], 36);
  assert.deepEqual(scanContainer(content, codec).damaged, []);
  const damaged = Buffer.from(content);
  damaged[codec.headerBytes] = 124;
  const scan = scanContainer(damaged, codec);
  assert.equal(scan.letters.length, 18);
  assert.equal(scan.damaged.length, 1);
  assert.equal(scan.damaged[0]!.start, codec.headerBytes);
});

// Found by the rig of rot: a longer head reached into the first letter, which was lost.
test('no damage to the head of a block costs a letter', async () => {
  const codec = new DeadLetterCodec();
  const content = await oneBlock();
  for (let at = codec.headerBytes; at < codec.headerBytes + 4; at++) {
    for (let mask = 1; mask < 256; mask++) {
      const damaged = Buffer.from(content);
      damaged[at]! ^= mask;
      const { letters, torn } = scanContainer(damaged, codec);
      // The first byte of the first letter stands behind three of the head.
      const expected = at === codec.headerBytes + 3 ? 17 : 18;
      assert.equal(letters.length + torn.length, expected, `mask ${mask} at ${at}`);
    }
  }
});

const wholeNumber = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, 63, -64, 64, 2 ** 31 - 1, -(2 ** 31), 2 ** 53 - 1, 1 - 2 ** 53, 1e300),
);
const anyText = fc.string({ unit: 'binary', maxLength: 300 });
const anyLetter = fc.record({
  record: fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(Buffer.from)),
  origin: fc.record({
    source: anyText,
    generation: anyText,
    offset: wholeNumber,
    part: wholeNumber,
  }),
  tag: anyText,
  time: fc.record({ seconds: wholeNumber, nanos: wholeNumber }),
  reason: anyText,
  reasonCode: anyText,
  status: fc.option(wholeNumber, { nil: undefined }),
  attempts: wholeNumber,
});

test('the end of every letter is found without decoding it, and of none that is damaged', () => {
  const codec = new DeadLetterCodec();
  const failedAt = { seconds: 1_700_000_000, nanos: 0 };
  fc.assert(
    fc.property(anyLetter, fc.nat(), fc.integer({ min: 1, max: 255 }), (input, place, mask) => {
      const encoded = codec.encodeLetter(input, 'es', failedAt);
      const content = Buffer.concat([Buffer.from([7]), encoded, Buffer.from([0, 2, 255])]);
      const end = 1 + encoded.length;
      assert.equal(intactLetterEnd(content, 1, content.length), end);
      assert.equal(intactLetterEnd(content, 1, end - 1), undefined);
      assert.deepEqual(codec.decodeLetter(encoded).record, Buffer.from(input.record));
      content[1 + (place % encoded.length)]! ^= mask;
      assert.equal(intactLetterEnd(content, 1, content.length), undefined);
    }),
  );
});
