import { copy, countLineEnds, isSpace, maskBit, sameBytes, skipSpace } from './bytes';
import { writeText } from './escape';
import { skipKey } from './json_scan';
import { skipValue } from './json_walk';
import { keyLength, listEnd, listHeader, listMask, memberBytes, memberMask } from './member_list';
import { addName, isNameAt, nextSuspect, startNames } from './names';
import { writeInteger, writeOffset } from './numbers';
import { writeTime } from './time';

/** What the TypeScript side (`encode_frame.ts`) puts into memory before a call. */
@unmanaged
class Frame {
  select: usize;
  rootStart: usize;
  rootEnd: usize;
  rootKind: usize;
  seconds: usize;
  nanos: usize;
  offset: usize;
  part: usize;
  columns: usize;
  columnCount: i32;
  before: usize;
  beforeBytes: usize;
  afterId: usize;
  afterIdBytes: usize;
  after: usize;
  afterBytes: usize;
  /** 22 characters that begin every event's id, or 0 when no id is written. */
  idPrefix: usize;
  added: usize;
  addedCount: i32;
  timeForm: i32;
  timeDigits: i32;
  /** Result arrays: index and end position of each record. */
  events: usize;
  ends: usize;
  /** Spans of a text per event that stands in place of `before`, or 0. */
  beforeStarts: usize;
  beforeEnds: usize;
  /** Address of each root's member list, or 0. */
  lists: usize;
  /** Line ends in the constant bytes of a record. */
  constantLines: i32;
}

@unmanaged
class Column {
  start: usize;
  end: usize;
  kind: usize;
  key: usize;
  keyBytes: usize;
  prefix: usize;
  prefixBytes: usize;
}

@unmanaged
class Added {
  key: usize;
  keyBytes: usize;
  prefix: usize;
  prefixBytes: usize;
  /** The value as JSON; 0 when it is the event's time. */
  value: usize;
  valueBytes: usize;
  /** Position of the column of that name, or -1. */
  column: i32;
}

const columnBytes: usize = 28;
const addedBytes: usize = 28;

// Behind every piece: a comma, quotes, and what copies in steps of 64 write too much.
const slack: usize = 80;
const idBytes: usize = 22 + 8 + 1 + 10;
const timeBytes: usize = 40;

const done: i32 = 0;
const cannot: i32 = 1;
const full: i32 = 2;

/** Why the last call ended: 0 all events done, 1 it cannot do the event it returned, 2 no room. */
export let encodeStop: i32 = done;
/** Position behind the last record. */
export let encodedEnd: usize = 0;
/** Number of records that the last call wrote. */
export let encodedCount: i32 = 0;
/** Number of line ends in them. */
export let encodedLines: i32 = 0;

let touched: u64 = 0;
let present: u64 = 0;
let nameMask: u64 = 0;
let outEnd: usize = 0;
let failure: i32 = done;
/** Line ends in what was copied as it stood. */
let rawLines: i32 = 0;
/** No added member has the name of a column. */
let namesApart: bool = false;
/** What a record takes at most behind its head, if no value is longer than `shortValue`. */
let shortRoom: usize = 0;
const shortValue: usize = 64;

/** Writes the selected events from index `from` on as JSON records and returns the index of the
 *  first event that it did not do. */
export function encodeEvents(
  frame: Frame,
  from: i32,
  count: i32,
  out: usize,
  outLimit: usize,
): i32 {
  outEnd = outLimit;
  let records: usize = 0;
  rawLines = 0;
  readNames(frame);
  let index = from;
  encodeStop = done;
  for (; index < count; index++) {
    if (!load<u8>(frame.select + index)) continue;
    const linesBefore = rawLines;
    const recordEnd = encodeEvent(frame, index, out);
    if (!recordEnd) {
      rawLines = linesBefore;
      encodeStop = failure;
      break;
    }
    out = recordEnd;
    store<u32>(frame.events + (records << 2), <u32>index);
    store<u32>(frame.ends + (records << 2), <u32>out);
    records++;
  }
  encodedEnd = out;
  encodedCount = <i32>records;
  encodedLines = encodedCount * frame.constantLines + rawLines;
  return index;
}

function readNames(frame: Frame): void {
  nameMask = 0;
  shortRoom = frame.afterBytes + slack;
  startNames();
  for (let i = 0; i < frame.columnCount; i++) {
    const column = changetype<Column>(frame.columns + <usize>i * columnBytes);
    nameMask |= maskBit(load<u8>(column.key), column.keyBytes);
    addName(column.key, column.keyBytes);
    shortRoom += column.prefixBytes + shortValue * 6 + slack;
  }
  namesApart = true;
  for (let i = 0; i < frame.addedCount; i++) {
    const added = changetype<Added>(frame.added + <usize>i * addedBytes);
    nameMask |= maskBit(load<u8>(added.key), added.keyBytes);
    if (added.column >= 0) namesApart = false;
    addName(added.key, added.keyBytes);
  }
}

