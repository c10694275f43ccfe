import { hash } from 'node:crypto';
import type { StoredCheckpoint } from '../../../core/sdk/index.ts';

/** Bytes at the beginning of a file that identify it, and bytes before a position that show
 *  that the position is one of this content. */
export const headBytesMax = 1024;
export const beforeBytesMax = 256;

/** How a file is known again: stored beside its position in the checkpoint. */
export interface StoredIdentity {
  readonly path: string;
  /** `device:inode` and birth, as in `FileFacts`. */
  readonly file: string;
  readonly birth: string;
  /** Hash of the first `headLength` bytes; grows with the file up to `headBytesMax`. */
  readonly headLength: number;
  readonly headHash: string;
  /** Hash of the `beforeLength` bytes before `position`. */
  readonly position: number;
  readonly beforeLength: number;
  readonly beforeHash: string;
  readonly gzip: boolean;
}

/** 128 bits of SHA-256, in hex. */
export function printOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex').slice(0, 32);
}

/** The identity in a checkpoint, or undefined when it is not one of ours. */
export function identityOf(checkpoint: StoredCheckpoint): StoredIdentity | undefined {
  const identity = checkpoint.identity as Partial<StoredIdentity> | null | undefined;
  if (typeof identity !== 'object' || identity === null) return undefined;
  const { path, file, birth, headHash, beforeHash } = identity;
  const texts = [path, file, birth, headHash, beforeHash];
  const numbers = [identity.headLength, identity.position, identity.beforeLength];
  if (!texts.every((text) => typeof text === 'string')) return undefined;
  if (!numbers.every((value) => Number.isSafeInteger(value) && value! >= 0)) return undefined;
  if (identity.headLength! > headBytesMax || identity.beforeLength! > beforeBytesMax) {
    return undefined;
  }
  // Every member was checked just now.
  return identity as StoredIdentity;
}

/** The beginning of a newly found file, hashed to the lengths that are asked for. */
export class HeadPrints {
  readonly bytes: Buffer;
  private readonly prints = new Map<number, string>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** True when the file begins with the bytes that this print was made of. */
  beginsWith(length: number, print: string): boolean {
    return length === 0 || (length <= this.bytes.length && this.printAt(length) === print);
  }

  /** Print of the first `length` bytes. */
  printAt(length: number): string {
    let own = this.prints.get(length);
    if (own === undefined) {
      own = printOf(this.bytes.subarray(0, length));
      this.prints.set(length, own);
    }
    return own;
  }
}
