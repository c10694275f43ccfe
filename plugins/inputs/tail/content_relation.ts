import { basename, extname } from 'node:path';
import { GzipDamageError } from '../../shared/gzip/gzip_chunks.ts';
import { beforeBytesMax, type HeadPrints, printOf, type StoredIdentity } from './content_print.ts';
import type { FileFacts } from '../../shared/file_finder/file_facts.ts';
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
  const bytes = Buffer.alloc(length);
  return donor.readNow(bytes, length, 0) === length && bytes.equals(head.bytes);
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
  const { position, before, beforeLength } = generation;
  const bytes = Buffer.alloc(beforeLength);
  const read = file.readNow(bytes, beforeLength, position - beforeLength);
  return read === beforeLength && bytes.equals(before.subarray(0, beforeLength));
}

/** How the content is known again that was read of a generation. */
export function liveIdentity(generation: FileGeneration): KnownContent {
  const { headLength, headHash, position, before, beforeLength } = generation;
  const beforeHash = printOf(before.subarray(0, beforeLength));
  return { headLength, headHash, position, beforeLength, beforeHash };
}
