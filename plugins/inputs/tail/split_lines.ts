import type { Kernel } from '../../../core/sdk/index.ts';

/** Where the lines of a block are, without their line ends. */
export interface LineSpans {
  readonly start: Int32Array;
  readonly end: Int32Array;
}

/** Room for the spans of `linesMax` lines: in the kernel's memory, when that has some. `release` gives
 *  it back. */
export function lineSpans(
  linesMax: number,
  kernel?: Kernel,
): LineSpans & { readonly release: () => void } {
  const block = kernel?.arena.take(linesMax * 8);
  if (kernel === undefined || block === undefined) {
    const [start, end] = [new Int32Array(linesMax), new Int32Array(linesMax)];
    return { start, end, release: () => {} };
  }
  const { buffer } = kernel.memory;
  return {
    start: new Int32Array(buffer, block.start, linesMax),
    end: new Int32Array(buffer, block.start + linesMax * 4, linesMax),
    release: () => kernel.arena.release(block),
  };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Position behind the end of a line whose text ends at `textEnd`: there stands LF, or CR LF. */
export function behindLine(bytes: Buffer, textEnd: number): number {
  return bytes[textEnd] === lineFeed ? textEnd + 1 : textEnd + 2;
}

/** Splits `bytes[from, to)` at line feeds of UTF-16 into at most `max` lines; CR before LF belongs
 *  to the line end. Fills `spans` from index 0 and returns the number of lines. */
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

/** As `behindLine`, for UTF-16. */
export function behindLineUtf16(bytes: Buffer, textEnd: number, unit: string): number {
  return unitIs(bytes, textEnd, lineFeed, unit === 'utf16be') ? textEnd + 2 : textEnd + 4;
}