/** False when no member of the root has the name of a touched column or of an added member that
 *  is not decided. */
function mayHaveName(frame: Frame, at: usize, end: usize): bool {
  for (at = nextSuspect(at, end); at; at = nextSuspect(at + 1, end)) {
    if (load<u8>(at) == 0x5c || isName(frame, at + 1)) return true;
  }
  return false;
}

function isName(frame: Frame, at: usize): bool {
  let rest = touched;
  while (rest) {
    const column = changetype<Column>(frame.columns + <usize>ctz(rest) * columnBytes);
    rest &= rest - 1;
    if (isNameAt(column.key, column.keyBytes, at)) return true;
  }
  for (let i = 0; i < frame.addedCount; i++) {
    if (!(undecided & (<u32>0x80000000 >> i))) continue;
    const added = changetype<Added>(frame.added + <usize>i * addedBytes);
    if (isNameAt(added.key, added.keyBytes, at)) return true;
  }
  return false;
}

/** As `copy`, and counts the line ends. */
function copyRaw(target: usize, source: usize, length: usize): usize {
  const lineEnd = i8x16.splat(0x0a);
  let lines = 0;
  let at: usize = 0;
  for (; at + 16 <= length; at += 16) {
    const bytes = v128.load(source + at);
    v128.store(target + at, bytes);
    lines += popcnt(i8x16.bitmask(i8x16.eq(bytes, lineEnd)));
  }
  const bytes = v128.load(source + at);
  v128.store(target + at, bytes);
  const rest = (1 << <i32>(length - at)) - 1;
  rawLines += lines + popcnt(i8x16.bitmask(i8x16.eq(bytes, lineEnd)) & rest);
  return target + length;
}

// @ts-ignore: decorator
@inline
function lacksRoom(at: usize, bytes: usize): bool {
  if (at + bytes + slack <= outEnd) return false;
  failure = full;
  return true;
}

/** Writes one record; 0 when it cannot, with the reason in `failure`. */
function encodeEvent(frame: Frame, index: i32, out: usize): usize {
  const word = <usize>index << 2;
  if (namesApart && !load<u8>(frame.rootKind + index)) return encodeFlat(frame, index, out);
  if (!readKinds(frame, index)) return 0;
  out = writeHead(frame, index, out);
  if (!out) return 0;
  store<u8>(out++, 0x7b);
  const begin = out;
  // One bit per added member that may still be needed.
  let needed: u32 = 0;
  for (let i = 0; i < frame.addedCount; i++) {
    const column = changetype<Added>(frame.added + <usize>i * addedBytes).column;
    if (column >= 0 && (touched >> column) & 1) {
      if (!((present >> column) & 1)) needed |= 1 << i;
    } else needed |= 0x80000000 >> i;
  }
  const rootKind = load<u8>(frame.rootKind + index);
  if (rootKind != 0) {
    if (rootKind != 1) {
      failure = cannot;
      return 0;
    }
    const start = <usize>load<u32>(frame.rootStart + word);
    const end = <usize>load<u32>(frame.rootEnd + word);
    if (lacksRoom(out, end - start + frame.afterBytes)) return 0;
    undecided = needed;
    const list = <usize>load<u32>(frame.lists + word);
    if (list && (touched != 0 || undecided != 0)) {
      if (listMask(list) & nameMask) out = writeListed(frame, list, out);
      else out = writeWhole(start, end, out);
    } else if ((touched != 0 || undecided != 0) && mayHaveName(frame, start, end)) {
      out = writeMembers(frame, start, end, out);
      if (!out) return 0;
    } else out = writeWhole(start, end, out);
    needed = undecided;
  }
  if (present) {
    out = writeColumns(frame, word, out, begin);
    if (!out) return 0;
  }
  if (needed) {
    out = writeAdded(frame, index, needed, out, begin);
    if (!out) return 0;
  }
  store<u8>(out++, 0x7d);
  return copy(out, frame.after, frame.afterBytes);
}

