import { readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import {
  type ChunkHeader,
  chunkBytes,
  isChunk,
  chunkHeaderBytes,
  fileHeaderBytes,
  readChunkHeader,
  readFileHeader,
  recordHeaderBytes,
  recordIdAt,
  recordSizeAt,
} from './chunk.ts';
import { keyMax } from './positions.ts';

/** What a look at a file's headers shows. */
export interface FileScan {
  readonly isDirty: boolean;
  /** Chunks in the order of their records. A full log is written in a circle, so that this is not
   *  their order in the file. */
  readonly chunks: readonly ScannedChunk[];
  /** Places of the size of a chunk where none is to be read, and why. */
  readonly damaged: readonly DamagedPlace[];
}

export interface ScannedChunk {
  /** Number in the file. */
  readonly index: number;
  /** Place in the order: the id of the first record, or one more than the chunk before has. */
  readonly key: number;
  /** Undefined where the header is damaged and its records are read all the same. */
  readonly header: ChunkHeader | undefined;
  readonly offset: number;
}

export interface DamagedPlace {
  readonly index: number;
  readonly offset: number;
  readonly reason: string;
  /** Tells this damage from a later one at the same place. */
  readonly print: number;
}

/** Headers read before other work gets its turn. */
const headersAtOnce = 128;
/** 64 TiB. */
const chunksMax = 2 ** 30;

interface Candidate {
  index: number;
  offset: number;
  id: number;
  header: ChunkHeader | undefined;
  print: number;
}

/** Looks at the headers of all chunks of a file. Undefined: it is no event log (yet).
 *  `takesDamaged`: chunks with a damaged header are wanted, not only the newest of a file that was
 *  not closed. Errors: those of the file system. */
export async function scanFile(
  descriptor: number,
  fileBytes: number,
  takesDamaged: boolean,
): Promise<FileScan | undefined> {
  const head = Buffer.alloc(chunkHeaderBytes);
  const header = readFileHeader(head.subarray(0, readSync(descriptor, head, 0, 128, 0)));
  const begin = header?.headerBlockBytes ?? firstChunkAt(head);
  const count = Math.min(chunksMax, Math.ceil((fileBytes - begin) / chunkBytes));
  const candidates: Candidate[] = [];
  const damaged: DamagedPlace[] = [];
  for (let index = 0; index < count; index++) {
    if (index % headersAtOnce === headersAtOnce - 1) await turn();
    const offset = begin + index * chunkBytes;
    const length = readSync(descriptor, head, 0, chunkHeaderBytes, offset);
    const chunk = readChunkHeader(head, length);
    const print = crc32(head.subarray(0, length));
    if (chunk?.isIntact === true && chunk.firstId <= keyMax) {
      candidates.push({ index, offset, id: chunk.firstId, header: chunk, print });
    } else if (!isUnused(head, length)) {
      const id = firstIdAt(descriptor, offset);
      if (id > 0 && id <= keyMax) candidates.push({ index, offset, id, header: undefined, print });
      else damaged.push({ index, offset, print, reason: damageOf(length, chunk) });
    }
  }
  const isDirty = header?.isDirty ?? true;
  if (header === undefined && candidates.length === 0) return undefined;
  return { isDirty, chunks: inOrder(candidates, damaged, isDirty, takesDamaged), damaged };
}

function inOrder(
  candidates: Candidate[],
  damaged: DamagedPlace[],
  isDirty: boolean,
  takesDamaged: boolean,
): ScannedChunk[] {
  candidates.sort((left, right) => left.id - right.id || left.index - right.index);
  const chunks: ScannedChunk[] = [];
  let last = -1;
  candidates.forEach(({ index, offset, id, header, print }, place) => {
    const isNewest = place === candidates.length - 1;
    if (header === undefined && !takesDamaged && !(isDirty && isNewest)) {
      damaged.push({ index, offset, print, reason: 'the checksum of its header is wrong' });
      return;
    }
    const key = Math.max(id, last + 1);
    last = key;
    chunks.push({ index, key, header, offset });
  });
  return chunks;
}

/** A damaged file header does not hide the chunks behind it; chunks may also have none before them. */
function firstChunkAt(head: Buffer): number {
  return isChunk(head) ? 0 : fileHeaderBytes;
}

function damageOf(length: number, header: ChunkHeader | undefined): string {
  if (length < chunkHeaderBytes) return 'the file ends within it';
  return header === undefined ? 'no chunk begins there' : 'the checksum of its header is wrong';
}

/** Room made for chunks to come is full of zeros. */
function isUnused(bytes: Buffer, length: number): boolean {
  for (let at = 0; at < length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** Id of the record that a chunk begins with, where its header does not say; 0 for none. */
function firstIdAt(descriptor: number, offset: number): number {
  const bytes = Buffer.alloc(chunkBytes);
  const length = readSync(descriptor, bytes, 0, chunkBytes, offset);
  const isRecord = recordSizeAt(bytes, chunkHeaderBytes, length) > recordHeaderBytes;
  return isRecord ? recordIdAt(bytes, chunkHeaderBytes + 8) : 0;
}
