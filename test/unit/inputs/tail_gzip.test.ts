import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  type GzipChunks,
  GzipDamageError,
  loadZlibSync,
  nodeGzipChunks,
  syncGzipChunks,
} from '../../../plugins/shared/gzip/gzip_chunks.ts';
import { GzipWindow } from '../../../plugins/shared/gzip/gzip_window.ts';
import { inPlace, type TailPlace } from './tail_harness.ts';

const noise = Buffer.from(
  Array.from({ length: 120_000 }, (_, i) => `${(i * 2654435761) % 4294967296} line\n`).join(''),
);

async function gather(chunks: GzipChunks): Promise<{ bytes: Buffer; error: unknown }> {
  const parts: Buffer[] = [];
  try {
    for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  } catch (error) {
    return { bytes: Buffer.concat(parts), error };
  }
  return { bytes: Buffer.concat(parts), error: undefined };
}

async function withFile<T>(
  place: TailPlace,
  content: Buffer,
  work: (descriptor: number) => Promise<T>,
): Promise<T> {
  place.write('a.gz', content);
  const descriptor = openSync(place.at('a.gz'), 'r');
  try {
    return await work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

describe('gzip files', () => {
  const zlib = loadZlibSync();
  const cases: readonly [string, Buffer, Buffer, boolean][] = [
    ['one member', gzipSync(noise), noise, true],
    ['nothing in it', gzipSync(Buffer.alloc(0)), Buffer.alloc(0), true],
    [
      'several members, one of them empty',
      Buffer.concat([gzipSync(noise), gzipSync(''), gzipSync('end')]),
      Buffer.concat([noise, Buffer.from('end')]),
      true,
    ],
    [
      'zeros, a thousand to one',
      gzipSync(Buffer.alloc(20_000_000)),
      Buffer.alloc(20_000_000),
      true,
    ],
    ['an early end', gzipSync(noise).subarray(0, 50_000), noise, false],
    ['no gzip at all', Buffer.from('plain text'), Buffer.alloc(0), false],
    ['no byte', Buffer.alloc(0), Buffer.alloc(0), false],
  ];
  for (const [name, content, expected, isWhole] of cases) {
    it(`with ${name} are read alike by both libraries`, (context) =>
      inPlace(async (place) => {
        const reference = await withFile(place, content, (file) => gather(nodeGzipChunks(file)));
        if (isWhole) {
          assert.equal(reference.error, undefined);
          assert.ok(reference.bytes.equals(expected));
        } else if (content.length > 0) {
          assert.ok(reference.error instanceof GzipDamageError);
          assert.ok(expected.subarray(0, reference.bytes.length).equals(reference.bytes));
        }
        if (zlib === undefined) {
          context.diagnostic('zlib-sync is not installed: only node:zlib was tested.');
          return;
        }
        const other = await withFile(place, content, (file) => gather(syncGzipChunks(file, zlib)));
        assert.equal(other.error === undefined, isWhole);
        if (isWhole) assert.ok(other.bytes.equals(reference.bytes));
        else assert.ok(expected.subarray(0, other.bytes.length).equals(other.bytes));
      }));
  }

  it('are read at any position not released, and from the start again', () =>
    inPlace((place) =>
      withFile(place, gzipSync(noise), async (file) => {
        const window = new GzipWindow(file);
        const bytes = Buffer.alloc(1000);
        for (const position of [0, 500, 100_000, 99_500, 1_000_000, 0, noise.length - 300]) {
          const read = await window.read(bytes, 0, 1000, position);
          const expected = noise.subarray(position, position + 1000);
          assert.ok(bytes.subarray(0, read).equals(expected));
          window.release(Math.max(0, position - 1000));
        }
        assert.equal(await window.read(bytes, 0, 10, noise.length), 0);
        await window.close();
      }),
    ));
});
