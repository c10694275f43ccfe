/** Work on masks of a batch: a byte per event, 1 or 0 (or a reason for `dropped`). Four events a
 *  step where the mask begins at a word, as all of a batch do. */

/** True when no event is marked. */
export function isClear(mask: Uint8Array, count: number): boolean {
  const words = wordsOf(mask, count);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  for (let i = words.length << 2; i < count; i++) if (mask[i] !== 0) return false;
  return true;
}

/** Number of marked events; for masks of 0 and 1. */
export function countMarked(mask: Uint8Array, count: number): number {
  const words = wordsOf(mask, count);
  let marked = 0;
  for (let i = 0; i < words.length; ) {
    // Each of the four bytes counts to 255 at most.
    const end = Math.min(words.length, i + 255);
    let sums = 0;
    for (; i < end; i++) sums += words[i]!;
    marked += (sums & 255) + ((sums >>> 8) & 255) + ((sums >>> 16) & 255) + (sums >>> 24);
  }
  for (let i = words.length << 2; i < count; i++) marked += mask[i]!;
  return marked;
}

/** Marks in `into` what `mask` marks. */
export function addMarked(into: Uint8Array, mask: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) into[i] = into[i]! | mask[i]!;
}

const none = new Uint32Array(0);

function wordsOf(mask: Uint8Array, count: number): Uint32Array {
  if ((mask.byteOffset & 3) !== 0) return none;
  return new Uint32Array(mask.buffer, mask.byteOffset, count >> 2);
}
