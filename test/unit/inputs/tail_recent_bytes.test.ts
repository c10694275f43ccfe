import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecentBytes } from '../../../plugins/inputs/tail/recent_bytes.ts';

/** Bytes that differ everywhere, and the memory of having read them in pieces. */
function readInPieces(pieces: readonly number[]): { content: Buffer; recent: RecentBytes } {
  const size = pieces.reduce((sum, piece) => sum + piece, 0);
  const content = Buffer.alloc(size);
  for (let i = 0; i + 4 <= size; i += 4) content.writeUInt32LE((i * 2654435761) >>> 0, i);
  const recent = new RecentBytes();
  let position = 0;
  for (const piece of pieces) {
    recent.append(content, position, position + piece, position + piece);
    position += piece;
  }
  return { content, recent };
}

const readerOf = (copy: Buffer) => (length: number, position: number) =>
  copy.subarray(position, position + length);
const pieces = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 20 });

describe('the bytes last read of a content', () => {
  it('show how far a shorter copy was read, never further', () => {
    fc.assert(
      fc.property(pieces, fc.double({ min: 0, max: 1, noNaN: true }), (all, part) => {
        const { content, recent } = readInPieces(all);
        const copy = content.subarray(0, Math.max(1, Math.floor(content.length * part)));
        const upTo = recent.agreesUpTo(copy.length, readerOf(copy));
        assert.ok(upTo === undefined || upTo <= copy.length);
        const isClose = content.length - copy.length <= 4096 - 256;
        if (isClose && content.length < 4096) assert.equal(upTo, copy.length);
      }),
    );
  });

  it('do not show it of other bytes', () => {
    fc.assert(
      fc.property(pieces, fc.nat(), (all, at) => {
        const { content, recent } = readInPieces(all);
        const other = Buffer.from(content);
        // The last bytes decide; further back only samples are compared.
        const from = Math.max(0, other.length - 256);
        other[from + (at % (other.length - from))]! ^= 1;
        assert.equal(recent.agreesUpTo(other.length, readerOf(other)), undefined);
      }),
    );
  });

  it('say nothing of a longer content', () => {
    const { content, recent } = readInPieces([100]);
    assert.equal(
      recent.agreesUpTo(101, readerOf(Buffer.concat([content, Buffer.of(1)]))),
      undefined,
    );
  });
});
