import { crc32 } from 'node:zlib';

/**
 * What stands behind the record of a letter, in the order of `dead_letter_schema.ts`: text is a
 * length and that many bytes, `optional` a branch that 0 leaves empty. Then come the record's
 * checksum, a number, and the envelope's, four bytes.
 */
const fieldsBehindRecord = [
  ...['text', 'text', 'number', 'number'],
  ...['text', 'number', 'number', 'number', 'number'],
  ...['text', 'text', 'text', 'optional', 'number', 'text'],
] as readonly ('text' | 'number' | 'optional')[];

const envelopeChecksumBytes = 4;

/**
 * Finds the end of the letter at `start` without decoding it, which costs a tenth: a start looks at
 * all letters of a file and wants none of them. Undefined when no whole letter stands there before
 * `limit`, or when one of its checksums disagrees. Never throws.
 */
export function intactLetterEnd(content: Buffer, start: number, limit: number): number | undefined {
  // A letter starts with the branch of its record: text is 0, bytes are 1, doubled as Avro does.
  if (content[start] !== 0 && content[start] !== 2) return undefined;
  const fields = new FieldCursor(content, start + 1, limit);
  const recordStart = fields.text();
  const recordEnd = fields.at;
  for (const field of fieldsBehindRecord) {
    if (field === 'text') fields.text();
    else if (field === 'number' || fields.hasValue()) fields.number();
  }
  const recordChecksum = fields.number();
  const end = fields.at + envelopeChecksumBytes;
  if (fields.isBroken || end > limit) return undefined;
  if (content.readUInt32LE(fields.at) !== crc32(content.subarray(start, fields.at))) {
    return undefined;
  }
  const record = content.subarray(recordStart, recordEnd);
  return recordChecksum === crc32(record) ? end : undefined;
}

/** Goes over Avro's numbers and texts; once something does not fit it stays broken. */
class FieldCursor {
  at: number;
  isBroken = false;
  readonly #content: Buffer;
  readonly #limit: number;

  constructor(content: Buffer, at: number, limit: number) {
    this.#content = content;
    this.at = at;
    this.#limit = Math.min(limit, content.length);
  }

  /** A number of up to 2^53, in seven bits a byte, its sign in the last (Avro 1.11, "Binary
   *  Encoding"). */
  number(): number {
    let value = 0;
    for (let unit = 1; unit <= 2 ** 49 && this.at < this.#limit; unit *= 128) {
      const byte = this.#content[this.at++]!;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    this.isBroken = true;
    return 0;
  }

  /** Passes the branch of an optional field. */
  hasValue(): boolean {
    const branch = this.number();
    if (branch !== 0 && branch !== 1) this.isBroken = true;
    return branch === 1;
  }

  /** Passes a text or bytes; returns where they start. */
  text(): number {
    const bytes = this.number();
    const start = this.at;
    if (bytes < 0 || bytes > this.#limit - start) this.isBroken = true;
    else this.at += bytes;
    return start;
  }
}
