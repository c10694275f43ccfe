import { copy } from './bytes';
import { Added, addedBytes, Column, columnBytes, Frame } from './encode_frame';
import { readNames, undecided, writeRoot } from './encode_root';
import { writeText } from './escape';
import { writeInteger, writeOffset } from './numbers';
import { copyRaw, countRaw, rawLines, setRawLines } from './raw_copy';
import { writeTime } from './time';

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
let outEnd: usize = 0;
let failure: i32 = done;
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
  setRawLines(0);
  readNames(frame);
  readShape(frame);
  let index = from;
  encodeStop = done;
  for (; index < count; index++) {
    if (!load<u8>(frame.select + index)) continue;
    const linesBefore = rawLines;
    const recordEnd = encodeEvent(frame, index, out);
    if (!recordEnd) {
      setRawLines(linesBefore);
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

/** Works out what holds for all events of a call. */
function readShape(frame: Frame): void {
  shortRoom = frame.afterBytes + slack;
  for (let i = 0; i < frame.columnCount; i++) {
    const column = changetype<Column>(frame.columns + <usize>i * columnBytes);
    shortRoom += column.prefixBytes + shortValue * 6 + slack;
  }
  namesApart = true;
  for (let i = 0; i < frame.addedCount; i++) {
    if (changetype<Added>(frame.added + <usize>i * addedBytes).column >= 0) namesApart = false;
  }
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
    const list = <usize>load<u32>(frame.lists + word);
    out = writeRoot(frame, list, start, end, touched, needed, out);
    if (!out) {
      failure = cannot;
      return 0;
    }
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
    countRaw(before, before + beforeBytes);
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
      countRaw(added.value, added.value + added.valueBytes);
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
