const tableBits: u32 = 14;
const lowMultiplier: u32 = 0x1e35a7bd;
const highMultiplier: u32 = 0x9e3779b1;
/** A match is not looked for closer to the end of a fragment than this. */
const marginBytes: usize = 15;

/** Compresses a fragment of at most 64 KiB as elements of Snappy's block format, byte for byte as
 *  plugins/shared/snappy does. `table` is room for 16,384 numbers of two bytes; `out` for a sixth
 *  more than the fragment and 64 bytes. Reads up to 15 bytes behind `end`. Returns the end of what
 *  it wrote. */
export function compressFragment(start: usize, end: usize, table: usize, out: usize): usize {
  memory.fill(table, 0, 2 << tableBits);
  let literalStart = start;
  if (end - start > marginBytes) {
    const limit = end - marginBytes;
    let at = start + 1;
    let misses: usize = 64;
    while (at < limit) {
      const mixed = (load<u32>(at) * lowMultiplier) ^ (load<u32>(at, 4) * highMultiplier);
      const slot = table + (<usize>(mixed >> (32 - tableBits)) << 1);
      const candidate = start + <usize>load<u16>(slot);
      store<u16>(slot, <u16>(at - start));
      if (candidate >= at || load<u64>(candidate) != load<u64>(at)) {
        // The longer nothing repeats, the larger the steps.
        at += misses++ >> 5;
        continue;
      }
      out = writeLiteral(out, literalStart, at);
      const length = matchLength(candidate, at, end);
      out = writeCopy(out, <u32>(at - candidate), length);
      at += length;
      literalStart = at;
      misses = 64;
    }
  }
  return writeLiteral(out, literalStart, end);
}

/** How many bytes are the same at both, of which the first eight are known to be. */
// @ts-ignore: decorator
@inline
function matchLength(candidate: usize, at: usize, end: usize): usize {
  let length: usize = 8;
  while (at + length < end) {
    const differ = i8x16.bitmask(
      i8x16.ne(v128.load(candidate + length), v128.load(at + length)),
    );
    if (differ) {
      length += <usize>ctz(differ);
      break;
    }
    length += 16;
  }
  return at + length > end ? end - at : length;
}

// @ts-ignore: decorator
@inline
function writeLiteral(out: usize, start: usize, end: usize): usize {
  const count = end - start;
  if (count == 0) return out;
  const tag = <u32>count - 1;
  if (tag < 60) store<u8>(out++, <u8>(tag << 2));
  else if (tag < 256) {
    store<u16>(out, <u16>((60 << 2) | (tag << 8)));
    out += 2;
  } else {
    store<u8>(out, 61 << 2);
    store<u16>(out + 1, <u16>tag);
    out += 3;
  }
  for (let at: usize = 0; at < count; at += 16) v128.store(out + at, v128.load(start + at));
  return out + count;
}

// @ts-ignore: decorator
@inline
function writeCopy(out: usize, offset: u32, length: usize): usize {
  let rest = <u32>length;
  while (rest > 0) {
    // 60, not 64, where what is left would be too short for a copy.
    const count: u32 = rest <= 64 ? rest : rest < 68 ? 60 : 64;
    if (count >= 4 && count <= 11 && offset < 2048) {
      store<u8>(out, <u8>(((offset >> 8) << 5) | ((count - 4) << 2) | 1));
      store<u8>(out + 1, <u8>offset);
      out += 2;
    } else {
      store<u8>(out, <u8>(((count - 1) << 2) | 2));
      store<u16>(out + 1, <u16>offset);
      out += 3;
    }
    rest -= count;
  }
  return out;
}
