import { createRequire } from 'node:module';

/** Decodes bytes of one character set. Bytes that mean nothing become U+FFFD. */
export type Decode = (bytes: Buffer) => string;

interface IconvLite {
  encodingExists(name: string): boolean;
  decode(bytes: Buffer, name: string, options?: { stripBOM?: boolean }): string;
}

/** A decoder for a character set by any name that iconv-lite knows, or undefined. The library's
 *  tables are loaded when the first decoder is made. */
export function iconvDecoder(name: string): Decode | undefined {
  const require = createRequire(import.meta.url);
  // CommonJS library: its module object has these functions (iconv-lite 0.7 README, "Basic API").
  const iconv = require('iconv-lite') as IconvLite;
  if (!iconv.encodingExists(name)) return undefined;
  return (bytes) => iconv.decode(bytes, name, { stripBOM: false });
}
