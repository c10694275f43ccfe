/** Walks over JSON that was validated before: no error paths. `end` is the position behind the
 *  object, for text that breaks the promise: nothing is read far behind it. */

// @ts-ignore: decorator
@inline
export function skipString(at: usize, end: usize): usize {
  // `at` is the opening quote.
  at++;
  const quote = i8x16.splat(0x22);
  const backslash = i8x16.splat(0x5c);
  while (at < end) {
    const bytes = v128.load(at);
    const found = i8x16.bitmask(v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, backslash)));
    if (!found) {
      at += 16;
      continue;
    }
    at += ctz(found);
    if (load<u8>(at) == 0x22) return at + 1;
    at += 2;
  }
  return end;
}

/** Position behind the object or array that opens at `at`. */
export function skipContainer(at: usize, end: usize): usize {
  const quote = i8x16.splat(0x22);
  // `[` and `{`, `]` and `}` differ by one bit.
  const bit = i8x16.splat(0x20);
  const open = i8x16.splat(0x7b);
  const close = i8x16.splat(0x7d);
  let depth: i32 = 0;
  while (at < end) {
    const bytes = v128.load(at);
    const folded = v128.or(bytes, bit);
    const special = v128.or(
      i8x16.eq(bytes, quote),
      v128.or(i8x16.eq(folded, open), i8x16.eq(folded, close)),
    );
    let found = i8x16.bitmask(special);
    if (!found) {
      at += 16;
      continue;
    }
    at += ctz(found);
    const byte = load<u8>(at);
    if (byte == 0x22) {
      at = skipString(at, end);
      continue;
    }
    at++;
    if ((byte | 0x20) == 0x7b) depth++;
    else if (--depth == 0) return at;
  }
  return end;
}

/** Position behind the value at `at`. */
// @ts-ignore: decorator
@inline
export function skipValue(at: usize, end: usize): usize {
  const first = load<u8>(at);
  if (first == 0x22) return skipString(at, end);
  if (first == 0x7b || first == 0x5b) return skipContainer(at, end);
  while (at < end) {
    const byte = load<u8>(at);
    if (byte == 0x2c || byte == 0x7d || byte <= 0x20) return at;
    at++;
  }
  return end;
}
