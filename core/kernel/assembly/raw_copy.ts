import { countLineEnds } from './bytes';

/** Line ends in what was copied as it stood. */
export let rawLines: i32 = 0;

/** Sets what is counted so far. */
export function setRawLines(count: i32): void {
  rawLines = count;
}

/** Counts the line ends of what is copied in another way. */
export function countRaw(start: usize, end: usize): void {
  rawLines += countLineEnds(start, end);
}

/** As `copy`, and counts the line ends. */
export function copyRaw(target: usize, source: usize, length: usize): usize {
  const lineEnd = i8x16.splat(0x0a);
  let found = i8x16.splat(0);
  let at: usize = 0;
  for (; at + 32 <= length; at += 32) {
    const low = v128.load(source + at);
    const high = v128.load(source + at, 16);
    v128.store(target + at, low);
    v128.store(target + at, high, 16);
    found = v128.or(found, v128.or(i8x16.eq(low, lineEnd), i8x16.eq(high, lineEnd)));
  }
  const low = v128.load(source + at);
  const high = v128.load(source + at, 16);
  v128.store(target + at, low);
  v128.store(target + at, high, 16);
  const rest = i8x16.bitmask(i8x16.eq(low, lineEnd)) | (i8x16.bitmask(i8x16.eq(high, lineEnd)) << 16);
  rawLines += popcnt(rest & ((1 << <i32>(length - at)) - 1));
  // Mostly there is none.
  if (v128.any_true(found)) rawLines += countLineEnds(source, source + at);
  return target + length;
}
