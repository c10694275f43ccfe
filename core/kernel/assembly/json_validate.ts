import { digitCount, isDigit, skipSpace } from './bytes';
import { specials } from './escape';
import { listByShape, rememberShape } from './json_shapes';
import {
  forgetEscape,
  sawEscape,
  skipLongString,
  skipName,
  skipStrictNumber,
} from './json_values';
import { endList, endMember, startList, startMember } from './member_list';

// As `nestingDepthMax` of core/batch/json_bytes.ts.
const depthMax: i32 = 512;

// One byte per open container: 1 object, 0 array.
const containers: usize = memory.data(520);

// What may come next.
const keyOrClose: i32 = 0;
const key: i32 = 1;
const valueOrClose: i32 = 2;
const value: i32 = 3;

/** Fills `valid` for the selected spans: 1 when a span is one JSON object by RFC 8259 with
 *  nothing but white space around it, else 0.
 *
 *  Unless `lists` is 0, it gets the address of each object's member list (see member_list.ts), or
 *  0 where there is none. They are written to [room, roomEnd); returns where the next ones may
 *  begin. */
export function validateObjects(
  count: i32,
  starts: usize,
  ends: usize,
  select: usize,
  valid: usize,
  lists: usize,
  room: usize,
  roomEnd: usize,
): usize {
  for (let i: usize = 0; i < <usize>count; i++) {
    if (!load<u8>(select + i)) continue;
    const start = <usize>load<u32>(starts + (i << 2));
    const end = <usize>load<u32>(ends + (i << 2));
    let listEnd = lists ? listByShape(start, end, room, roomEnd) : 0;
    if (listEnd) store<u8>(valid + i, 1);
    else {
      startList(lists ? room : 0, roomEnd);
      const isValid = isObject(start, end);
      store<u8>(valid + i, isValid ? 1 : 0);
      if (!lists) continue;
      listEnd = isValid ? endList() : 0;
      if (listEnd) rememberShape(start, end, room);
    }
    store<u32>(lists + (i << 2), listEnd ? <u32>room : 0);
    if (listEnd) room = listEnd;
  }
  return room;
}

function isObject(at: usize, end: usize): bool {
  at = skipSpace(at, end);
  if (at >= end || load<u8>(at) != 0x7b) return false;
  at++;
  let depth: i32 = 1;
  let inObject: u8 = 1;
  store<u8>(containers + 1, 1);
  let expected = keyOrClose;
  while (true) {
    at = skipSpace(at, end);
    if (at >= end) return false;
    let byte = <u32>load<u8>(at);
    let closes = false;
    if (expected <= key) {
      if (byte == 0x22) at = skipPlainMembers(at, end, depth == 1);
      if (byte == 0x22) {
        const keyStart = at;
        forgetEscape();
        at = skipStrictString(at + 1, end);
        if (!at) return false;
        const keyEnd = at;
        at = skipSpace(at, end);
        if (at >= end || load<u8>(at) != 0x3a) return false;
        at = skipSpace(at + 1, end);
        if (at >= end) return false;
        if (depth == 1) startMember(keyStart, keyEnd, at, sawEscape);
        byte = load<u8>(at);
      } else if (byte == 0x7d && expected == keyOrClose) closes = true;
      else return false;
    } else if (byte == 0x5d && expected == valueOrClose) closes = true;
    if (!closes) {
      if (byte == 0x22) at = skipStrictString(at + 1, end);
      else if (byte == 0x7b || byte == 0x5b) {
        if (++depth > depthMax) return false;
        inObject = byte == 0x7b ? 1 : 0;
        store<u8>(containers + depth, inObject);
        expected = inObject ? keyOrClose : valueOrClose;
        at++;
        continue;
      } else if (byte == 0x2d || isDigit(byte)) at = skipStrictNumber(at, end);
      else at = skipName(at, end, byte);
      if (!at) return false;
    } else {
      at++;
      if (--depth == 0) return skipSpace(at, end) >= end;
      inObject = load<u8>(containers + depth);
    }
    // Behind a value: a comma, or the ends of containers.
    if (depth == 1) endMember(at);
    while (true) {
      if (at >= end) return false;
      byte = load<u8>(at);
      if (byte == 0x2c) {
        at++;
        expected = inObject ? key : value;
        break;
      }
      if (byte == (inObject ? <u32>0x7d : <u32>0x5d)) {
        at++;
        if (--depth == 0) return skipSpace(at, end) >= end;
        if (depth == 1) endMember(at);
        inObject = load<u8>(containers + depth);
        continue;
      }
      const behind = skipSpace(at, end);
      if (behind == at) return false;
      at = behind;
    }
  }
}

/** Position behind a string whose first character stands at `at`; 0 when it is not valid. */
// @ts-ignore: decorator
@inline
function skipStrictString(at: usize, end: usize): usize {
  // Most strings end within 32 bytes, without an escape.
  const found = specials(v128.load(at)) | (specials(v128.load(at, 16)) << 16);
  // With nothing found this is the byte behind the 32, which may be the quote as well.
  const stop = at + <usize>ctz(found);
  return stop < end && load<u8>(stop) == 0x22 ? stop + 1 : skipLongString(at, end);
}

/** Skips members as most writers write them: a short key without escapes, no white space, a short
 *  string without escapes, a number or a name, and another member behind the comma. Takes the
 *  position of a key's opening quote and returns that of the first member that is not like this. */
function skipPlainMembers(at: usize, end: usize, isTop: bool): usize {
  while (true) {
    const keyEnd = at + 1 + <usize>ctz(specials(v128.load(at, 1)) | 0x10000);
    // A quote and a colon.
    if (load<u16>(keyEnd) != 0x3a22) return at;
    const value = keyEnd + 2;
    const first = <u32>load<u8>(value);
    let next: usize;
    if (first == 0x22) {
      const found = specials(v128.load(value, 1)) | (specials(v128.load(value, 17)) << 16);
      next = value + 1 + <usize>ctz(found);
      if (!found || load<u8>(next) != 0x22) return at;
      next++;
    } else if (isDigit(first)) {
      next = value + digitCount(value);
      if (first == 0x30 && next - value > 1) return at;
      if (load<u8>(next) == 0x2e) {
        const fraction = digitCount(next + 1);
        if (!fraction) return at;
        next += fraction + 1;
      }
    } else if (first == 0x74 || first == 0x66 || first == 0x6e) {
      next = skipName(value, end, first);
      if (!next) return at;
    } else return at;
    // A comma and a quote, which ends a number of more digits than were counted, too.
    if (next + 1 >= end || load<u16>(next) != 0x222c) return at;
    if (isTop) {
      startMember(at, keyEnd + 1, value, false);
      endMember(next);
    }
    at = next + 1;
  }
}
