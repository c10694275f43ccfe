import type { ChunkEntry, ChunkIndex } from './chunk_index.ts';
import type { ChunkReader } from './chunk_reader.ts';
import { segmentHeaderBytes } from './segment.ts';
import type { Segment, SegmentWriter } from './segment_writer.ts';
import { storageFailed } from './storage_error.ts';

/** A sealed segment whose sync failed: what stands in it from `from` on may not be on the disk. */
export interface UnsyncedPart {
  readonly segment: Segment;
  readonly from: number;
}

export interface RescueTools {
  readonly index: ChunkIndex;
  readonly reader: ChunkReader;
  readonly writer: SegmentWriter;
  /** Makes a new segment the active one. */
  readonly begin: (firstSequence: number) => Segment;
}

/**
 * Writes what a failed sync left in doubt into a new segment, under the same numbers, and syncs it.
 * Returns the chunks that could no longer be read. Rejects with nothing moved: to be tried again.
 */
export async function rewriteUnsynced(
  part: UnsyncedPart,
  { index, reader, writer, begin }: RescueTools,
): Promise<ChunkEntry[]> {
  const { segment, from } = part;
  const entries = index.entriesOf(segment).filter((entry) => entry.position >= from);
  if (entries.length === 0) return [];
  const placed: { entry: ChunkEntry; position: number }[] = [];
  const damaged: ChunkEntry[] = [];
  const target = begin(entries[0]!.sequence);
  try {
    for (const entry of entries) {
      const found = await reader.read(entry);
      if (!found) {
        damaged.push(entry);
        continue;
      }
      const item = { ...entry, header: found.header, body: [found.body] };
      placed.push({ entry, position: (await writer.write([item]))[0]! });
    }
    await writer.sync();
  } catch (error) {
    await writer.abandon(segmentHeaderBytes);
    throw storageFailed(`sync ${segment.path}`, error);
  }
  for (const { entry, position } of placed) {
    // What was settled meanwhile stays so.
    if (index.get(entry.sequence) === entry) index.move(entry, target, position);
  }
  return damaged;
}
