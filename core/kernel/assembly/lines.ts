/** Finds the complete lines of [from, end): one span per line, without its newline and without
 *  one carriage return before that. Returns how many, at most `most`. */
export function splitLines(from: usize, end: usize, starts: usize, ends: usize, most: i32): i32 {
  const newline = i8x16.splat(10);
  let start = from;
  let count: usize = 0;
  for (let at = from; at < end; at += 16) {
    let found = i8x16.bitmask(i8x16.eq(v128.load(at), newline));
    while (found) {
      const stop = at + ctz(found);
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
