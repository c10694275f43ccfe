import { maskNumber, sameBytes, skipSpace } from './bytes';
import { skipKey } from './json_scan';
import { skipValue } from './json_walk';
import { keyLength, listEnd, listHeader, memberBytes } from './member_list';
import { defaultBytes, writeCell, writeInstant } from './row_cells';

/** What the TypeScript side (`row_frame.ts`) puts into memory before a call. */
@unmanaged
class RowFrame {
  select: usize;
  rootStart: usize;
  rootEnd: usize;
  rootKind: usize;
  seconds: usize;
  nanos: usize;
  /** Address of each root's member list, or 0. */
  lists: usize;
  nodes: usize;
  nodeCount: i32;
  columns: usize;
  columnCount: i32;
  /** Per `maskNumber` of a key the number, from 1, of the first node in its chain; 0 for none. */
  heads: usize;
  /** Result arrays: index and end position of each row. */
  events: usize;
  ends: usize;
  /** 1 per event whose spans are in the result arrays. */
  located: usize;
  /** Finds the nodes and writes nothing. */
  locateOnly: i32;
  /** The batch has columns. */
  hasColumns: i32;
}

/** A wanted key, at the top or in another node's object; parents stand before their children. */
@unmanaged
class RowNode {
  key: usize;
  keyBytes: usize;
  /** Number of the node whose object this one is in, or -1. */
  parent: i32;
  /** Number, from 1, of the next node in the chain. */
  next: i32;
  /** Result arrays for JavaScript: the value's span and kind, 0 where there is none. */
  start: usize;
  end: usize;
  kind: usize;
  /** Arrays of the batch's column of that name, or 0. */
  columnStart: usize;
  columnEnd: usize;
  columnKind: usize;
  hasChildren: i32;
  /** A child may name an element of an array. */
  hasElements: i32;
}

@unmanaged
class RowColumn {
  form: i32;
  size: i32;
  flags: i32;
  /** The node that comes first where it is there, or -1; then that of the path. */
  literal: i32;
  node: i32;
}

const nodeBytes: usize = 48;
/** One event's values: start, end and kind of each node, 12 bytes. */
const slots: usize = memory.data(64 * 12, 16);
const slotBytes: usize = 12;
const columnBytes: usize = 20;

const nullable: i32 = 1;
const takesTime: i32 = 2;
const utc: i32 = 4;

// Behind every value: what copies in steps of 16 write too much, a count, a fixed value.
const slack: usize = 64;

const done: i32 = 0;
const cannot: i32 = 1;
const full: i32 = 2;

/** Why the last call ended: 0 all events done, 1 it cannot do the event it returned, 2 no room. */
export let rowsStop: i32 = done;
/** Number of rows that the last call wrote. */
export let rowsCount: i32 = 0;

let failure: i32 = done;
let outEnd: usize = 0;

/** Writes the selected events from index `from` on as rows of RowBinary and returns the index of
 *  the first event that it did not do. */
export function encodeRows(
  frame: RowFrame,
  from: i32,
  count: i32,
  out: usize,
  outLimit: usize,
): i32 {
  outEnd = outLimit;
  rowsStop = done;
  let rows: usize = 0;
  let index = from;
  for (; index < count; index++) {
    if (load<u8>(frame.select + index) != 1) continue;
    const isLocated = locate(frame, index);
    if (frame.locateOnly) {
      if (isLocated) publish(frame, index);
      continue;
    }
    failure = cannot;
    const rowEnd = isLocated ? writeRow(frame, index, out) : 0;
    if (!rowEnd) {
      if (isLocated) publish(frame, index);
      rowsStop = failure;
      break;
    }
    out = rowEnd;
    store<u32>(frame.events + (rows << 2), <u32>index);
    store<u32>(frame.ends + (rows << 2), <u32>out);
    rows++;
  }
  rowsCount = <i32>rows;
  return index;
}

/** Gives the spans to JavaScript. */
function publish(frame: RowFrame, index: i32): void {
  const word = <usize>index << 2;
  for (let i = 0; i < frame.nodeCount; i++) {
    const node = nodeAt(frame, i);
    const slot = slotAt(i);
    store<u32>(node.start + word, load<u32>(slot));
    store<u32>(node.end + word, load<u32>(slot, 4));
    store<u8>(node.kind + index, <u8>load<u32>(slot, 8));
  }
  store<u8>(frame.located + index, 1);
}

function writeRow(frame: RowFrame, index: i32, out: usize): usize {
  const columnsEnd = frame.columns + <usize>frame.columnCount * columnBytes;
  for (let at = frame.columns; at < columnsEnd; at += columnBytes) {
    const column = changetype<RowColumn>(at);
    let slot = slotAt(column.node);
    let kind = load<u32>(slot, 8);
    if (column.literal >= 0) {
      const literal = slotAt(column.literal);
      if (load<u32>(literal, 8)) {
        slot = literal;
        kind = load<u32>(slot, 8);
      }
    }
    if (!kind) out = writeMissing(frame, column, index, out);
    else out = writeFound(column, out, load<u32>(slot), load<u32>(slot, 4), kind == 1);
    if (!out) return 0;
  }
  return out;
}

// @ts-ignore: decorator
@inline
function slotAt(number: i32): usize {
  return slots + <usize>number * slotBytes;
}

// @ts-ignore: decorator
@inline
function nodeAt(frame: RowFrame, number: i32): RowNode {
  return changetype<RowNode>(frame.nodes + <usize>number * nodeBytes);
}

// @ts-ignore: decorator
@inline
function lacksRoom(at: usize, bytes: usize): bool {
  if (at + bytes + slack <= outEnd) return false;
  failure = full;
  return true;
}

