import { assert } from '../errors/sluice_error.ts';
import type { SequenceRange } from './ack_log.ts';
import type { Segment } from './segment_writer.ts';

/** Where an unsettled chunk stands. */
export interface ChunkEntry {
  readonly sequence: number;
  readonly createdMs: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  segment: Segment;
  position: number;
}

/**
 * What a buffer holds: its segments by number, and its unsettled chunks by sequence number.
 * Invariant: a segment's `live` is the number of entries that point at it; settled = not here.
 */
export class ChunkIndex {
  readonly segments: Segment[];
  // Insertion order is sequence order: numbers are given out ascending and never again.
  readonly #entries = new Map<number, ChunkEntry>();

  constructor(segments: readonly Segment[]) {
    this.segments = [...segments];
  }

  get count(): number {
    return this.#entries.size;
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const segment of this.segments) bytes += segment.bytes;
    return bytes;
  }

  get oldest(): ChunkEntry | undefined {
    return this.#entries.values().next().value;
  }

  /** All sequence numbers, ascending. */
  sequences(): number[] {
    return [...this.#entries.keys()];
  }

  get(sequence: number): ChunkEntry | undefined {
    return this.#entries.get(sequence);
  }

  /** Adds a chunk whose segment already counts it in `live` or not, as told. */
  add(entry: ChunkEntry, counted: boolean): void {
    assert(!this.#entries.has(entry.sequence), 'A sequence number was used twice.');
    if (!counted) entry.segment.live++;
    this.#entries.set(entry.sequence, entry);
  }

  /** Forgets a chunk; undefined when it was settled before. */
  settle(sequence: number): ChunkEntry | undefined {
    const entry = this.#entries.get(sequence);
    if (!entry) return undefined;
    this.#entries.delete(sequence);
    entry.segment.live--;
    assert(entry.segment.live >= 0, 'A segment holds fewer chunks than were settled in it.');
    return entry;
  }

  /** Points a chunk at its copy in another segment. */
  move(entry: ChunkEntry, segment: Segment, position: number): void {
    entry.segment.live--;
    segment.live++;
    entry.segment = segment;
    entry.position = position;
  }

  entriesOf(segment: Segment): ChunkEntry[] {
    const entries: ChunkEntry[] = [];
    for (const entry of this.#entries.values()) if (entry.segment === segment) entries.push(entry);
    return entries;
  }

  /** Segments that nothing needs any more. */
  deletable(): Segment[] {
    return this.segments.filter((segment) => segment.sealed && segment.live === 0);
  }

  removeSegment(segment: Segment): void {
    const index = this.segments.indexOf(segment);
    if (index >= 0) this.segments.splice(index, 1);
  }

  /** All settled sequence numbers below `nextSequence`, as a floor and ranges above it. */
  settledBelow(nextSequence: number): { floor: number; ranges: SequenceRange[] } {
    const floor = this.oldest?.sequence ?? nextSequence;
    const ranges: SequenceRange[] = [];
    let expected = floor;
    for (const { sequence } of this.#entries.values()) {
      if (sequence > expected) ranges.push({ first: expected, last: sequence - 1 });
      expected = sequence + 1;
    }
    if (expected < nextSequence) ranges.push({ first: expected, last: nextSequence - 1 });
    return { floor, ranges };
  }
}
