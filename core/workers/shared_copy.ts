/** Copies `from` to position `at` of `to`, either of which may be memory that threads share.
 *
 *  `set` and `copy` move shared memory with atomic stores, byte by byte where the two are not
 *  aligned alike: ten to twenty times as slow. Filling a buffer with another is a plain copy. */
export function copyShared(from: Uint8Array, to: Buffer, at: number): void {
  if (from.length > 0) to.fill(from, at, at + from.length);
}