// @ts-ignore: decorator
@inline
function writeFound(column: RowColumn, out: usize, at: usize, end: usize, isText: bool): usize {
  if (lacksRoom(out, end - at)) return 0;
  // "null"
  if (!isText && end - at == 4 && load<u32>(at) == 0x6c6c756e) return writeDefault(column, out);
  if (column.flags & nullable) store<u8>(out++, 0);
  const isUtc = (column.flags & utc) != 0;
  return writeCell(column.form, column.size, isUtc, out, at, end, isText);
}

function writeMissing(frame: RowFrame, column: RowColumn, index: i32, out: usize): usize {
  if (lacksRoom(out, 0)) return 0;
  if (!(column.flags & takesTime)) return writeDefault(column, out);
  const seconds = load<f64>(frame.seconds + (<usize>index << 3));
  const nanos = load<u32>(frame.nanos + (<usize>index << 2));
  if (!(seconds > -1e11 && seconds < 1e11) || nanos > 999999999) return 0;
  if (column.flags & nullable) store<u8>(out++, 0);
  return writeInstant(column.form, column.size, out, <i64>seconds, nanos);
}

/** NULL where the type has it, else its default. */
function writeDefault(column: RowColumn, out: usize): usize {
  if (column.flags & nullable) {
    store<u8>(out, 1);
    return out + 1;
  }
  store<u64>(out, 0);
  return out + defaultBytes(column.form, column.size);
}

// Bit per node that a column of the batch decides.
let decided: u64 = 0;

/** Finds every node's value in one walk over the members; false where that takes JavaScript. */
function locate(frame: RowFrame, index: i32): bool {
  const word = <usize>index << 2;
  decided = 0;
  for (let i = 0; i < frame.nodeCount; i++) store<u32>(slotAt(i), 0, 8);
  if (frame.hasColumns && !takeColumns(frame, index)) return false;
  const rootKind = load<u8>(frame.rootKind + index);
  if (rootKind > 1) return false;
  if (rootKind) {
    const list = <usize>load<u32>(frame.lists + word);
    if (list) takeList(frame, list);
    else {
      const start = <usize>load<u32>(frame.rootStart + word);
      if (!takeMembers(frame, -1, start, <usize>load<u32>(frame.rootEnd + word))) return false;
    }
  }
  for (let i = 0; i < frame.nodeCount; i++) {
    const node = nodeAt(frame, i);
    const slot = slotAt(i);
    if (!node.hasChildren || load<u32>(slot, 8) != 2) continue;
    const end = <usize>load<u32>(slot, 4);
    const start = skipSpace(<usize>load<u32>(slot), end);
    const first = load<u8>(start);
    if (first == 0x7b) {
      if (!takeMembers(frame, i, start, end)) return false;
    } else if (first == 0x5b && node.hasElements) return false;
  }
  return true;
}

/** Columns of the batch stand over the root; false for a value outside of the kernel's memory. */
function takeColumns(frame: RowFrame, index: i32): bool {
  const word = <usize>index << 2;
  for (let i = 0; i < frame.nodeCount; i++) {
    const node = nodeAt(frame, i);
    if (!node.columnKind) continue;
    const kind = <u32>load<u8>(node.columnKind + index);
    if (!kind) continue;
    if (kind > 3) return false;
    decided |= (<u64>1) << i;
    if (kind == 3) continue;
    const slot = slotAt(i);
    store<u32>(slot, load<u32>(node.columnStart + word));
    store<u32>(slot, load<u32>(node.columnEnd + word), 4);
    store<u32>(slot, kind, 8);
  }
  return true;
}

function takeList(frame: RowFrame, list: usize): void {
  const end = listEnd(list);
  for (let member = list + listHeader; member < end; member += memberBytes) {
    // The `maskNumber` stands above the length.
    const head = load<u8>(frame.heads + <usize>load<u8>(member, 7));
    if (!head) continue;
    const key = <usize>load<u32>(member) + 1;
    const start = load<u32>(member, 8);
    take(frame, head, -1, key, keyLength(member), start, load<u32>(member, 12));
  }
}

/** Walks over the object at `at`; false when a key is escaped. */
function takeMembers(frame: RowFrame, parent: i32, at: usize, end: usize): bool {
  at = skipSpace(at, end) + 1;
  while (true) {
    at = skipSpace(at, end);
    if (at >= end || load<u8>(at) != 0x22) return true;
    const key = at + 1;
    at = skipKey(at, end);
    if (!at) return false;
    const length = at - key - 1;
    at = skipSpace(at, end);
    at = skipSpace(at + 1, end);
    const start = at;
    at = skipValue(at, end);
    const head = load<u8>(frame.heads + <usize>maskNumber(load<u8>(key), length));
    if (head) take(frame, head, parent, key, length, <u32>start, <u32>at);
    at = skipSpace(at, end);
    if (at < end && load<u8>(at) == 0x2c) at++;
  }
}

/** Gives a member to the node that wants it; the last of several with one name stays. */
// @ts-ignore: decorator
@inline
function take(
  frame: RowFrame,
  number: i32,
  parent: i32,
  key: usize,
  length: usize,
  start: u32,
  end: u32,
): void {
  for (; number; number = nodeAt(frame, number - 1).next) {
    const node = nodeAt(frame, number - 1);
    if (node.keyBytes != length || node.parent != parent) continue;
    if (!sameBytes(node.key, key, length)) continue;
    if ((decided >> <u64>(number - 1)) & 1) return;
    const slot = slotAt(number - 1);
    store<u32>(slot, start);
    store<u32>(slot, end, 4);
    store<u32>(slot, 2, 8);
    return;
  }
}
