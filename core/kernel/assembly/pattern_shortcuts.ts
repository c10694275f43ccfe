import { isDigit, skipDigits } from './bytes';
import { backslashes, quotes } from './escape';
import { isWord } from './pattern_text';

/** Ends of well-known patterns on texts in their common form. Each gives the position behind
 *  what the pattern's first way of matching takes, or 0 when the text is of another form. They
 *  stand only for definitions that core/kernel/pattern_shortcuts.ts knows. */

// As `shortcutNumbers` of core/kernel/pattern_shortcuts.ts.
export function fastEnd(shortcut: i32, at: usize, start: usize, end: usize): usize {
  switch (shortcut) {
    case 0:
      return ipv4End(at, start, end);
    case 1:
      return httpDateEnd(at, start, end);
    case 2:
      return numberEnd(at, start, end);
    case 3:
      return quotedEnd(at, start, end);
    case 4:
      return isoEnd(at, start, end);
    case 5:
      return syslogDateEnd(at, start, end);
    default:
      return 0;
  }
}

/** True when a word ends or begins here whatever the byte before is. */
// @ts-ignore: decorator
@inline
function isFresh(at: usize, start: usize): bool {
  if (at == start) return true;
  const before = <u32>load<u8>(at - 1);
  return before < 0x80 && !isWord(before);
}

/** Four numbers up to 255 without needless zeros, with nothing behind that could go on. */
function ipv4End(at: usize, start: usize, end: usize): usize {
  if (!isFresh(at, start) || (at > start && (load<u8>(at - 1) == 0x2e || load<u8>(at - 1) == 0x3a)))
    return 0;
  const stop = ipv4EndApart(at);
  if (!stop || stop > end) return 0;
  if (stop == end) return stop;
  const behind = <u32>load<u8>(stop);
  // Digits, letters, `.`, `:`, `-`, `_`, `%` and what is beyond ASCII may belong to more.
  if (behind >= 0x80 || isWord(behind)) return 0;
  return behind == 0x2e || behind == 0x3a || behind == 0x2d || behind == 0x25 ? 0 : stop;
}

/** As `ipv4End` for a caller that looks itself at the text's end and what stands before and
 *  behind. */
// @ts-ignore: decorator
@inline
export function ipv4EndApart(at: usize): usize {
  const bytes = v128.load(at);
  const next = v128.load(at, 1);
  const last = v128.load(at, 2);
  const two = v128.load(twos);
  const five = v128.load(fives);
  const zero = v128.load(zeros);
  let dots = <u32>i8x16.bitmask(i8x16.eq(bytes, v128.load(points)));
  let digits = <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(bytes, zero), v128.load(tens)));
  // At most 15 bytes belong to an address, so that a bit is always left.
  const length = ctz(~(dots | digits) | 0x8000);
  const inside = (<u32>1 << length) - 1;
  dots &= inside;
  digits &= inside;
  // Where three digits, if that is what they are, say more than 255.
  const more = v128.or(i8x16.gt_s(next, five), v128.and(i8x16.eq(next, five), i8x16.gt_s(last, five)));
  const above = v128.or(i8x16.gt_s(bytes, two), v128.and(i8x16.eq(bytes, two), more));
  const starts = (dots << 1) | 1;
  const longer = starts & (digits >> 1);
  const longest = longer & (digits >> 2);
  const wrong =
    (starts & ~digits) |
    (longest & (digits >> 3)) |
    (longest & <u32>i8x16.bitmask(above)) |
    (longer & <u32>i8x16.bitmask(i8x16.eq(bytes, zero)));
  return popcnt(dots) == 3 && !wrong ? at + length : 0;
}

const points: usize = memory.data<u64>([0x2e2e2e2e2e2e2e2e, 0x2e2e2e2e2e2e2e2e], 16);
const zeros: usize = memory.data<u64>([0x3030303030303030, 0x3030303030303030], 16);
const twos: usize = memory.data<u64>([0x3232323232323232, 0x3232323232323232], 16);
const fives: usize = memory.data<u64>([0x3535353535353535, 0x3535353535353535], 16);
const tens: usize = memory.data<u64>([0x0a0a0a0a0a0a0a0a, 0x0a0a0a0a0a0a0a0a], 16);

