import type { ByteWriter } from './byte_writer.ts';

/** Characters of an event id before its offset: 128 bits of generation in base64url. */
export const idPrefixLength = 22;

const digits = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** The part of an event's id that all events of a source generation share.
 *  In: 32 hex characters. Out: 22 base64url characters. */
export function idPrefixOf(generation: string): string {
  return Buffer.from(generation, 'hex').toString('base64url').padEnd(idPrefixLength, 'A');
}

/** Writes an event's id: the generation's prefix, eight base64url digits of the source offset
 *  (48 bits, highest first), and `-part` when the event is a later piece of what stood there.
 *  The same record gets the same id on every read. */
export function writeEventId(out: ByteWriter, prefix: string, offset: number, part: number): void {
  out.text(prefix);
  out.reserve(8);
  for (let i = 0; i < 8; i++) {
    const digit = Math.floor(offset / 64 ** (7 - i)) % 64;
    out.buffer[out.length++] = digits[digit] ?? digits[0]!;
  }
  if (part !== 0) out.text(`-${part}`);
}
