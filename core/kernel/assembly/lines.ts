/** Finds the complete lines of [from, end): one span per line, without its newline and without
 *  one carriage return before that. Returns how many, at most `most`. */
export function splitLines(from: usize, end: usize, starts: usize, ends: usize, most: i32): i32 {
  let start = from;
  let count: usize = 0;
  for (let at = from; at < end; at += 64) {
    let found = lineFeeds(at) | (lineFeeds(at + 32) << 32);
    while (found) {
      const stop = at + <usize>ctz(found);
      if (stop >= end || <i32>count >= most) return <i32>count;
      store<u32>(starts + (count << 2), <u32>start);
      const last = stop > start && load<u8>(stop - 1) == 13 ? stop - 1 : stop;
      store<u32>(ends + (count << 2), <u32>last);
      count++;
      start = stop + 1;
      found &= found - 1;
    }
  }
  return <i32>count;
}

/** A bit for each of 32 bytes that is a line feed. */
// @ts-ignore: decorator
@inline
function lineFeeds(at: usize): u64 {
  const newline = i8x16.splat(10);
  const low = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), newline));
  const high = <u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), newline));
  return <u64>(low | (high << 16));
}
