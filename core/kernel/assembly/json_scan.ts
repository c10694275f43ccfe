import { maskBit, sameBytes, skipSpace } from './bytes';
import { skipValue } from './json_walk';
import {
  keyLength,
  listEnd,
  listHeader,
  listMask,
  listShape,
  memberBytes,
  memberMask,
} from './member_list';
import { addName, isNameAt, nextSuspect, startNames } from './names';

// A wanted key, 20 bytes: address and length of its bytes; addresses of its three result arrays.
const keyBytes: usize = 20;

/** Looks for the wanted keys at the top of each selected event's root and fills their arrays
 *  (position of the opening quote, value's start and end; -1 when absent). Events whose root is
 *  not in memory, that have an escaped key that matters, or one of the keys twice, get 1 in
 *  `slow`.
 *
 *  `mask` has a bit per wanted key (see `maskBit`), so that most members cost one test. `lists`
 *  has the address of each root's member list, or 0. */
export function scanObjects(
  count: i32,
  select: usize,
  rootStart: usize,
  rootEnd: usize,
  rootKind: usize,
  lists: usize,
  keys: usize,
  keyCount: i32,
  mask: u64,
  slow: usize,
): void {
  const keysEnd = keys + <usize>keyCount * keyBytes;
  placedShape = 0;
  startNames();
  for (let key = keys; key < keysEnd; key += keyBytes) {
    addName(<usize>load<u32>(key), <usize>load<u32>(key, 4));
  }
  for (let i: usize = 0; i < <usize>count; i++) {
    if (!load<u8>(select + i)) continue;
    const kind = load<u8>(rootKind + i);
    for (let key = keys; key < keysEnd; key += keyBytes) {
      store<i32>(<usize>load<u32>(key, 8) + (i << 2), -1);
      store<i32>(<usize>load<u32>(key, 12) + (i << 2), -1);
      store<i32>(<usize>load<u32>(key, 16) + (i << 2), -1);
    }
    let odd = kind == 2;
    const list = <usize>load<u32>(lists + (i << 2));
    if (kind == 1 && list) odd = !scanListed(list, keys, keysEnd, mask, i << 2);
    else if (kind == 1) {
      const start = <usize>load<u32>(rootStart + (i << 2));
      const end = <usize>load<u32>(rootEnd + (i << 2));
      odd = !scanObject(start, end, keys, keysEnd, mask, i << 2, keyCount);
    }
    store<u8>(slow + i, odd ? 1 : 0);
  }
}

// Where the wanted keys stand in the lists of one shape: the key's address and the member's offset
// in the list, 8 bytes each, for as many keys as there are in it.
const places: usize = memory.data(32 * 8, 16);
const placesMost: usize = 32;
let placesEnd: usize = 0;
let placedShape: u32 = 0;

/** As `scanList`, and by the places in the list before if the shape is the same. */
// @ts-ignore: decorator
@inline
function scanListed(list: usize, keys: usize, keysEnd: usize, mask: u64, slot: usize): bool {
  if (!(listMask(list) & mask)) return true;
  const shape = listShape(list);
  if (!shape || shape != placedShape) {
    if (!scanList(list, keys, keysEnd, mask, slot)) return false;
    if (shape) notePlaces(list, shape, keys, keysEnd, slot);
    return true;
  }
  for (let place = places; place < placesEnd; place += 8) {
    setResult(<usize>load<u32>(place), list + <usize>load<u32>(place, 4), slot);
  }
  return true;
}

function notePlaces(list: usize, shape: u32, keys: usize, keysEnd: usize, slot: usize): void {
  placedShape = 0;
  placesEnd = places;
  const end = listEnd(list);
  for (let key = keys; key < keysEnd; key += keyBytes) {
    const keyStart = load<u32>(<usize>load<u32>(key, 8) + slot);
    if (keyStart == 0xffffffff) continue;
    if (placesEnd == places + placesMost * 8) return;
    let member = list + listHeader;
    while (member < end && load<u32>(member) != keyStart) member += memberBytes;
    store<u32>(placesEnd, <u32>key);
    store<u32>(placesEnd, <u32>(member - list), 4);
    placesEnd += 8;
  }
  placedShape = shape;
}