/** As `encodeEvent` for one without a root, which nothing can hide or be hidden by. */
function encodeFlat(frame: Frame, index: i32, out: usize): usize {
  const word = <usize>index << 2;
  out = writeHead(frame, index, out);
  if (!out) return 0;
  // The first member's comma gives way to the bracket.
  const bracket = out;
  store<u8>(out, 0x7b);
  if (lacksRoom(out, shortRoom)) return 0;
  const columnsEnd = frame.columns + <usize>frame.columnCount * columnBytes;
  for (let at = frame.columns; at < columnsEnd; at += columnBytes) {
    const column = changetype<Column>(at);
    const kind = load<u8>(column.kind + index);
    if (<u32>kind - 1 > 1) {
      // Absent, or removed.
      if (kind <= 3) continue;
      failure = cannot;
      return 0;
    }
    const start = <usize>load<u32>(column.start + word);
    const end = <usize>load<u32>(column.end + word);
    if (end - start > shortValue && lacksRoom(out, shortRoom + (end - start) * 6)) return 0;
    out = writeMember(column, out, start, end, kind);
  }
  if (out == bracket) out++;
  else store<u8>(bracket, 0x7b);
  if (frame.addedCount) {
    const all = <u32>~(0xffffffff >> frame.addedCount);
    out = writeAdded(frame, index, all, out, bracket + 1);
    if (!out) return 0;
  }
  store<u8>(out++, 0x7d);
  return copy(out, frame.after, frame.afterBytes);
}

// Added members still to be written: low bits for those that a removing column asks for whatever
// the root has, high bits (from the top) for those that the root may have.
let undecided: u32 = 0;

// @ts-ignore: decorator
@inline
function readKinds(frame: Frame, index: i32): bool {
  touched = 0;
  present = 0;
  for (let i: u64 = 0; i < <u64>frame.columnCount; i++) {
    const column = changetype<Column>(frame.columns + <usize>i * columnBytes);
    const kind = load<u8>(column.kind + index);
    if (!kind) continue;
    if (kind > 3) {
      failure = cannot;
      return false;
    }
    touched |= (<u64>1) << i;
    if (kind != 3) present |= (<u64>1) << i;
  }
  return true;
}

function writeHead(frame: Frame, index: i32, out: usize): usize {
  const word = <usize>index << 2;
  let before = frame.before;
  let beforeBytes = frame.beforeBytes;
  if (frame.beforeStarts) {
    before = <usize>load<u32>(frame.beforeStarts + word);
    beforeBytes = <usize>load<u32>(frame.beforeEnds + word) - before;
    rawLines += countLineEnds(before, before + beforeBytes);
  }
  if (lacksRoom(out, beforeBytes + idBytes + frame.afterIdBytes + frame.afterBytes)) return 0;
  out = copy(out, before, beforeBytes);
  if (!frame.idPrefix) return out;
  const offset = load<f64>(frame.offset + (<usize>index << 3));
  if (!(offset >= 0.0 && offset < 281474976710656.0)) {
    failure = cannot;
    return 0;
  }
  out = copy(out, frame.idPrefix, 22);
  out = writeOffset(out, <u64>offset);
  const part = load<i32>(frame.part + word);
  if (part > 0) {
    store<u8>(out, 0x2d);
    out = writeInteger(out + 1, part);
  } else if (part < 0) {
    failure = cannot;
    return 0;
  }
  return copy(out, frame.afterId, frame.afterIdBytes);
}

/** Writes the root's inside as it stands. */
function writeWhole(start: usize, end: usize, out: usize): usize {
  start = skipSpace(skipSpace(start, end) + 1, end);
  end = membersEnd(end);
  if (end <= start) return out;
  return copyRaw(out, start, end - start);
}

/** Position behind the last member of an object, from the position behind its span. */
// @ts-ignore: decorator
@inline
function membersEnd(end: usize): usize {
  end--;
  while (load<u8>(end) != 0x7d) end--;
  while (isSpace(load<u8>(end - 1))) end--;
  return end;
}

/** The root has a member of this name: no added member of that name is needed. True when one was
 *  waiting for that. */
function decide(frame: Frame, key: usize, length: usize): bool {
  const before = undecided;
  for (let i = 0; i < frame.addedCount; i++) {
    const added = changetype<Added>(frame.added + <usize>i * addedBytes);
    if (added.keyBytes == length && sameBytes(added.key, key, length)) {
      undecided &= ~(<u32>0x80000000 >> i);
    }
  }
  return undecided != before;
}

/** Writes the root's members that no column stands over; what stands between two that are
 *  written goes along. Finds out which added members the root has. */
