import type { Source } from './source.ts';

/** The events of one source in a batch of several: `from` up to `end`, which may be none. */
export interface Stretch {
  readonly source: Source;
  readonly from: number;
  readonly end: number;
  /** The source's position behind them, skipped lines included. */
  readonly positionEnd: number;
}

interface Stretched {
  readonly count: number;
  source: Source;
  readonly stretches: readonly Stretch[];
}

/** Calls `visit` with the events of each source of a batch, whose `source` that is meanwhile. */
export function eachSource(batch: Stretched, visit: (from: number, end: number) => void): void {
  // hot path
  const { stretches } = batch;
  if (stretches.length === 0) visit(0, batch.count);
  for (let i = 0; i < stretches.length; i++) {
    const { source, from, end } = stretches[i]!;
    batch.source = source;
    if (end > from) visit(from, end);
  }
}

/** The stretch that an event is in. */
export function stretchOf(stretches: readonly Stretch[], index: number): Stretch {
  let low = 0;
  let high = stretches.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stretches[middle]!.end > index) high = middle;
    else low = middle + 1;
  }
  return stretches[low]!;
}
