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
