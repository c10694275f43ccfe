const hexDigits: usize = memory.data<u8>([
  0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
]);

/** Writes [at, end) as the inside of a JSON string, as `ByteWriter.escaped` does. Needs six bytes
 *  of room per byte and 16 more. Returns the end of what it wrote. */
export function writeEscaped(target: usize, at: usize, end: usize): usize {
  const quote = i8x16.splat(0x22);
  const backslash = i8x16.splat(0x5c);
  const space = i8x16.splat(0x20);
  while (at < end) {
    const bytes = v128.load(at);
    v128.store(target, bytes);
    const special = v128.or(
      i8x16.lt_u(bytes, space),
      v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, backslash)),
    );
    const found = i8x16.bitmask(special);
    const plain: usize = found ? <usize>ctz(found) : 16;
    if (plain >= end - at) return target + (end - at);
    target += plain;
    at += plain;
    if (found) target = writeEscape(target, load<u8>(at++));
  }
  return target;
}

function writeEscape(target: usize, byte: u32): usize {
  let short: u32 = 0;
  switch (byte) {
    case 0x22:
    case 0x5c:
      short = byte;
      break;
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
