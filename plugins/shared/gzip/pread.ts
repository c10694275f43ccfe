import { readSync } from 'node:fs';

/** Reads at a position until `length` bytes are there or the file ends; returns the count. */
export function preadSync(
  descriptor: number,
  bytes: Buffer,
  at: number,
  length: number,
  position: number,
): number {
  let total = 0;
  while (total < length) {
    const read = readSync(descriptor, bytes, at + total, length - total, position + total);
    if (read === 0) break;
    total += read;
  }
  return total;
}
