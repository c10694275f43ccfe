import { maskBit, maskNumber } from './bytes';

/** The top-level members of a validated object, found once and kept beside the batch so that
 *  nobody walks over the object again.
 *
 *      count u32 | shape u32 | mask u64 | members, 16 bytes each
 *
 *  `mask` has the bit of each key (see `maskBit`). Objects with an escaped key have no list: all
 *  keys in one are plain. A member is the position of the key's opening quote, the key's length
 *  with its `maskNumber` above it, and the value's span. Objects of one `shape` have the same keys
 *  in the same order; 0 says nothing. */

export const listHeader: usize = 16;
export const memberBytes: usize = 16;
const lengthBits: u32 = 24;

let open: usize = 0;
let next: usize = 0;
let limit: usize = 0;
let mask: u64 = 0;

/** Begins a list at `room`; none is written when that is 0. */
// @ts-ignore: decorator
@inline
export function startList(room: usize, roomEnd: usize): void {
  open = room;
  next = room + listHeader;
  limit = roomEnd;
  mask = 0;
}

// @ts-ignore: decorator
@inline
export function startMember(keyStart: usize, keyEnd: usize, value: usize, isEscaped: bool): void {
  if (!open) return;
  if (isEscaped || next + memberBytes > limit) {
    open = 0;
    return;
  }
  const length = keyEnd - keyStart - 2;
  const first = <u32>load<u8>(keyStart + 1);
  mask |= maskBit(first, length);
  store<u32>(next, <u32>keyStart);
  store<u32>(next, <u32>length | (maskNumber(first, length) << lengthBits), 4);
  store<u32>(next, <u32>value, 8);
}

// @ts-ignore: decorator
@inline
export function endMember(valueEnd: usize): void {
  if (!open) return;
  store<u32>(next, <u32>valueEnd, 12);
  next += memberBytes;
}

/** Position behind the list, or 0 when it could not be written. */
// @ts-ignore: decorator
@inline
export function endList(): usize {
  if (!open) return 0;
  store<u32>(open, <u32>((next - open - listHeader) / memberBytes));
  store<u32>(open, 0, 4);
  store<u64>(open, mask, 8);
  return next;
}

// @ts-ignore: decorator
@inline
export function listShape(list: usize): u32 {
  return load<u32>(list, 4);
}

// @ts-ignore: decorator
@inline
export function listMask(list: usize): u64 {
  return load<u64>(list, 8);
}

// @ts-ignore: decorator
@inline
export function listEnd(list: usize): usize {
  return list + listHeader + <usize>load<u32>(list) * memberBytes;
}

// @ts-ignore: decorator
@inline
export function memberMask(member: usize): u64 {
  return (<u64>1) << <u64>(load<u32>(member, 4) >> lengthBits);
}

// @ts-ignore: decorator
@inline
export function keyLength(member: usize): usize {
  return <usize>(load<u32>(member, 4) & ((1 << lengthBits) - 1));
}