// @ts-ignore: decorator
@inline
function twoDigits(at: usize): u32 {
  const tens = <u32>load<u8>(at) - 0x30;
  const ones = <u32>load<u8>(at + 1) - 0x30;
  return tens < 10 && ones < 10 ? tens * 10 + ones : 1000;
}

/** `Jan` to `Dec`. */
function isMonth(at: usize): bool {
  switch (load<u32>(at) & 0xffffff) {
    case 0x6e614a:
    case 0x626546:
    case 0x72614d:
    case 0x727041:
    case 0x79614d:
    case 0x6e754a:
    case 0x6c754a:
    case 0x677541:
    case 0x706553:
    case 0x74634f:
    case 0x766f4e:
    case 0x636544:
      return true;
    default:
      return false;
  }
}

// The last date that was found good: most lines of a file share theirs.
const lastDate: usize = memory.data(32);

/** `10/Oct/2026:13:55:36 +0000` */
export function httpDateEnd(at: usize, start: usize, end: usize): usize {
  if (end - at < 26 || !isFresh(at, start)) return 0;
  const stop = at + 26;
  if (stop < end && !isFresh(stop + 1, start)) return 0;
  if (
    v128.any_true(v128.xor(v128.load(at), v128.load(lastDate))) ||
    v128.any_true(v128.xor(v128.load(at + 10), v128.load(lastDate + 10)))
  ) {
    const day = twoDigits(at);
    const hour = twoDigits(at + 12);
    const sign = load<u8>(at + 21);
    if (
      day < 1 || day > 31 || load<u8>(at + 2) != 0x2f || !isMonth(at + 3) ||
      load<u8>(at + 6) != 0x2f || twoDigits(at + 7) > 99 || twoDigits(at + 9) > 99 ||
      load<u8>(at + 11) != 0x3a || hour > 23 || load<u8>(at + 14) != 0x3a ||
      twoDigits(at + 15) > 59 || load<u8>(at + 17) != 0x3a || twoDigits(at + 18) > 59 ||
      load<u8>(at + 20) != 0x20 || (sign != 0x2b && sign != 0x2d) ||
      twoDigits(at + 22) > 99 || twoDigits(at + 24) > 99
    ) return 0;
    v128.store(lastDate, v128.load(at));
    v128.store(lastDate + 10, v128.load(at + 10));
  }
  return stop;
}

/** Digits, perhaps a point and digits, with no sign, digit or point before. */
function numberEnd(at: usize, start: usize, end: usize): usize {
  if (at > start) {
    const before = <u32>load<u8>(at - 1);
    if (before >= 0x80 || isWord(before)) return 0;
    if (before == 0x2b || before == 0x2d || before == 0x2e) return 0;
  }
  return numberEndApart(at, end);
}

/** As `numberEnd` for a caller that looks itself at what stands before. */
// @ts-ignore: decorator
@inline
export function numberEndApart(at: usize, end: usize): usize {
  // Without a branch on how many digits there are, which cannot be foretold.
  const digits = i8x16.bitmask(
    i8x16.lt_u(i8x16.sub(v128.load(at), v128.load(zeros)), v128.load(tens)),
  );
  let stop = at + ctz(~digits);
  if (stop > end) stop = end;
  if (stop - at == 16) stop = skipDigits(stop, end);
  if (stop == at) return 0;
  if (stop < end && load<u8>(stop) == 0x2e) {
    const fraction = skipDigits(stop + 1, end);
    if (fraction == stop + 1) return 0;
    stop = fraction;
  }
  return stop;
}

/** A bit for each of 32 bytes that is a double quote or a backslash. */
// @ts-ignore: decorator
@inline
function quotesIn(at: usize): u64 {
  const quote = v128.load(quotes);
  const backslash = v128.load(backslashes);
  const first = v128.load(at);
  const second = v128.load(at, 16);
  const low = i8x16.bitmask(v128.or(i8x16.eq(first, quote), i8x16.eq(first, backslash)));
  const high = i8x16.bitmask(v128.or(i8x16.eq(second, quote), i8x16.eq(second, backslash)));
  return <u64>(<u32>low | (<u32>high << 16));
}

