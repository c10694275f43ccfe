import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { preadSync } from './pread.ts';

/** Decompressed pieces of a gzip file, in order. Throws `GzipDamageError` when the file ends
 *  early or is no gzip file. */
export type GzipChunks = AsyncGenerator<Buffer, void, void>;

/** The file is not whole, or not gzip at all. What came before the error is good. */
export class GzipDamageError extends Error {
  /** The file ends in the middle: it may still be being written. */
  readonly endsEarly: boolean;

  constructor(message: string, endsEarly: boolean) {
    super(message);
    this.name = 'GzipDamageError';
    this.endsEarly = endsEarly;
  }
}

/** Reads with node:zlib: the reference. Takes files of several members. */
export async function* nodeGzipChunks(descriptor: number): GzipChunks {
  // No ReadStream: destroying one closes the descriptor, which is the caller's.
  const file = Readable.from(pieces(descriptor), { highWaterMark: 1 });
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  file.on('error', (error) => gunzip.destroy(error));
  file.pipe(gunzip);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) throw new GzipDamageError(message, code === 'Z_BUF_ERROR');
    throw error;
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}

function* pieces(descriptor: number): Generator<Buffer> {
  for (let at = 0; ; ) {
    const piece = Buffer.alloc(64 * 1024);
    const read = preadSync(descriptor, piece, 0, piece.length, at);
    if (read === 0) return;
    at += read;
    yield piece.subarray(0, read);
  }
}

/** The part of zlib-sync that is used. */
export interface ZlibSync {
  readonly Inflate: new (options: {
    chunkSize: number;
    windowBits: number;
  }) => {
    readonly result: Buffer | string | null;
    readonly err: number;
    readonly msg: string | null;
    push(bytes: Buffer, flush: number): void;
  };
}

/** zlib-sync, or undefined where it is not installed. */
export function loadZlibSync(): ZlibSync | undefined {
  try {
    // CommonJS add-on with this shape (its index.d.ts).
    return createRequire(import.meta.url)('zlib-sync') as ZlibSync;
  } catch {
    return undefined;
  }
}

/** Compressed bytes a push: one inflates to 1000 times as much at most. */
const pieceBytes = 4096;
const streamEnd = 1;
/** Z_SYNC_FLUSH: `result` then holds what this push gave, not all so far. */
const syncFlush = 2;
/** windowBits that ask zlib for a gzip header (zlib.h, inflateInit2). */
const gzipWindowBits = 31;

/** Reads with zlib-sync. It does not say where a member ended, so that a file of several members
 *  cannot be read with it alone: then the reference takes over behind what was delivered. */
export async function* syncGzipChunks(descriptor: number, zlib: ZlibSync): GzipChunks {
  const inflate = new zlib.Inflate({ chunkSize: 64 * 1024, windowBits: gzipWindowBits });
  const piece = Buffer.alloc(pieceBytes);
  const last = Buffer.alloc(4);
  let at = 0;
  let delivered = 0;
  for (;;) {
    const read = preadSync(descriptor, piece, 0, pieceBytes, at);
    if (read === 0) throw new GzipDamageError('unexpected end of file', true);
    at += read;
    inflate.push(piece.subarray(0, read), syncFlush);
    if (inflate.err < 0) {
      // The reference says what is wrong with it, if anything.
      yield* behind(nodeGzipChunks(descriptor), delivered);
      return;
    }
    const result = inflate.result;
    if (result instanceof Buffer && result.length > 0) {
      delivered += result.length;
      yield result;
    }
    if (inflate.err !== streamEnd) continue;
    // The last four bytes of a file of one member are its length (RFC 1952 section 2.3.1).
    const isWhole =
      preadSync(descriptor, last, 0, 4, at) === 0 && endsWith(piece, read, last, delivered);
    if (isWhole) return;
    yield* behind(nodeGzipChunks(descriptor), delivered);
    return;
  }
}

function endsWith(piece: Buffer, read: number, last: Buffer, delivered: number): boolean {
  if (read < 4) return false;
  piece.copy(last, 0, read - 4, read);
  return last.readUInt32LE(0) === delivered % 2 ** 32;
}

async function* behind(chunks: GzipChunks, skip: number): GzipChunks {
  for await (const chunk of chunks) {
    if (skip >= chunk.length) skip -= chunk.length;
    else {
      yield chunk.subarray(skip);
      skip = 0;
    }
  }
}

/** Reads a gzip file with zlib-sync where it is installed, else with node:zlib. */
export function gzipChunks(descriptor: number): GzipChunks {
  const zlib = loadZlibSync();
  return zlib === undefined ? nodeGzipChunks(descriptor) : syncGzipChunks(descriptor, zlib);
}
