const hexDigits: usize = memory.data<u8>([
  0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
]);

// In memory: a vector of equal bytes costs an engine more to make than to load.
export const quotes: usize = memory.data<u64>([0x2222222222222222, 0x2222222222222222], 16);
export const backslashes: usize = memory.data<u64>([0x5c5c5c5c5c5c5c5c, 0x5c5c5c5c5c5c5c5c], 16);
const lastControls: usize = memory.data<u64>([0x1f1f1f1f1f1f1f1f, 0x1f1f1f1f1f1f1f1f], 16);

/** As `writeEscaped`, for texts that are mostly short and have nothing to escape but perhaps a
 *  quote at either end. Needs 64 bytes of room more than what it writes, and 64 to read behind. */
// @ts-ignore: decorator
@inline
export function writeText(target: usize, at: usize, end: usize): usize {
  const first = v128.load(at);
  const second = v128.load(at, 16);
  v128.store(target, first);
  v128.store(target, second, 16);
  const length = end - at;
  const found = <u64>(specials(first) | (specials(second) << 16));
  if (length <= 32 && !(found & (((<u64>1) << <u64>length) - 1))) return target + length;
  return writeEscaped(target, at, end);
}

/** Writes [at, end) as the inside of a JSON string, as `ByteWriter.escaped` does. Needs six bytes
 *  of room per byte and 64 more; reads up to 63 bytes behind the end. Returns the end of what it
 *  wrote. */
export function writeEscaped(target: usize, at: usize, end: usize): usize {
  if (at >= end) return target;
  // Quoted texts keep their quotes.
  if (load<u8>(at) == 0x22) {
    store<u16>(target, 0x225c);
    target += 2;
    at++;
  }
  while (true) {
    const left = end - at;
    let found = copyWindow(target, at);
    if (left < 64) found &= ((<u64>1) << <u64>left) - 1;
    if (!found) {
      if (left <= 64) return target + left;
      target += 64;
      at += 64;
      continue;
    }
    const plain = <usize>ctz(found);
    target += plain;
    at += plain;
    const byte = <u32>load<u8>(at++);
    if (byte == 0x22 || byte == 0x5c) {
      store<u16>(target, <u16>(0x5c | (byte << 8)));
      target += 2;
    } else target = writeControl(target, byte);
    if (at >= end) return target;
  }
}

/** Copies 64 bytes and returns a bit for each that needs escaping. */
// @ts-ignore: decorator
@inline
function copyWindow(target: usize, at: usize): u64 {
  const first = v128.load(at);
  const second = v128.load(at, 16);
  const third = v128.load(at, 32);
  const fourth = v128.load(at, 48);
  v128.store(target, first);
  v128.store(target, second, 16);
  v128.store(target, third, 32);
  v128.store(target, fourth, 48);
  const low = specials(first) | (specials(second) << 16);
  const high = specials(third) | (specials(fourth) << 16);
  return <u64>low | (<u64>high << 32);
}

/** A bit for each byte that a JSON string cannot hold as it is. */
// @ts-ignore: decorator
@inline
export function specials(bytes: v128): u32 {
  const controls = i8x16.eq(i8x16.min_u(bytes, v128.load(lastControls)), bytes);
  const quoted = i8x16.eq(bytes, v128.load(quotes));
  const escaping = i8x16.eq(bytes, v128.load(backslashes));
  return <u32>i8x16.bitmask(v128.or(controls, v128.or(quoted, escaping)));
}

function writeControl(target: usize, byte: u32): usize {
  let short: u32 = 0;
  switch (byte) {
    case 0x0a:
      short = 0x6e;
      break;
    case 0x0d:
      short = 0x72;
      break;
    case 0x09:
      short = 0x74;
      break;
    case 0x08:
      short = 0x62;
      break;
    case 0x0c:
      short = 0x66;
      break;
  }
  if (short) {
    store<u16>(target, <u16>(0x5c | (short << 8)));
    return target + 2;
  }
  store<u32>(target, 0x3030755c);
  store<u8>(target + 4, load<u8>(hexDigits + (byte >> 4)));
  store<u8>(target + 5, load<u8>(hexDigits + (byte & 15)));
  return target + 6;
}
