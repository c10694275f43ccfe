/** The part number of an event that is made out of another: piece `number` (from 1) of the event
 *  with part `parent`, made by the filter `maker`. The same on every read, so that ids stay the same.
 *
 *  Pieces of a source's own event are simply numbered. Pieces of pieces, and copies (`number` 0),
 *  take a hash above all plain numbers; two of one source record share one with a chance of 2^-30. */
export function derivedPart(parent: number, number: number, maker: string): number {
  if (parent === 0 && number > 0 && number < hashedFrom) return number;
  let hash = Math.imul(parent ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35);
  for (let i = 0; i < maker.length; i++) hash = Math.imul(hash ^ maker.charCodeAt(i), 0x01000193);
  return hashedFrom + (mixed(hash) >>> 2);
}

const hashedFrom = 2 ** 30;

/** Spreads a 32-bit hash over all its bits (MurmurHash3's last step). */
export function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
