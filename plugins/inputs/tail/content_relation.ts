import { basename, extname } from 'node:path';
import { GzipDamageError } from '../../shared/gzip/gzip_chunks.ts';
import type { FileFacts } from '../../shared/file_finder/file_facts.ts';
import {
  beforeBytesMax,
  headBytesMax,
  type HeadPrints,
  printOf,
  type StoredIdentity,
} from './content_print.ts';
import type { FileGeneration } from './file_generation.ts';
import type { TailedFile } from './tailed_file.ts';

/** How the content of a file relates to what was read of a generation. `shorter`: it begins alike
 *  and does not reach the position. */
export type Relation = 'same' | 'shorter' | 'other';

/** What is compared of a content. */
export type KnownContent = Pick<
  StoredIdentity,
  'headLength' | 'headHash' | 'position' | 'beforeLength' | 'beforeHash'
>;

/** Compares a file with what was read of a generation. */
export async function relate(
  file: TailedFile,
  facts: FileFacts,
  head: HeadPrints,
  known: KnownContent,
): Promise<Relation> {
  if (!head.beginsWith(known.headLength, known.headHash)) {
    // What there is of it was compared by `beginsAlike`.
    return !file.isGzip && facts.size < known.headLength ? 'shorter' : 'other';
  }
  if (!file.isGzip && facts.size < known.position) return 'shorter';
  if (known.beforeLength === 0) return 'same';
  const bytes = Buffer.alloc(beforeBytesMax);
  const from = known.position - known.beforeLength;
  try {
    const read = file.isGzip
      ? await file.content().read(bytes, 0, known.beforeLength, from)
      : file.readNow(bytes, known.beforeLength, from);
    if (read < known.beforeLength) return 'shorter';
  } catch (error) {
    if (!(error instanceof GzipDamageError)) throw error;
    file.content().restart();
    return 'shorter';
  }
  return printOf(bytes.subarray(0, known.beforeLength)) === known.beforeHash ? 'same' : 'other';
}

/** True when a file begins like what was read of a generation, as far as both reach. */
export function beginsAlike(
  file: TailedFile,
  head: HeadPrints,
  donor: TailedFile,
  generation: FileGeneration,
): boolean {
  if (head.beginsWith(generation.headLength, generation.headHash)) return true;
  const length = head.bytes.length;
  if (file.isGzip || donor.isGzip || !donor.isOpen) return false;
  // A copy in the making that is shorter than the print: its name tells whose copy it may be.
  if (length === 0 || length >= generation.headLength) return false;
  if (!isRelatedName(file.path, donor.path)) return false;
  // The donor may have been truncated by now.
  const wasRead = generation.recent.agreesUpTo(length, (count, position) =>
    head.bytes.subarray(position, position + count),
  );
  return wasRead === length || bytesAt(donor, length, 0).equals(head.bytes);
}

/** True when a file's name extends another's, as rotation does: `a.log.1`, `a-2024.log`. */
export function isRelatedName(path: string, original: string): boolean {
  const name = basename(original);
  return basename(path).startsWith(name.slice(0, name.length - extname(name).length));
}

/** False when the file was truncated or written anew and the reader has not seen it yet. */
export function isIntact(file: TailedFile): boolean {
  const { generation } = file;
  if (generation === undefined || !file.isOpen || file.isGzip) return true;
  const { position, before, beforeLength, beginning, peeked } = generation;
  if (position === 0) return bytesAt(file, peeked.length, 0).equals(peeked);
  const hasBefore = bytesAt(file, beforeLength, position - beforeLength).equals(
    before.subarray(0, beforeLength),
  );
  return hasBefore && hasBeginning(file, beginning);
}

/** False when the file does not begin as it did when it was read. Lines may all end alike: their
 *  beginning is more likely to differ. */
export function hasBeginning(file: TailedFile, beginning: Buffer): boolean {
  const { length } = beginning;
  return (
    file.readNow(scratch, length, 0) === length &&
    scratch.compare(beginning, 0, length, 0, length) === 0
  );
}

/** True when a file begins with what was seen, and not read yet, of another; `shorter`: as far as
 *  it reaches. */
export function beginsLikePeeked(head: Buffer, peeked: Buffer): boolean {
  const length = Math.min(head.length, peeked.length);
  return length > 0 && head.subarray(0, length).equals(peeked.subarray(0, length));
}

/** How much of a shorter file was read as part of this content, or undefined when that does not
 *  show: a copy that was made before the last lines were written. */
export function readInCopy(
  file: TailedFile,
  facts: FileFacts,
  generation: FileGeneration,
): number | undefined {
  if (file.isGzip || facts.size === 0) return undefined;
  return generation.recent.agreesUpTo(facts.size, (length, position) =>
    bytesAt(file, length, position),
  );
}

/** Notes how large the content is, not less than before; false when the file holds other content
 *  already, whose bytes are still to be read. */
export function noteSize(file: TailedFile, generation: FileGeneration, seenSize: number): boolean {
  const isUnknown = generation.position === 0 && generation.peeked.length === 0;
  peekAt(file, generation);
  // The size was that of what stood there before the first bytes were looked at.
  const isOld = isUnknown && file.isOpen && !file.isGzip;
  const size = isOld ? (generation.peeked.length > 0 ? file.look().size : 0) : seenSize;
  if (!isIntact(file)) return false;
  generation.sizeSeen = Math.max(generation.sizeSeen, size);
  return true;
}

/** Remembers the first bytes of a file of which nothing was read yet. */
export function peekAt(file: TailedFile, generation: FileGeneration): void {
  if (generation.position > 0 || generation.peeked.length > 0) return;
  if (file.isOpen && !file.isGzip) generation.peek(bytesAt(file, headBytesMax, 0));
}

/** True when what was read goes on where the generation stands: behind the bytes before its
 *  position or, at the beginning, with those that were seen before. */
export function isContinued(
  bytes: Buffer,
  at: number,
  read: number,
  kept: number,
  generation: FileGeneration,
): boolean {
  const { position, before, peeked } = generation;
  if (position > 0) {
    return read >= kept && (kept === 0 || bytes.compare(before, 0, kept, at, at + kept) === 0);
  }
  if (read < peeked.length) return false;
  return bytes.compare(peeked, 0, peeked.length, at, at + peeked.length) === 0;
}

/** How the content is known again that was read of a generation. */
export function liveIdentity(generation: FileGeneration): KnownContent {
  const { headLength, headHash, position, before, beforeLength } = generation;
  const beforeHash = printOf(before.subarray(0, beforeLength));
  return { headLength, headHash, position, beforeLength, beforeHash };
}

const scratch = Buffer.alloc(headBytesMax);

/** The bytes at a position of the file; fewer at its end. */
function bytesAt(file: TailedFile, length: number, position: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, length === 0 ? 0 : file.readNow(bytes, length, position));
}
