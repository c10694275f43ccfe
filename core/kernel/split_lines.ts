import type { Kernel } from './kernel.ts';

/** Finds the complete lines of bytes[start, end): `starts[i]` and `ends[i]` are line i's span
 *  without its newline and without one carriage return before that. Returns how many, at most
 *  `most`; `lineStop` gives where the next line begins. The kernel runs when all three live in
 *  its memory. */
export function splitLines(
  kernel: Kernel | undefined,
  bytes: Buffer,
  start: number,
  end: number,
  starts: Int32Array,
  ends: Int32Array,
  most: number,
): number {
  if (kernel !== undefined && bytes === kernel.bytes && starts.buffer === kernel.memory.buffer) {
    return kernel.code.splitLines(start, end, starts.byteOffset, ends.byteOffset, most);
  }
  return splitLinesInScript(bytes, start, end, starts, ends, most);
}

/** As `splitLines`, without the kernel. */
export function splitLinesInScript(
  bytes: Buffer,
  start: number,
  end: number,
  starts: Int32Array,
  ends: Int32Array,
  most: number,
): number {
  // hot path
  let count = 0;
  const part = end < bytes.length ? bytes.subarray(0, end) : bytes;
  while (count < most) {
    const stop = part.indexOf(0x0a, start);
    if (stop < 0) break;
    starts[count] = start;
    ends[count] = stop > start && bytes[stop - 1] === 0x0d ? stop - 1 : stop;
    count++;
    start = stop + 1;
  }
  return count;
}

/** Position behind the newline of a line that `splitLines` found, from the line's end. */
export function lineStop(bytes: Uint8Array, end: number): number {
  return bytes[end] === 0x0a ? end + 1 : end + 2;
}