function writeMembers(frame: Frame, start: usize, end: usize, out: usize): usize {
  const begin = out;
  let at = skipSpace(start, end) + 1;
  let runStart: usize = 0;
  let runEnd: usize = 0;
  while (true) {
    at = skipSpace(at, end);
    if (at >= end || load<u8>(at) != 0x22) break;
    const keyStart = at;
    at = skipKey(at, end);
    if (!at) {
      failure = cannot;
      return 0;
    }
    const length = at - keyStart - 2;
    at = skipSpace(at, end);
    at = skipSpace(at + 1, end);
    const valueEnd = skipValue(at, end);
    let matters = false;
    let kept = true;
    if (nameMask & maskBit(load<u8>(keyStart + 1), length)) {
      kept = !isOverlaid(frame, keyStart + 1, length);
      matters = !kept;
      if (undecided) matters = decide(frame, keyStart + 1, length) || matters;
    }
    at = skipSpace(valueEnd, end);
    if (at < end && load<u8>(at) == 0x2c) at++;
    if (kept) {
      if (!runStart) runStart = keyStart;
      runEnd = valueEnd;
    } else {
      if (runStart) out = writeRun(out, begin, runStart, runEnd);
      runStart = 0;
    }
    // Often nothing behind a member that matters does.
    if (matters && !mayHaveName(frame, at, end)) {
      const rest = skipSpace(at, end);
      if (rest < end && load<u8>(rest) == 0x22) {
        if (!runStart) runStart = rest;
        runEnd = membersEnd(end);
      }
      break;
    }
  }
  return runStart ? writeRun(out, begin, runStart, runEnd) : out;
}

/** As `writeMembers`, by the root's member list. */
function writeListed(frame: Frame, list: usize, out: usize): usize {
  const begin = out;
  const end = listEnd(list);
  let runStart: usize = 0;
  let runEnd: usize = 0;
  for (let member = list + listHeader; member < end; member += memberBytes) {
    const keyStart = <usize>load<u32>(member);
    if (memberMask(member) & nameMask) {
      const length = keyLength(member);
      if (undecided) decide(frame, keyStart + 1, length);
      if (isOverlaid(frame, keyStart + 1, length)) {
        if (runStart) out = writeRun(out, begin, runStart, runEnd);
        runStart = 0;
        continue;
      }
    }
    if (!runStart) runStart = keyStart;
    runEnd = <usize>load<u32>(member, 12);
  }
  return runStart ? writeRun(out, begin, runStart, runEnd) : out;
}

// @ts-ignore: decorator
@inline
function writeRun(out: usize, begin: usize, start: usize, end: usize): usize {
  if (out > begin) store<u8>(out++, 0x2c);
  return copyRaw(out, start, end - start);
}

function isOverlaid(frame: Frame, key: usize, length: usize): bool {
  let rest = touched;
  while (rest) {
    const i = ctz(rest);
    const column = changetype<Column>(frame.columns + <usize>i * columnBytes);
    if (column.keyBytes == length && sameBytes(column.key, key, length)) return true;
    rest &= rest - 1;
  }
  return false;
}

function writeColumns(frame: Frame, word: usize, out: usize, begin: usize): usize {
  let rest = present;
  // The first member's comma gives way to the bracket.
  if (out == begin) out--;
  while (rest) {
    const i = <usize>ctz(rest);
    rest &= rest - 1;
    const column = changetype<Column>(frame.columns + i * columnBytes);
    out = writeColumn(frame, column, word, out, load<u8>(column.kind + (word >> 2)));
    if (!out) return 0;
  }
  store<u8>(begin - 1, 0x7b);
  return out;
}

/** Writes a comma and one member. */
// @ts-ignore: decorator
@inline
function writeColumn(frame: Frame, column: Column, word: usize, out: usize, kind: u32): usize {
  const start = <usize>load<u32>(column.start + word);
  const end = <usize>load<u32>(column.end + word);
  const bytes = column.prefixBytes + (end - start) * 6 + frame.afterBytes;
  return lacksRoom(out, bytes) ? 0 : writeMember(column, out, start, end, kind);
}

// @ts-ignore: decorator
@inline
function writeMember(column: Column, out: usize, start: usize, end: usize, kind: u32): usize {
  // It ends with the quote that a text needs.
  out = copy(out, column.prefix, column.prefixBytes);
  if (kind == 2) return copyRaw(out - 1, start, end - start);
  out = writeText(out, start, end);
  store<u8>(out, 0x22);
  return out + 1;
}

function writeAdded(frame: Frame, index: i32, needed: u32, out: usize, begin: usize): usize {
  for (let i = 0; i < frame.addedCount; i++) {
    if (!(needed & ((1 << i) | (<u32>0x80000000 >> i)))) continue;
    const added = changetype<Added>(frame.added + <usize>i * addedBytes);
    const bytes = added.prefixBytes + added.valueBytes + timeBytes + frame.afterBytes;
    if (lacksRoom(out, bytes)) return 0;
    if (out > begin) store<u8>(out++, 0x2c);
    out = copy(out, added.prefix, added.prefixBytes);
    if (added.value) {
      rawLines += countLineEnds(added.value, added.value + added.valueBytes);
      out = copy(out, added.value, added.valueBytes);
      continue;
    }
    out = writeTime(
      out,
      load<f64>(frame.seconds + (<usize>index << 3)),
      load<i32>(frame.nanos + (<usize>index << 2)),
      frame.timeForm,
      frame.timeDigits,
    );
    if (!out) {
      failure = cannot;
      return 0;
    }
  }
  return out;
}
