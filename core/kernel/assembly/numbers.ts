const reversed: usize = memory.data(24);

/** Writes a whole number in decimal and returns its end. */
export function writeInteger(target: usize, value: u64): usize {
  let count: usize = 0;
  do {
    store<u8>(reversed + count, 0x30 + <u8>(value % 10));
    value /= 10;
    count++;
  } while (value);
  while (count) store<u8>(target++, load<u8>(reversed + --count));
  return target;
}

/** Writes the last `digits` decimal digits of a number, zeros in front. */
export function writeDigits(target: usize, value: u32, digits: i32): usize {
  for (let i = digits - 1; i >= 0; i--) {
    store<u8>(target + i, 0x30 + <u8>(value % 10));
    value /= 10;
  }
  return target + digits;
}

// What to add to a digit: a small letter, a number (ten of them), `-`, `_`, a capital.
const toBase64: usize = memory.data<u8>([
  0x47, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xef, 0x20, 0x41, 0, 0,
]);
const fiftyOnes: usize = memory.data<u64>([0x3333333333333333, 0], 16);
const twentySixes: usize = memory.data<u64>([0x1a1a1a1a1a1a1a1a, 0], 16);
const thirteens: usize = memory.data<u64>([0x0d0d0d0d0d0d0d0d, 0], 16);

/** Writes a number below 2^48 as eight digits of base64url. */
// @ts-ignore: decorator
@inline
export function writeOffset(target: usize, value: u64): usize {
  // Halves change places until each byte has its six bits, the highest first.
  value = (value >> 24) | ((value & 0xffffff) << 32);
  value = ((value >> 12) & 0x00000fff00000fff) | ((value & 0x00000fff00000fff) << 16);
  value = ((value >> 6) & 0x003f003f003f003f) | ((value & 0x003f003f003f003f) << 8);
  const digits = i64x2.splat(<i64>value);
  const capitals = v128.and(i8x16.lt_s(digits, v128.load(twentySixes)), v128.load(thirteens));
  const kinds = v128.or(i8x16.sub_sat_u(digits, v128.load(fiftyOnes)), capitals);
  const texts = i8x16.add(digits, i8x16.swizzle(v128.load(toBase64), kinds));
  store<i64>(target, i64x2.extract_lane(texts, 0));
  return target + 8;
}
