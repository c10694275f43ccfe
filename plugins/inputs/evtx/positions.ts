import type { StoredCheckpoint } from '../../../core/sdk/index.ts';

/** Positions in a log: the key of a chunk (the id of its first record) and a place in it. They
 *  grow in the order of the records, in whatever order the chunks stand. */

/** Bits for the place in a chunk. Ids up to 2^36 keep positions exact. */
const chunkFactor = 65536;
export const keyMax = 2 ** 36;

export function positionOf(key: number, at: number): number {
  return key * chunkFactor + Math.min(at, chunkFactor - 1);
}

export function keyOf(position: number): number {
  return Math.floor(position / chunkFactor);
}

export function placeOf(position: number): number {
  return position % chunkFactor;
}

/** How a log is known again: stored beside its position in the checkpoint. */
export interface StoredIdentity {
  readonly path: string;
  /** `device:inode`. */
  readonly file: string;
  readonly position: number;
  /** Print of the first record of the chunk at the position; '' before anything was read. */
  readonly print: string;
  /** Id of the last record read of that chunk; 0 for none. */
  readonly lastId: number;
}

/** The identity in a checkpoint, or undefined when it is not one of ours. */
export function identityOf(checkpoint: StoredCheckpoint): StoredIdentity | undefined {
  const identity = checkpoint.identity as Partial<StoredIdentity> | null | undefined;
  if (typeof identity !== 'object' || identity === null) return undefined;
  const { path, file, print, position, lastId } = identity;
  if (![path, file, print].every((text) => typeof text === 'string')) return undefined;
  if (![position, lastId].every((value) => Number.isSafeInteger(value) && value! >= 0)) {
    return undefined;
  }
  // Every member was checked just now.
  return identity as StoredIdentity;
}
