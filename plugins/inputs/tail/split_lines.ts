/** Where the lines of a block are: spans without their line ends, and the position behind the
 *  last line's end. Reused from block to block. */
export class LineSpans {
  readonly start: Int32Array;
  readonly end: Int32Array;
  behind = 0;

  constructor(linesMax: number) {
    this.start = new Int32Array(linesMax);
    this.end = new Int32Array(linesMax);
  }
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Splits `bytes[from, to)` at line feeds into at most `max` lines; CR before LF belongs to the
 *  line end. Fills `spans` from index 0 and returns the number of lines. What follows the last
 *  line feed is left out. */
export function splitLines(
  bytes: Buffer,
  from: number,
  to: number,
  spans: LineSpans,
  max: number,
): number {
  // hot path
  const { start, end } = spans;
  // The view keeps `indexOf` from searching the rest of the memory that `bytes` stands for.
  const block = bytes.subarray(from, to);
  let count = 0;
  let at = from;
  while (count < max) {
    const found = block.indexOf(lineFeed, at - from);
    if (found < 0) break;
    const feed = from + found;
    start[count] = at;
    end[count] = feed > at && bytes[feed - 1] === carriageReturn ? feed - 1 : feed;
    count++;
    at = feed + 1;
  }
  spans.behind = at;
  return count;
}

/** As `splitLines`, for UTF-16: two-byte units, counted from `from`. */
export function splitLinesUtf16(
  bytes: Buffer,
  from: number,
  to: number,
  spans: LineSpans,
  max: number,
  bigEndian: boolean,
): number {
  // hot path
  const { start, end } = spans;
  let count = 0;
  let at = from;
  while (count < max) {
    const feed = findLineFeedUtf16(bytes, at, to, bigEndian);
    if (feed < 0) break;
    start[count] = at;
    end[count] =
      feed - at >= 2 && unitIs(bytes, feed - 2, carriageReturn, bigEndian) ? feed - 2 : feed;
    count++;
    at = feed + 2;
  }
  spans.behind = at;
  return count;
}

/** Position of the first line feed unit in `[from, to)`, or -1; units begin at `from`. */
export function findLineFeedUtf16(
  bytes: Buffer,
  from: number,
  to: number,
  bigEndian: boolean,
): number {
  const block = bytes.subarray(from, to);
  let at = 0;
  for (;;) {
    const feed = block.indexOf(lineFeed, at);
    if (feed < 0) return -1;
    const unit = feed & ~1;
    if (unit + 1 < block.length && unitIs(block, unit, lineFeed, bigEndian)) return from + unit;
    at = feed + 1;
  }
}

function unitIs(bytes: Buffer, at: number, value: number, bigEndian: boolean): boolean {
  return bigEndian
    ? bytes[at] === 0 && bytes[at + 1] === value
    : bytes[at] === value && bytes[at + 1] === 0;
}
