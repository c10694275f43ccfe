import type { Batch } from './batch.ts';

/** Lines of one block of a source that stand in a batch's bytes. */
export interface LinesRead {
  /** Where each begins. */
  readonly starts: Int32Array;
  readonly count: number;
  /** Position in `bytes` behind the last line's end. */
  readonly behind: number;
  /** What added to a position in `bytes` gives the position in the source. */
  readonly base: number;
  /** The time of all: Unix seconds and nanoseconds. */
  readonly seconds: number;
  readonly nanos: number;
}

/** Adds an event for each line; the caller points a column at their texts. */
export function addLines(batch: Batch, lines: LinesRead): void {
  // hot path
  const { starts, count, base } = lines;
  const { offset, offsetEnd } = batch;
  const first = batch.count;
  const end = first + count;
  let from = base + (count > 0 ? starts[0]! : 0);
  for (let i = 0; i < count; i++) {
    const next = base + (i + 1 < count ? starts[i + 1]! : lines.behind);
    offset[first + i] = from;
    offsetEnd[first + i] = next;
    from = next;
  }
  batch.seconds.fill(lines.seconds, first, end);
  batch.nanos.fill(lines.nanos, first, end);
  batch.part.fill(0, first, end);
  batch.tag.fill(0, first, end);
  batch.rootKind.fill(0, first, end);
  batch.dropped.fill(0, first, end);
  for (const column of batch.columns) column.kind.fill(0, first, end);
  batch.count = end;
}
