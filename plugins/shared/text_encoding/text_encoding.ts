import { type Decode, iconvDecoder } from './iconv.ts';

/** How a file's bytes become text, and what a line end looks like in them. */
export interface TextEncoding {
  readonly name: string;
  /** `bytes`: a line feed is the byte 0x0A, which is no part of any other character. */
  readonly unit: 'bytes' | 'utf16le' | 'utf16be';
  /** UTF-8 needs no decoding, only a check. */
  readonly decode: Decode | undefined;
  /** Length of the longest prefix of `bytes` that does not end inside a character, as far as
   *  that can be told; used to cut a line that is too long. */
  cut(bytes: Buffer): number;
}

export const utf8: TextEncoding = { name: 'utf-8', unit: 'bytes', decode: undefined, cut: cutUtf8 };

export const utf16le: TextEncoding = {
  name: 'utf-16le',
  unit: 'utf16le',
  decode: (bytes) => bytes.toString('utf16le', 0, bytes.length & ~1),
  cut: (bytes) => cutUtf16(bytes, 1),
};

export const utf16be: TextEncoding = {
  name: 'utf-16be',
  unit: 'utf16be',
  decode: (bytes) =>
    Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le'),
  cut: (bytes) => cutUtf16(bytes, 0),
};

/** Names that other agents use and iconv-lite does not. */
const otherNames: Readonly<Record<string, string>> = {
  uhc: 'cp949',
  sjis: 'shift_jis',
  'windows-31j': 'shift_jis',
  win866: 'cp866',
  win874: 'cp874',
};

/** Finds an encoding by name (`UTF-8`, `UTF-16LE`, `GBK`, `ShiftJIS`, `Win1252`, ...), or
 *  undefined when there is none such or when its line feeds cannot be told from other bytes. */
export function textEncoding(name: string): TextEncoding | undefined {
  const key = name.trim().toLowerCase();
  if (key === 'utf-8' || key === 'utf8' || key === 'ascii') return utf8;
  if (key === 'utf-16le' || key === 'utf16le' || key === 'ucs-2le') return utf16le;
  if (key === 'utf-16be' || key === 'utf16be') return utf16be;
  if (/^utf-?(7|16|32)|^ucs/.test(key) || key === 'base64' || key === 'hex') return undefined;
  const decode = iconvDecoder(otherNames[key] ?? key);
  // A set whose "a\n" is not those two bytes cannot be split at the byte 0x0A.
  if (decode === undefined || decode(Buffer.from('a\n')) !== 'a\n') return undefined;
  return { name: key, unit: 'bytes', decode, cut: cutAtLowByte };
}

/** The encoding that a byte order mark names, with the mark's length; undefined without one. */
export function byteOrderMark(
  bytes: Buffer,
  from: number,
  to: number,
): { readonly encoding: TextEncoding; readonly length: number } | undefined {
  const length = to - from;
  if (length >= 3 && bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf) {
    return { encoding: utf8, length: 3 };
  }
  if (length >= 2 && bytes[from] === 0xff && bytes[from + 1] === 0xfe) {
    return { encoding: utf16le, length: 2 };
  }
  if (length >= 2 && bytes[from] === 0xfe && bytes[from + 1] === 0xff) {
    return { encoding: utf16be, length: 2 };
  }
  return undefined;
}

/** Backs off an unfinished UTF-8 sequence at the end (RFC 3629 section 3). */
function cutUtf8(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back && back < bytes.length ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function cutUtf16(bytes: Buffer, highByteAt: 0 | 1): number {
  const even = bytes.length & ~1;
  if (even < 4) return even;
  const high = bytes[even - 2 + highByteAt]!;
  return (high & 0xfc) === 0xd8 ? even - 2 : even;
}

/** Bytes below 0x30 are never the second byte of a character in the double-byte sets. */
function cutAtLowByte(bytes: Buffer): number {
  const reach = Math.max(1, bytes.length - 1024);
  for (let at = bytes.length; at > reach; at--) if (bytes[at - 1]! < 0x30) return at;
  return bytes.length;
}
