import { isSpace, maskBit, sameBytes, skipSpace } from './bytes';
import { Added, addedBytes, Column, columnBytes, Frame } from './encode_frame';
import { skipKey } from './json_scan';
import { skipValue } from './json_walk';
import { keyLength, listEnd, listHeader, listMask, memberBytes, memberMask } from './member_list';
import {
  addRun,
  forgetRuns,
  holdRuns,
  keepRuns,
  runs,
  runsEnd,
  startRuns,
  undecidedBehind,
} from './member_runs';
import { addName, isNameAt, nextSuspect, startNames } from './names';
import { copyRaw } from './raw_copy';

// Added members still to be written: low bits for those that a removing column asks for whatever
// the root has, high bits (from the top) for those that the root may have.
export let undecided: u32 = 0;
let touched: u64 = 0;
let nameMask: u64 = 0;

/** Takes in the names that hide members of a root, or are hidden by them. */
export function readNames(frame: Frame): void {
  nameMask = 0;
  forgetRuns();
  startNames();
  for (let i = 0; i < frame.columnCount; i++) {
    const column = changetype<Column>(frame.columns + <usize>i * columnBytes);
    nameMask |= maskBit(load<u8>(column.key), column.keyBytes);
    addName(column.key, column.keyBytes);
  }
  for (let i = 0; i < frame.addedCount; i++) {
    const added = changetype<Added>(frame.added + <usize>i * addedBytes);
    nameMask |= maskBit(load<u8>(added.key), added.keyBytes);
    addName(added.key, added.keyBytes);
  }
}

/** Writes the members of a root that no touched column hides, and works out which of the added
 *  members are needed. `list` is the root's member list, or 0. Returns 0 when it cannot; otherwise
 *  `undecided` are the added members that the root does not have. */
export function writeRoot(
  frame: Frame,
  list: usize,
  start: usize,
  end: usize,
  touchedNow: u64,
  needed: u32,
  out: usize,
): usize {
  touched = touchedNow;
  undecided = needed;
  if (touched == 0 && undecided == 0) return writeWhole(start, end, out);
  if (list) {
    if (listMask(list) & nameMask) return writeListed(frame, list, out);
  } else if (mayHaveName(frame, start, end)) return writeMembers(frame, start, end, out);
  return writeWhole(start, end, out);
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
    if (!at) return 0;
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
  if (!holdRuns(list, touched, undecided) && !findRuns(frame, list)) return 0;
  for (let run = runs; run < runsEnd; run += 8) {
    const start = <usize>load<u32>(list + <usize>load<u32>(run));
    const end = <usize>load<u32>(list + <usize>load<u32>(run, 4), 12);
    out = writeRun(out, begin, start, end);
  }
  undecided = undecidedBehind;
  return out;
}

/** Finds the runs of members that no column stands over; false when they are too many. */
function findRuns(frame: Frame, list: usize): bool {
  const before = undecided;
  const end = listEnd(list);
  let first: usize = 0;
  startRuns();
  for (let member = list + listHeader; member < end; member += memberBytes) {
    let kept = true;
    if (memberMask(member) & nameMask) {
      const key = <usize>load<u32>(member) + 1;
      const length = keyLength(member);
      if (undecided) decide(frame, key, length);
      kept = !isOverlaid(frame, key, length);
    }
    if (kept) {
      if (!first) first = member;
      continue;
    }
    if (first) addRun(first - list, member - memberBytes - list);
    first = 0;
  }
  if (first) addRun(first - list, end - memberBytes - list);
  return keepRuns(list, touched, before, undecided);
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
