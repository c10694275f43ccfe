/**
 * Avro object container files (Avro 1.11 specification, "Object Container Files"), uncompressed:
 *
 *     file   = "Obj" 01, metadata map (avro.schema, avro.codec), sync marker (16 random bytes), block*
 *     block  = count (long), bytes (long), that many encoded entries, sync marker
 *
 * The header always has the same length here, so that the marker is found in a damaged one, too.
 * The only place that knows the Avro library.
 */
import { isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import type { Type } from 'avsc';
import {
  type DeadLetter,
  type DeadLetterInput,
  deadLetterId,
  type PreciseTime,
} from './dead_letter.ts';
import { deadLetterSchemaText } from './dead_letter_schema.ts';

export const syncMarkerBytes = 16;
const checksumBytes = 4;
const reasonCharactersMax = 8192;
const nameCharactersMax = 4096;

/** A letter as it was found, without the number of its file. */
export type DecodedLetter = Omit<DeadLetter, 'reference'>;

interface AvroLetter {
  readonly record: string | Buffer;
  readonly origin: { source: string; generation: string; offset: number; part: number };
  readonly tag: string;
  readonly time_seconds: number;
  readonly time_nanos: number;
  readonly failed_at_seconds: number;
  readonly failed_at_nanos: number;
  readonly output: string;
  readonly reason: string;
  readonly reason_code: string;
  readonly status: number | null;
  readonly attempts: number;
  readonly id: string;
  readonly checksum: number;
  readonly envelope_checksum: Buffer;
}

/** Made once for all codecs: it turns schemas into code, which takes a millisecond. */
let made: AvroTypes | undefined;

/** Encodes and decodes the parts of a container of dead letters. Keeps nothing between calls but the Avro types,
 *  which are made when the first letter is written or read: most agents never have one. */
export class DeadLetterCodec {
  get headerBytes(): number {
    return this.#types.header.length;
  }

  get #types(): AvroTypes {
    made ??= makeTypes();
    return made;
  }

  encodeHeader(sync: Buffer): Buffer {
    const header = Buffer.from(this.#types.header);
    sync.copy(header, this.headerBytes - syncMarkerBytes);
    return header;
  }

  encodeLetter(input: DeadLetterInput, output: string, failedAt: PreciseTime): Buffer {
    const { origin } = input;
    const record = Buffer.from(input.record.buffer, input.record.byteOffset, input.record.length);
    const letter: AvroLetter = {
      record: isUtf8(record) ? record.toString() : record,
      origin: {
        source: origin.source.slice(0, nameCharactersMax),
        generation: origin.generation,
        offset: wholeNumber(origin.offset, longMax),
        part: wholeNumber(origin.part, intMax),
      },
      tag: input.tag.slice(0, nameCharactersMax),
      time_seconds: wholeNumber(input.time.seconds, longMax),
      time_nanos: wholeNumber(input.time.nanos, nanosMax),
      failed_at_seconds: failedAt.seconds,
      failed_at_nanos: failedAt.nanos,
      output,
      reason: input.reason.slice(0, reasonCharactersMax),
      reason_code: input.reasonCode.slice(0, nameCharactersMax),
      status: input.status === undefined ? null : wholeNumber(input.status, intMax),
      attempts: wholeNumber(input.attempts, intMax),
      id: deadLetterId(output, origin),
      checksum: crc32(record),
      envelope_checksum: Buffer.alloc(checksumBytes),
    };
    const bytes = this.#types.letter.toBuffer(letter);
    const end = bytes.length - checksumBytes;
    bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
    return bytes;
  }

  encodeBlock(letters: readonly Buffer[], sync: Buffer): Buffer[] {
    const bytes = letters.reduce((total, letter) => total + letter.length, 0);
    return [
      this.#types.long.toBuffer(letters.length),
      this.#types.long.toBuffer(bytes),
      ...letters,
      sync,
    ];
  }

  /** Reads a block's count and length; undefined when there are no such numbers at `position`. */
  decodeBlockHead(
    content: Buffer,
    position: number,
  ): { count: number; bytes: number; start: number } | undefined {
    const count = this.#longAt(content, position);
    const bytes = count && this.#longAt(content, count.offset);
    if (!count || !bytes || count.value < 1 || bytes.value < count.value) return undefined;
    return { count: count.value, bytes: bytes.value, start: bytes.offset };
  }

  /** Decodes a letter that a scan found intact. */
  decodeLetter(encoded: Buffer): DecodedLetter {
    return decodedLetter(this.#types.letter.fromBuffer(encoded));
  }

  #longAt(content: Buffer, position: number): { value: number; offset: number } | undefined {
    try {
      const found = this.#types.long.decode(content, position);
      return found.offset < 0 ? undefined : found;
    } catch {
      // More than 2^53: no length of ours.
      return undefined;
    }
  }
}

interface AvroTypes {
  readonly letter: Type;
  readonly long: Type;
  /** A header whose sync marker is zeros. */
  readonly header: Buffer;
}

function makeTypes(): AvroTypes {
  // Not `import`, which would make every caller wait.
  const avro = createRequire(import.meta.url)('avsc') as typeof import('avsc');
  const schema: unknown = JSON.parse(deadLetterSchemaText);
  const header = avro.Type.forSchema({
    type: 'record',
    name: 'Header',
    fields: [
      { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
      { name: 'meta', type: { type: 'map', values: 'bytes' } },
      { name: 'sync', type: { type: 'fixed', name: 'Sync', size: syncMarkerBytes } },
    ],
  });
  return {
    letter: avro.Type.forSchema(JSON.parse(deadLetterSchemaText)),
    long: avro.Type.forSchema('long'),
    header: header.toBuffer({
      magic: Buffer.from('Obj\x01', 'latin1'),
      meta: {
        'avro.schema': Buffer.from(JSON.stringify(schema)),
        'avro.codec': Buffer.from('null'),
      },
      sync: Buffer.alloc(syncMarkerBytes),
    }),
  };
}

function decodedLetter(value: AvroLetter): DecodedLetter {
  return {
    record: Buffer.isBuffer(value.record) ? value.record : Buffer.from(value.record),
    origin: { ...value.origin },
    tag: value.tag,
    time: { seconds: value.time_seconds, nanos: value.time_nanos },
    failedAt: { seconds: value.failed_at_seconds, nanos: value.failed_at_nanos },
    output: value.output,
    reason: value.reason,
    reasonCode: value.reason_code,
    status: value.status ?? undefined,
    attempts: value.attempts,
    id: value.id,
  };
}

const intMax = 0x7fffffff;
/** The largest number that the library writes. */
const longMax = Number.MAX_SAFE_INTEGER - 1;
const nanosMax = 999_999_999;

/** A number as Avro takes it: a letter is kept even if a plugin filled it in wrongly. */
function wholeNumber(value: number, maximum: number): number {
  if (!Number.isFinite(value)) return 0;
  return Math.trunc(Math.max(-maximum, Math.min(maximum, value)));
}
