import './buffer_methods.ts';

/** Texts up to this long are looked for among those decoded before. */
export const shortTextBytesMax = 24;

const slots = 1024;
/** Texts decoded before, by a hash of their bytes: a method, a status or a level comes again and
 *  again. ASCII only, so that a text has the bytes of its characters. */
const texts: string[] = new Array<string>(slots).fill('');

/** Decodes UTF-8; for short texts that came before, without making a string. */
export function shortText(bytes: Buffer, start: number, end: number): string {
  // hot path
  const length = end - start;
  if (length > shortTextBytesMax) return bytes.utf8Slice(start, end);
  let hash = length;
  let all = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    all |= byte;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  if (all > 0x7f) return bytes.utf8Slice(start, end);
  const slot = (hash ^ (hash >>> 15)) & (slots - 1);
  const known = texts[slot]!;
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return known;
  }
  const text = bytes.latin1Slice(start, end);
  texts[slot] = text;
  return text;
}
