import { isDigit } from './bytes';
import { writeText } from './row_texts';
import { instantNanos, instantSeconds, readInstant } from './row_times';

/** Values of a row in ClickHouse's RowBinary. Each function returns the end of what it wrote, or 0
 *  for a value that is JavaScript's: one in a rarer spelling, or one that the type does not hold.
 *  Fixed sizes need 16 bytes of room. */

// As `cellForms` of core/kernel/row_cell.ts.
const textForm: i32 = 1;
const signedForm: i32 = 2;
const unsignedForm: i32 = 3;
const floatForm: i32 = 4;
const boolForm: i32 = 5;
const dateForm: i32 = 6;
const dateTimeForm: i32 = 7;
const dateTime64Form: i32 = 8;

// 1900-01-01 and the end of 2299.
const earliest: i64 = -2208988800;
const latest: i64 = 10413791999;
// Beyond it nanoseconds do not fit into 63 bits.
const latestOfNanos: i64 = 9223372035;

const powers: usize = memory.data<f64>(
  [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ],
  16,
);

/** Writes the span of a value: text, or a JSON token. `size` is the number of bytes, of a
 *  DateTime64 the digits behind the second. */
// @ts-ignore: decorator
@inline
export function writeCell(
  form: i32,
  size: i32,
  isUtc: bool,
  out: usize,
  at: usize,
  end: usize,
  isText: bool,
): usize {
  let isQuoted = isText;
  if (!isText && at < end && load<u8>(at) == 0x22) {
    isQuoted = true;
    at++;
    end--;
    if (form == textForm) return writeText(out, at, end, true);
  }
  switch (form) {
    case textForm:
      return writeText(out, at, end, false);
    case signedForm:
    case unsignedForm:
      return writeWhole(out, at, end, size, form == signedForm, isQuoted);
    case floatForm:
      return writeFloat(out, at, end, size);
    case boolForm:
      return writeBool(out, at, end);
    case dateForm:
      if (!isQuoted) return 0;
  }
  if (!readInstant(at, end, isQuoted, isUtc)) return 0;
  return writeInstant(form, size, out, instantSeconds, instantNanos);
}

/** Bytes of a type's default, which are zeros. */
export function defaultBytes(form: i32, size: i32): usize {
  if (form == textForm || form == boolForm) return 1;
  return form == dateTime64Form ? 8 : form == dateTimeForm ? 4 : <usize>size;
}

/** Writes a time; 0 for types that are none. */
export function writeInstant(form: i32, size: i32, out: usize, seconds: i64, nanos: u32): usize {
  if (form == dateTime64Form) {
    if (seconds < earliest || seconds > latest) return 0;
    if (size == 9 && seconds > latestOfNanos) return 0;
    const perSecond = <i64>load<f64>(powers + (<usize>size << 3));
    const perTick = <u32>load<f64>(powers + (<usize>(9 - size) << 3));
    store<i64>(out, seconds * perSecond + <i64>(nanos / perTick));
    return out + 8;
  }
  if (form == dateTimeForm) {
    if (<u64>seconds > 0xffffffff) return 0;
    store<u32>(out, <u32>seconds);
    return out + 4;
  }
  if (form != dateForm) return 0;
  const days = (seconds - (((seconds % 86400) + 86400) % 86400)) / 86400;
  if (size == 2) {
    if (<u64>days > 0xffff) return 0;
    store<u16>(out, <u16>days);
    return out + 2;
  }
  if (seconds < earliest || seconds > latest) return 0;
  store<i32>(out, <i32>days);
  return out + 4;
}

function writeWhole(
  out: usize,
  at: usize,
  end: usize,
  size: i32,
  isSigned: bool,
  isQuoted: bool,
): usize {
  const isNegative = at < end && load<u8>(at) == 0x2d;
  if (isNegative) at++;
  const count = end - at;
  // 19 digits always fit.
  if (count - 1 > 18) return 0;
  let value: u64 = 0;
  for (; at < end; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) {
      if (isQuoted || isNegative) return 0;
      const word = wordAt(end - count, end);
      if (word < 0) return 0;
      value = <u64>word;
      break;
    }
    value = value * 10 + digit;
  }
  const bits = <u64>(size * 8 - (isSigned ? 1 : 0));
  if (bits < 64 && value >> bits) {
    if (!isNegative || !isSigned || value != (<u64>1) << bits) return 0;
  }
  if (isNegative) {
    if (!isSigned && value) return 0;
    value = 0 - value;
  }
  store<u64>(out, value);
  return out + size;
}

/** 1 for `true`, 0 for `false`, -1 for anything else. */
function wordAt(at: usize, end: usize): i32 {
  if (end - at == 4 && load<u32>(at) == 0x65757274) return 1;
  if (end - at == 5 && load<u32>(at) == 0x736c6166 && load<u8>(at, 4) == 0x65) return 0;
  return -1;
}

function writeBool(out: usize, at: usize, end: usize): usize {
  let value = wordAt(at, end);
  if (value < 0 && end - at == 1) {
    const digit = <i32>load<u8>(at) - 0x30;
    if (<u32>digit <= 1) value = digit;
  }
  if (value < 0) return 0;
  store<u8>(out, <u8>value);
  return out + 1;
}

/** A number in JSON's grammar whose digits fit into 53 bits and whose power of ten is exact: one
 *  division or product then rounds as exactly as any reader. */
function writeFloat(out: usize, at: usize, end: usize, size: i32): usize {
  const isNegative = at < end && load<u8>(at) == 0x2d;
  if (isNegative) at++;
  let start = at;
  let digits: u64 = 0;
  let exponent: i32 = 0;
  while (at < end && isDigit(load<u8>(at))) digits = digits * 10 + load<u8>(at++) - 0x30;
  let count = at - start;
  if (count - 1 > 18) return 0;
  if (at < end && load<u8>(at) == 0x2e) {
    start = ++at;
    while (at < end && isDigit(load<u8>(at))) digits = digits * 10 + load<u8>(at++) - 0x30;
    count += at - start;
    if (at == start || count > 19) return 0;
    exponent = -(<i32>(at - start));
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    const sign = at < end ? load<u8>(at) : 0;
    if (sign == 0x2b || sign == 0x2d) at++;
    start = at;
    let power: i32 = 0;
    while (at < end && isDigit(load<u8>(at))) power = power * 10 + load<u8>(at++) - 0x30;
    if (at - start - 1 > 3) return 0;
    exponent += sign == 0x2d ? -power : power;
  }
  if (at != end || digits > 9007199254740992) return 0;
  if (exponent < -22 || exponent > 22) return 0;
  let value = <f64>digits;
  if (exponent < 0) value /= load<f64>(powers + (<usize>-exponent << 3));
  else value *= load<f64>(powers + (<usize>exponent << 3));
  if (isNegative) value = -value;
  if (size == 4) store<f32>(out, <f32>value);
  else store<f64>(out, value);
  return out + size;
}
