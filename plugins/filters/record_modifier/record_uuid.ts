import { createHash } from 'node:crypto';

/** A UUID for the event at an origin, always the same for the same one: 122 bits of a hash as
 *  version 8 (RFC 9562 section 5.8). */
export function recordUuid(generation: string, offset: number, part: number): string {
  const hash = createHash('sha256').update(`${generation}/${offset}/${part}`).digest();
  hash[6] = (hash[6]! & 0x0f) | 0x80;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  const cut = (from: number, to: number) => hex.slice(from, to);
  return `${cut(0, 8)}-${cut(8, 12)}-${cut(12, 16)}-${cut(16, 20)}-${cut(20, 32)}`;
}
