import './buffer_methods.ts';
/** Reads JSON text as bytes, in place. Every function expects text that was validated before
 *  (`isJsonObject`), so that scanning needs no error paths. */

const quote = 0x22;
const backslash = 0x5c;

/** Depth of nesting that an event may have; deeper text is carried as a string. */
export const nestingDepthMax = 512;

/** True for the four bytes that JSON calls white space (RFC 8259 section 2). */
export function isJsonSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function skipJsonSpace(bytes: Uint8Array, at: number): number {
  while (isJsonSpace(bytes[at]!)) at++;
  return at;
}

/** Returns the position behind the string that starts (with its quote) at `at`. */
export function skipJsonString(bytes: Uint8Array, at: number): number {
  // hot path
  at++;
  for (;;) {
    const byte = bytes[at++]!;
    if (byte === quote) return at;
    if (byte === backslash) at++;
  }
}

/** Returns the position behind the value that starts at `at`. */
export function skipJsonValue(bytes: Uint8Array, at: number): number {
  // hot path
  const first = bytes[at]!;
  if (first === quote) return skipJsonString(bytes, at);
  if (first === 0x7b || first === 0x5b) return skipJsonContainer(bytes, at);
  for (;;) {
    const byte = bytes[at]!;
    if (byte === 0x2c || byte === 0x7d || byte === 0x5d || isJsonSpace(byte)) return at;
    if (at >= bytes.length) return at;
    at++;
  }
}

function skipJsonContainer(bytes: Uint8Array, at: number): number {
  let depth = 0;
  for (;;) {
    const byte = bytes[at]!;
    if (byte === quote) {
      at = skipJsonString(bytes, at);
      continue;
    }
    at++;
    if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) {
      depth--;
      if (depth === 0) return at;
    }
  }
}

/** Walks over the members of one object. Positions are of the bytes it was started on:
 *  the key without its quotes, the value as it stands. */
export class MemberCursor {
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;

  /** Starts before the first member of the object whose `{` stands at `start`. */
  start(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.at = skipJsonSpace(bytes, start) + 1;
  }

  next(): boolean {
    const bytes = this.bytes;
    let at = skipJsonSpace(bytes, this.at);
    if (bytes[at] === 0x2c) at = skipJsonSpace(bytes, at + 1);
    if (bytes[at] !== quote) return false;
    this.keyStart = at + 1;
    at = skipJsonString(bytes, at);
    this.keyEnd = at - 1;
    at = skipJsonSpace(bytes, at);
    at = skipJsonSpace(bytes, at + 1);
    this.valueStart = at;
    this.valueEnd = skipJsonValue(bytes, at);
    this.at = this.valueEnd;
    return true;
  }

  /** Compares the key with its unescaped UTF-8 bytes; an escaped key is decoded first. */
  keyEquals(key: Buffer): boolean {
    const bytes = this.bytes;
    const length = this.keyEnd - this.keyStart;
    let escaped = false;
    for (let i = 0; i < length; i++) {
      const byte = bytes[this.keyStart + i]!;
      if (byte === backslash) {
        escaped = true;
        break;
      }
      if (byte !== key[i]) return false;
    }
    return escaped ? this.keyText() === key.toString() : length === key.length;
  }

  /** The key as a string, escapes resolved. */
  keyText(): string {
    const raw = textOf(this.bytes, this.keyStart, this.keyEnd);
    return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
  }
}

/** Where a member's value stands in an object, or undefined. The last of several wins, as with
 *  JSON.parse. */
export function findMember(
  bytes: Uint8Array,
  objectStart: number,
  key: Buffer,
): { start: number; end: number } | undefined {
  const cursor = new MemberCursor();
  cursor.start(bytes, objectStart);
  let found: { start: number; end: number } | undefined;
  while (cursor.next()) {
    if (cursor.keyEquals(key)) found = { start: cursor.valueStart, end: cursor.valueEnd };
  }
  return found;
}

/** True for a key that names an array's element: a whole number, negative from the end. */
export function isArrayIndex(key: string): boolean {
  return /^-?\d{1,9}$/.test(key);
}

/** Where the elements of the array that opens at `start` stand. */
export function elementSpans(bytes: Uint8Array, start: number): { start: number; end: number }[] {
  const spans: { start: number; end: number }[] = [];
  let at = skipJsonSpace(bytes, start + 1);
  while (bytes[at] !== 0x5d && at < bytes.length) {
    const end = skipJsonValue(bytes, at);
    spans.push({ start: at, end });
    at = skipJsonSpace(bytes, end);
    if (bytes[at] === 0x2c) at = skipJsonSpace(bytes, at + 1);
  }
  return spans;
}

/** True when the bytes are one JSON object, valid by RFC 8259 and within `nestingDepthMax`.
 *  The reference is JSON.parse: a record that passes here passes everywhere. */
export function isJsonObject(bytes: Uint8Array, start: number, end: number): boolean {
  const first = skipLeadingSpace(bytes, start, end);
  if (first === end || bytes[first] !== 0x7b) return false;
  if (!isWithinDepth(bytes, first, end)) return false;
  try {
    JSON.parse(textOf(bytes, first, end));
    return true;
  } catch {
    return false;
  }
}

function skipLeadingSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isJsonSpace(bytes[at]!)) at++;
  return at;
}

function isWithinDepth(bytes: Uint8Array, start: number, end: number): boolean {
  let depth = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === quote) {
      at++;
      while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > nestingDepthMax) return false;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return true;
}

/** Decodes UTF-8 bytes to a string. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return bytes instanceof Buffer
    ? bytes.utf8Slice(start, end)
    : Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}
