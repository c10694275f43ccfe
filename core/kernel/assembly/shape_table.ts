import { isSpace } from './bytes';
import { skipString } from './json_walk';
import { listEnd, listHeader, memberBytes } from './member_list';

/** The shapes of objects that are remembered: their bytes between values, cut into segments. A
 *  segment ends where a value stands, and at least one begins with every member of the top. */
@unmanaged
export class Segment {
  text: usize;
  length: usize;
  /** The bytes of the first 16 that count. */
  mask: i32;
  /** What stands behind the text. */
  value: i32;
  /** How far behind the segment's start the member before it ends; then how far the list goes on. */
  memberEnd: usize;
  memberStep: usize;
  /** Where a key and its value begin. Without a key, `restStep` leads past the open member. */
  restStep: usize;
  keyStart: usize;
  keyWord: u32;
  valueStart: usize;
}

@unmanaged
export class Shape {
  /** Another for each shape that ever was; below it the number of its place. 0: none. */
  id: u32;
  memberCount: u32;
  keyMask: u64;
  listBytes: usize;
  segments: usize;
}

/** A text begins behind the segment, which has its quote. */
export const textValue: i32 = 0;
/** A number, `true`, `false` or `null`. */
export const plainValue: i32 = 1;
/** None: the next segment. */
export const noValue: i32 = 2;
/** None: the object's end. */
export const lastValue: i32 = 3;

export const shapesMost: i32 = 4;
export const segmentBytes: usize = 40;
const shapeBytes: usize = 24;
const segmentsMost: usize = 64;
const textBytes: usize = 2048;

const shapes: usize = memory.data(4 * 24, 16);
const segments: usize = memory.data(4 * 64 * 40, 16);
const texts: usize = memory.data(4 * (2048 + 64), 16);

let lastId: u32 = 0;

// @ts-ignore: decorator
@inline
export function shapeAt(number: i32): Shape {
  return changetype<Shape>(shapes + <usize>number * shapeBytes);
}

// The segment under construction, and where the last one ends.
let segment: Segment = changetype<Segment>(0);
let segmentsEnd: usize = 0;
let text: usize = 0;
let textsEnd: usize = 0;
let hasKey: bool = false;
let isFirst: bool = true;

/** Remembers a valid object's shape in the place `number`; false when it is beyond the table. Its
 *  list then bears the shape's id. */
export function learn(number: i32, start: usize, end: usize, list: usize): bool {
  const shape = shapeAt(number);
  shape.id = 0;
  shape.segments = segments + <usize>number * segmentsMost * segmentBytes;
  segment = changetype<Segment>(shape.segments);
  segmentsEnd = shape.segments + segmentsMost * segmentBytes;
  text = texts + <usize>number * (textBytes + 64);
  textsEnd = text + textBytes;
  isFirst = true;
  if (!cut(start, end, list)) return false;
  shape.memberCount = load<u32>(list);
  shape.keyMask = load<u64>(list, 8);
  shape.listBytes = listEnd(list) - list;
  lastId += <u32>shapesMost;
  shape.id = lastId + <u32>number;
  store<u32>(list, shape.id, 4);
  return true;
}

function cut(start: usize, end: usize, list: usize): bool {
  const membersEnd = listEnd(list);
  let member = list + listHeader;
  begin();
  let from = start;
  let at = start;
  while (at < end) {
    if (member < membersEnd && at == <usize>load<u32>(member, 12)) {
      if (hasKey) {
        if (!close(from, at, noValue)) return false;
        from = at;
      }
      segment.memberEnd = at - from;
      member += memberBytes;
    }
    const isKey = member < membersEnd && at == <usize>load<u32>(member);
    if (isKey) {
      segment.memberStep = memberBytes;
      segment.restStep = 0;
      segment.keyStart = at - from;
      segment.keyWord = load<u32>(member, 4);
      segment.valueStart = <usize>load<u32>(member, 8) - from;
      hasKey = true;
    }
    const byte = <u32>load<u8>(at);
    if (byte == 0x22) {
      const behind = skipString(at, end);
      if (isKey || isKeyEnd(behind, end)) {
        at = behind;
        continue;
      }
      if (!close(from, at + 1, textValue)) return false;
      from = behind - 1;
      at = behind;
    } else if (isStructure(byte)) at++;
    else {
      if (!close(from, at, plainValue)) return false;
      from = at = behindPlain(at, end);
    }
  }
  return close(from, end, lastValue);
}

/** Starts a segment in which no member ends or begins. */
function begin(): void {
  segment.memberEnd = 0;
  segment.memberStep = 0;
  segment.restStep = memberBytes;
  segment.keyStart = 0;
  segment.keyWord = 0;
  segment.valueStart = 0;
  hasKey = false;
}

/** Ends a segment of the bytes [from, at); false when there is no room for another. */
function close(from: usize, at: usize, value: i32): bool {
  const length = at - from;
  const next = changetype<usize>(segment) + segmentBytes;
  if (next + segmentBytes > segmentsEnd || text + length > textsEnd) return false;
  memory.copy(text, from, length);
  segment.text = text;
  segment.length = length;
  segment.mask = length >= 16 ? 0xffff : (1 << <i32>length) - 1;
  segment.value = value;
  text += (length + 15) & ~15;
  segment = changetype<Segment>(next);
  begin();
  return true;
}

// @ts-ignore: decorator
@inline
function isStructure(byte: u32): bool {
  const folded = byte | 0x20;
  return folded == 0x7b || folded == 0x7d || byte == 0x2c || byte == 0x3a || isSpace(byte);
}

/** Position behind a number or a name. */
function behindPlain(at: usize, end: usize): usize {
  while (at < end && !isStructure(load<u8>(at))) at++;
  return at;
}

function isKeyEnd(at: usize, end: usize): bool {
  while (at < end && isSpace(load<u8>(at))) at++;
  return at < end && load<u8>(at) == 0x3a;
}