/** A text in double quotes, with escapes, in one line. */
export function quotedEnd(at: usize, start: usize, end: usize): usize {
  if (at >= end || load<u8>(at) != 0x22) return 0;
  if (at > start && load<u8>(at - 1) == 0x5c) return 0;
  let seek = at + 1;
  while (seek < end) {
    const found = quotesIn(seek) | (quotesIn(seek + 32) << 32);
    if (!found) {
      seek += 64;
      continue;
    }
    seek += <usize>ctz(found);
    if (seek >= end) return 0;
    if (load<u8>(seek) == 0x22) return seek + 1;
    if (seek + 1 >= end || load<u8>(seek + 1) == 0x0a || load<u8>(seek + 1) >= 0x80) return 0;
    seek += 2;
  }
  return 0;
}

/** `2026-10-10T13:55:36`, then perhaps a fraction and a zone. */
function isoEnd(at: usize, start: usize, end: usize): usize {
  if (end - at < 19 || !isFresh(at, start)) return 0;
  const month = twoDigits(at + 5);
  const day = twoDigits(at + 8);
  const middle = load<u8>(at + 10);
  if (
    twoDigits(at) > 99 || twoDigits(at + 2) > 99 || load<u8>(at + 4) != 0x2d || month < 1 ||
    month > 12 || load<u8>(at + 7) != 0x2d || day < 1 || day > 31 ||
    (middle != 0x54 && middle != 0x20) || twoDigits(at + 11) > 23 || load<u8>(at + 13) != 0x3a ||
    twoDigits(at + 14) > 59 || load<u8>(at + 16) != 0x3a || twoDigits(at + 17) > 59
  ) return 0;
  let stop = at + 19;
  if (stop < end && (load<u8>(stop) == 0x2e || load<u8>(stop) == 0x2c)) {
    const fraction = skipDigits(stop + 1, end);
    if (fraction == stop + 1) return 0;
    stop = fraction;
  } else if (stop < end && load<u8>(stop) == 0x3a) return 0;
  if (stop < end && load<u8>(stop) == 0x5a) stop++;
  else if (stop < end && (load<u8>(stop) == 0x2b || load<u8>(stop) == 0x2d)) {
    if (end - stop < 5 || twoDigits(stop + 1) > 23) return 0;
    const minutes = load<u8>(stop + 3) == 0x3a ? stop + 4 : stop + 3;
    if (end - minutes < 2 || twoDigits(minutes) > 59) return 0;
    stop = minutes + 2;
  }
  if (stop == end) return stop;
  const behind = <u32>load<u8>(stop);
  if (behind >= 0x80 || isWord(behind)) return 0;
  return behind == 0x2e || behind == 0x2c || behind == 0x3a ? 0 : stop;
}

/** `Oct 10 13:55:36` or `Oct  1 13:55:36` */
function syslogDateEnd(at: usize, start: usize, end: usize): usize {
  if (end - at < 15 || !isFresh(at, start) || !isMonth(at) || load<u8>(at + 3) != 0x20) return 0;
  const tens = load<u8>(at + 4);
  const day = tens == 0x20 ? <u32>load<u8>(at + 5) - 0x30 : twoDigits(at + 4);
  if (
    day < 1 || day > 31 || load<u8>(at + 6) != 0x20 || twoDigits(at + 7) > 23 ||
    load<u8>(at + 9) != 0x3a || twoDigits(at + 10) > 59 || load<u8>(at + 12) != 0x3a ||
    twoDigits(at + 13) > 59
  ) return 0;
  const stop = at + 15;
  if (stop == end) return stop;
  const behind = <u32>load<u8>(stop);
  if (behind >= 0x80 || isWord(behind)) return 0;
  return behind == 0x2e || behind == 0x2c || behind == 0x3a ? 0 : stop;
}
