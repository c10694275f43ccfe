import { digitCount } from './bytes';
import { specials } from './escape';
import { skipLongString, skipName, skipStrictNumber } from './json_values';
import { listHeader, memberBytes } from './member_list';
import {
  lastValue,
  learn,
  plainValue,
  Segment,
  segmentBytes,
  Shape,
  shapeAt,
  shapesMost,
  textValue,
} from './shape_table';

/** Lines of one program are much alike: what stands between their values is the same. An object
 *  with the very bytes of a known shape between valid values is valid, and where its members
 *  stand follows from where its values end. */

/** The shape that fitted last. */
let recent: i32 = 0;
/** Objects without a known shape since the last that had one. */
let misses: i32 = 0;
/** So many of them, and only one in `rarely` is still looked at. */
const missesMost: i32 = 64;
const rarely: i32 = 16;

/** Writes the member list of an object with a known shape to `room` and returns the list's end; 0
 *  when the object has none, which says nothing about it. */
export function listByShape(start: usize, end: usize, room: usize, roomEnd: usize): usize {
  if (misses > missesMost && misses & (rarely - 1)) return 0;
  let listEnd = fit(shapeAt(recent), start, end, room, roomEnd);
  if (!listEnd) {
    for (let number = 0; number < shapesMost; number++) {
      if (number == recent) continue;
      listEnd = fit(shapeAt(number), start, end, room, roomEnd);
      if (!listEnd) continue;
      recent = number;
      break;
    }
  }
  if (listEnd) misses = 0;
  return listEnd;
}

/** Remembers the shape of a valid object without a known one, by its member list. */
export function rememberShape(start: usize, end: usize, list: usize): void {
  misses++;
  if (misses > missesMost && misses & (rarely - 1)) return;
  const oldest = (recent + 1 + (misses % (shapesMost - 1))) % shapesMost;
  if (learn(oldest, start, end, list)) recent = oldest;
}

function fit(shape: Shape, start: usize, end: usize, room: usize, roomEnd: usize): usize {
  if (!shape.id || room + shape.listBytes + memberBytes > roomEnd) return 0;
  // The member that stands open.
  let member = room + listHeader - memberBytes;
  let at = start;
  let segment = changetype<Segment>(shape.segments);
  while (true) {
    const text = segment.text;
    const length = segment.length;
    const differ = i8x16.bitmask(i8x16.ne(v128.load(text), v128.load(at)));
    if (differ & segment.mask) return 0;
    if (length > 16 && (length > end - at || !sameRest(text, at, length))) return 0;
    // Where no member ends or begins, this is written over.
    store<u32>(member, <u32>(at + segment.memberEnd), 12);
    member += segment.memberStep;
    const next = member + segment.restStep;
    store<u32>(next, <u32>(at + segment.keyStart));
    store<u32>(next, segment.keyWord, 4);
    store<u32>(next, <u32>(at + segment.valueStart), 8);
    at += length;
    const value = segment.value;
    if (value == textValue) at = textEnd(at, end);
    else if (value == plainValue) at = plainEnd(at, end);
    else if (value == lastValue) break;
    // 0, too, when there is no such value.
    if (at - start >= end - start) return 0;
    segment = changetype<Segment>(changetype<usize>(segment) + segmentBytes);
  }
  if (at != end) return 0;
  store<u32>(room, shape.memberCount);
  store<u32>(room, shape.id, 4);
  store<u64>(room, shape.keyMask, 8);
  return room + shape.listBytes;
}

/** Position of the quote behind a text whose first character stands at `at`; 0 when none does. */
// @ts-ignore: decorator
@inline
function textEnd(at: usize, end: usize): usize {
  const found = specials(v128.load(at)) | (specials(v128.load(at, 16)) << 16);
  // With nothing found this is the byte behind the 32, which may be the quote as well.
  const stop = at + <usize>ctz(found);
  if (load<u8>(stop) == 0x22) return stop;
  const behind = skipLongString(stop, end);
  return behind ? behind - 1 : 0;
}

/** Position behind a number or a name; 0 when none stands there. */
// @ts-ignore: decorator
@inline
function plainEnd(at: usize, end: usize): usize {
  const first = <u32>load<u8>(at);
  // A digit that is no zero.
  if (first - 0x31 < 9) {
    const stop = at + digitCount(at);
    const byte = load<u8>(stop);
    if (byte != 0x2e) {
      // Sixteen digits may go on, and an exponent may stand there.
      return byte == 0x2c || byte == 0x7d ? stop : skipStrictNumber(at, end);
    }
    const fraction = stop + 1 + digitCount(stop + 1);
    const behind = load<u8>(fraction);
    if (fraction > stop + 1 && (behind == 0x2c || behind == 0x7d)) return fraction;
    return skipStrictNumber(at, end);
  }
  if (first == 0x2d || first == 0x30) return skipStrictNumber(at, end);
  return skipName(at, end, first);
}

function sameRest(text: usize, at: usize, length: usize): bool {
  for (let done: usize = 16; done < length; done += 16) {
    const differ = i8x16.bitmask(i8x16.ne(v128.load(text + done), v128.load(at + done)));
    const rest = length - done;
    if (rest >= 16 ? differ : differ & ((1 << <i32>rest) - 1)) return false;
  }
  return true;
}