// @ts-ignore: decorator
@inline
function setResult(key: usize, member: usize, slot: usize): void {
  store<u32>(<usize>load<u32>(key, 8) + slot, load<u32>(member));
  store<u32>(<usize>load<u32>(key, 12) + slot, load<u32>(member, 8));
  store<u32>(<usize>load<u32>(key, 16) + slot, load<u32>(member, 12));
}

/** As `scanObject`, by the object's member list. */
function scanList(list: usize, keys: usize, keysEnd: usize, mask: u64, slot: usize): bool {
  const end = listEnd(list);
  for (let member = list + listHeader; member < end; member += memberBytes) {
    if (!(memberMask(member) & mask)) continue;
    const length = keyLength(member);
    const keyStart = <usize>load<u32>(member);
    for (let key = keys; key < keysEnd; key += keyBytes) {
      if (load<u32>(key, 4) != <u32>length) continue;
      if (!sameBytes(<usize>load<u32>(key), keyStart + 1, length)) continue;
      if (load<i32>(<usize>load<u32>(key, 8) + slot) != -1) return false;
      setResult(key, member, slot);
      break;
    }
  }
  return true;
}

function scanObject(
  at: usize,
  end: usize,
  keys: usize,
  keysEnd: usize,
  mask: u64,
  slot: usize,
  missing: i32,
): bool {
  at = skipSpace(at, end) + 1;
  while (true) {
    at = skipSpace(at, end);
    if (at >= end || load<u8>(at) != 0x22) return true;
    const keyStart = at;
    at = skipKey(at, end);
    if (!at) return false;
    const length = at - keyStart - 2;
    at = skipSpace(at, end);
    at = skipSpace(at + 1, end);
    const valueStart = at;
    at = skipValue(at, end);
    if (mask & maskBit(load<u8>(keyStart + 1), length)) {
      for (let key = keys; key < keysEnd; key += keyBytes) {
        if (load<u32>(key, 4) != <u32>length) continue;
        if (!sameBytes(<usize>load<u32>(key), keyStart + 1, length)) continue;
        const place = <usize>load<u32>(key, 8) + slot;
        if (load<i32>(place) != -1) return false;
        store<u32>(place, <u32>keyStart);
        store<u32>(<usize>load<u32>(key, 12) + slot, <u32>valueStart);
        store<u32>(<usize>load<u32>(key, 16) + slot, <u32>at);
        if (--missing == 0 && !mayHaveKey(at, end, keys, keysEnd)) return true;
        break;
      }
    }
    at = skipSpace(at, end);
    if (at < end && load<u8>(at) == 0x2c) at++;
  }
}

/** False when none of the wanted keys can come again behind `at`. */
function mayHaveKey(at: usize, end: usize, keys: usize, keysEnd: usize): bool {
  for (at = nextSuspect(at, end); at; at = nextSuspect(at + 1, end)) {
    if (load<u8>(at) == 0x5c) return true;
    for (let key = keys; key < keysEnd; key += keyBytes) {
      if (isNameAt(<usize>load<u32>(key), <usize>load<u32>(key, 4), at + 1)) return true;
    }
  }
  return false;
}

/** Position behind a key, or 0 when the key has an escape. */
// @ts-ignore: decorator
@inline
export function skipKey(at: usize, end: usize): usize {
  at++;
  const quote = i8x16.splat(0x22);
  const backslash = i8x16.splat(0x5c);
  while (at < end) {
    const bytes = v128.load(at);
    const quotes = i8x16.bitmask(i8x16.eq(bytes, quote));
    const escapes = i8x16.bitmask(i8x16.eq(bytes, backslash));
    if (quotes) {
      const stop = ctz(quotes);
      if (escapes & ((1 << stop) - 1)) return 0;
      return at + stop + 1;
    }
    if (escapes) return 0;
    at += 16;
  }
  return end;
}
