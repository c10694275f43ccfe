import { isDigit, sameBytes } from './bytes';
import { fastEnd } from './pattern_shortcuts';

/** A backtracking matcher for patterns that core/kernel/lower_pattern.ts lowered. It finds the
 *  match that begins at the first byte of a text, if there is one, exactly as a backtracking
 *  regular-expression engine does; whenever that is not certain it gives up, and JavaScript
 *  answers for that text.
 *
 *  A program is a list of 32-bit words: an operation, then its arguments. Positions in it are
 *  addresses. A class is 16 bytes for the vector test (bit h of byte l: character h * 16 + l is
 *  in), a byte that says what bytes of 128 and above are (0 out, 1 in, 2 unknown), and from byte
 *  32 on the same as a table of 256. */

// As `opcodes` of core/kernel/pattern_ops.ts.
const opMatch: i32 = 0;
const opLiteral: i32 = 1;
const opByte: i32 = 2;
const opSet: i32 = 3;
const opRun: i32 = 4;
const opGreedy: i32 = 5;
const opLazy: i32 = 6;
const opTry: i32 = 7;
const opJump: i32 = 8;
const opSave: i32 = 9;
const opMark: i32 = 10;
const opCommit: i32 = 11;
const opLook: i32 = 12;
const opLooked: i32 = 13;
const opNotLook: i32 = 14;
const opNotLooked: i32 = 15;
const opAssert: i32 = 16;
const opBehind: i32 = 17;
const opAhead: i32 = 18;
const opShortcut: i32 = 19;
const opContains: i32 = 20;
const opField: i32 = 21;
const opPass: i32 = 22;

const tableAt: usize = 32;
const out: u32 = 0;
const unknown: u32 = 2;

// Choices to come back to, 24 bytes each: what kind, then what it needs.
const choiceBytes: usize = 24;
const choicesMax: usize = 3000;
const choices: usize = memory.data(72000);
const choicesEnd: usize = choices + choicesMax * choiceBytes;
const choiceBranch: i32 = 0;
const choiceGreedy: i32 = 1;
const choiceLazy: i32 = 2;
const choiceRestore: i32 = 3;

/** How often a text may make the matcher come back before it gives up. */
const returnsMax: i32 = 5000;

// Two slots more than captures may have: for what is matched and not wanted.
const saves: usize = memory.data(1040);
/** Per nested group: stack height and position at its begin. */
const marks: usize = memory.data(512);

const bitOfHigh = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);

@unmanaged
class Run {
  program: usize;
  count: i32;
  select: usize;
  starts: usize;
  ends: usize;
  /** Kinds of the texts' column, or 0 when all selected are texts. */
  kinds: usize;
  /** Root kinds when only events without a root may be answered, or 0. */
  rootKinds: usize;
  result: usize;
  targets: usize;
  targetCount: i32;
  captures: usize;
  captureCount: i32;
  keepEmpty: i32;
}

@unmanaged
class Target {
  start: usize;
  end: usize;
  kind: usize;
  overwrite: i32;
}

@unmanaged
class Capture {
  target: i32;
  conversion: i32;
}

const targetBytes: usize = 16;
const captureBytes: usize = 8;

// Values found for the targets of one text.
const foundKinds: usize = memory.data(80);
const foundStarts: usize = memory.data(256);
const foundEnds: usize = memory.data(256);

/** Matches the selected texts and fills the targets' columns; `result` gets 1 for an event that
 *  is done and 0 for one that JavaScript must do. Returns how many are done. */
export function matchTexts(run: Run): i32 {
  let done: i32 = 0;
  const count = <usize>run.count;
  for (let i: usize = 0; i < count; i++) {
    if (!load<u8>(run.select + i)) continue;
    let matched = false;
    if (
      (!run.kinds || load<u8>(run.kinds + i) == 1) &&
      (!run.rootKinds || !load<u8>(run.rootKinds + i))
    ) {
      const start = <usize>load<u32>(run.starts + (i << 2));
      const end = <usize>load<u32>(run.ends + (i << 2));
      fill(saves, i8x16.splat(-1), <usize>run.captureCount << 3);
      matched = matchAt(run.program, start, end) && storeCaptures(run, i);
    }
    store<u8>(run.result + i, matched ? 1 : 0);
    if (matched) done++;
  }
  return done;
}

/** As memory.fill, which is a call out of the module and slow for a few bytes. Writes up to 15
 *  bytes more. */
// @ts-ignore: decorator
@inline
function fill(at: usize, value: v128, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(at + i, value);
}

/** Position of the first byte from `at` on that is not in the class, at most `limit`. */
// @ts-ignore: decorator
@inline
function runEnd(set: usize, at: usize, limit: usize): usize {
  const low = v128.load(set);
  const highIn = i8x16.splat(load<u8>(set + 16) == 1 ? -128 : 0);
  const fifteen = i8x16.splat(15);
  while (at < limit) {
    const bytes = v128.load(at);
    const columns = i8x16.swizzle(low, v128.and(bytes, fifteen));
    const rows = i8x16.swizzle(bitOfHigh, i8x16.shr_u(bytes, 4));
    const inside = v128.or(v128.and(columns, rows), v128.and(bytes, highIn));
    const stops = i8x16.bitmask(i8x16.eq(inside, i8x16.splat(0)));
    if (stops) {
      at += ctz(stops);
      break;
    }
    at += 16;
  }
  return at < limit ? at : limit;
}

// @ts-ignore: decorator
@inline
function hasByte(at: usize, end: usize, byte: u32): bool {
  const wanted = i8x16.splat(<i8>byte);
  for (; at < end; at += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (found) return at + ctz(found) < end;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function classOf(set: usize, at: usize): u32 {
  return load<u8>(set + tableAt + <usize>load<u8>(at));
}

// @ts-ignore: decorator
@inline
function isContinuation(at: usize): bool {
  return (load<u8>(at) & 0xc0) == 0x80;
}

// @ts-ignore: decorator
@inline
function argument(pc: usize, index: i32): usize {
  return <usize>load<u32>(pc + 4 + (<usize>index << 2));
}

function matchAt(program: usize, start: usize, end: usize): bool {
  let pc = program;
  let at = start;
  let top = choices;
  let returns = 0;
  while (true) {
    let failed = false;
    switch (load<i32>(pc)) {
      case opMatch:
        return true;
      case opLiteral: {
        const length = argument(pc, 1);
        if (end - at < length || !sameBytes(at, argument(pc, 0), length)) failed = true;
        else {
          at += length;
          pc += 12;
        }
        break;
      }
      case opByte: {
        if (at < end && load<u8>(at) == load<u8>(pc + 4)) {
          at++;
          pc += 8;
        } else failed = true;
        break;
      }
      case opSet: {
        const set = argument(pc, 0);
        const is = at < end ? classOf(set, at) : out;
        if (is == unknown) return false;
        if (is == out) failed = true;
        else {
          if (load<u8>(at++) >= 0x80) while (at < end && isContinuation(at)) at++;
          pc += 8;
        }
        break;
      }
      case opRun: {
        const set = argument(pc, 0);
        const most = argument(pc, 2);
        const stop = runEnd(set, at, end - at > most ? at + most : end);
        if (stop < end && stop - at < most && classOf(set, stop) == unknown) return false;
        if (stop - at < argument(pc, 1)) failed = true;
        else {
          at = stop;
          pc += 16;
        }
        break;
      }
      case opGreedy: {
        const set = argument(pc, 0);
        const least = argument(pc, 1);
        const most = argument(pc, 2);
        const stop = runEnd(set, at, end - at > most ? at + most : end);
        if (stop < end && stop - at < most && classOf(set, stop) == unknown) return false;
        if (stop - at < least) failed = true;
        else {
          if (stop - at > least) {
            if (top >= choicesEnd) return false;
            store<i32>(top, choiceGreedy);
            store<u32>(top, <u32>(pc + 20), 4);
            store<u32>(top, <u32>stop, 8);
            store<u32>(top, <u32>(at + least), 12);
            store<u32>(top, <u32>argument(pc, 3), 16);
            top += choiceBytes;
          }
          at = stop;
          pc += 20;
        }
        break;
      }
      case opLazy: {
        const set = argument(pc, 0);
        const least = argument(pc, 1);
        const most = argument(pc, 2);
        let stop = least ? runEnd(set, at, end - at > least ? at + least : end) : at;
        if (stop < end && stop - at < least && classOf(set, stop) == unknown) return false;
        if (stop - at < least) {
          failed = true;
          break;
        }
        while (stop < end && isContinuation(stop)) stop++;
        if (top >= choicesEnd) return false;
        // Coming back finds the first place at or behind `stop` where the rest may begin.
        store<i32>(top, choiceLazy);
        store<u32>(top, <u32>pc, 4);
        store<u32>(top, <u32>stop, 8);
        store<u32>(top, <u32>(end - at > most ? at + most : end), 12);
        top += choiceBytes;
        failed = true;
        break;
      }
      case opTry: {
        const first = argument(pc, 1);
        if (first && (at >= end || !classOf(first, at))) {
          pc = argument(pc, 0);
          break;
        }
        const rest = argument(pc, 2);
        if (!rest || (at < end && classOf(rest, at))) {
          if (top >= choicesEnd) return false;
          store<i32>(top, choiceBranch);
          store<u32>(top, <u32>argument(pc, 0), 4);
          store<u32>(top, <u32>at, 8);
          top += choiceBytes;
        }
        pc += 16;
        break;
      }
      case opJump:
        pc = argument(pc, 0);
        break;
      case opSave: {
        const slot = saves + (argument(pc, 0) << 2);
        if (top != choices) {
          if (top >= choicesEnd) return false;
          store<i32>(top, choiceRestore);
          store<u32>(top, <u32>slot, 4);
          store<i32>(top, load<i32>(slot), 8);
          top += choiceBytes;
        }
        store<u32>(slot, <u32>at);
        const then = <i32>argument(pc, 1);
        if (then < 0) pc += 12;
        else if (at < end && load<u8>(at) == then) {
          at++;
          pc += 20;
        } else failed = true;
        break;
      }
      case opMark:
      case opLook: {
        const mark = marks + (argument(pc, 0) << 3);
        store<u32>(mark, <u32>top);
        store<u32>(mark, <u32>at, 4);
        pc += 8;
        break;
      }
      case opCommit: {
        const height = <usize>load<u32>(marks + (argument(pc, 0) << 3));
        // What was saved inside cannot be taken back once its choices are gone.
        if (argument(pc, 1) && height != choices) return false;
        if (top > height) top = height;
        pc += 12;
        break;
      }
      case opLooked: {
        const mark = marks + (argument(pc, 0) << 3);
        const height = <usize>load<u32>(mark);
        if (top > height) top = height;
        at = <usize>load<u32>(mark, 4);
        pc += 8;
        break;
      }
      case opNotLook: {
        const mark = marks + (argument(pc, 0) << 3);
        if (top >= choicesEnd) return false;
        store<u32>(mark, <u32>top);
        store<i32>(top, choiceBranch);
        store<u32>(top, <u32>argument(pc, 1), 4);
        store<u32>(top, <u32>at, 8);
        top += choiceBytes;
        pc += 12;
        break;
      }
      case opNotLooked: {
        top = <usize>load<u32>(marks + (argument(pc, 0) << 3));
        failed = true;
        break;
      }
      case opAssert: {
        const holds = assertion(<i32>argument(pc, 0), at, start, end);
        if (holds == unknown) return false;
        if (holds) pc += 8;
        else failed = true;
        break;
      }
      case opBehind: {
        const is = at > start ? classOf(argument(pc, 0), at - 1) : out;
        if (is == unknown) return false;
        if (is == <u32>argument(pc, 1)) pc += 12;
        else failed = true;
        break;
      }
      case opAhead: {
        const is = at < end ? classOf(argument(pc, 0), at) : out;
        if (is == unknown) return false;
        if (is == <u32>argument(pc, 1)) pc += 12;
        else failed = true;
        break;
      }
      case opShortcut: {
        const stop = fastEnd(<i32>argument(pc, 0), at, start, end);
        if (stop) {
          // Other ways through the pattern are not known here: never come back behind this.
          top = choices;
          const slot = argument(pc, 2);
          store<u32>(saves + (slot << 2), <u32>at);
          store<u32>(saves + (slot << 2), <u32>stop, 4);
          at = stop;
          const then = <i32>argument(pc, 3);
          if (then >= 0 && (at >= end || load<u8>(at) != then)) return false;
          if (then >= 0) at++;
          pc = argument(pc, 1);
        } else pc += 20;
        break;
      }
      case opContains: {
        const stop = runEnd(argument(pc, 0), at, end);
        pc = hasByte(at, stop, load<u8>(pc + 8)) ? pc + 16 : argument(pc, 2);
        break;
      }
      case opField: {
        // As save, run, save.
        const set = argument(pc, 0);
        const most = argument(pc, 2);
        const stop = runEnd(set, at, end - at > most ? at + most : end);
        if (stop < end && stop - at < most && classOf(set, stop) == unknown) return false;
        if (stop - at < argument(pc, 1)) {
          failed = true;
          break;
        }
        const slot = saves + (argument(pc, 3) << 2);
        if (top != choices) {
          if (top + choiceBytes >= choicesEnd) return false;
          store<i32>(top, choiceRestore);
          store<u32>(top, <u32>slot, 4);
          store<i32>(top, load<i32>(slot), 8);
          top += choiceBytes;
          store<i32>(top, choiceRestore);
          store<u32>(top, <u32>slot + 4, 4);
          store<i32>(top, load<i32>(slot, 4), 8);
          top += choiceBytes;
        }
        store<u32>(slot, <u32>at);
        store<u32>(slot, <u32>stop, 4);
        at = stop;
        const then = <i32>argument(pc, 4);
        if (then < 0) pc += 24;
        else if (at < end && load<u8>(at) == then) {
          at++;
          pc += 32;
        } else failed = true;
        break;
      }
      case opPass: {
        if (at < end && load<u8>(at) == load<u8>(pc + 4)) {
          at++;
          pc = argument(pc, 1);
        } else pc += 12;
        break;
      }
      default:
        return false;
    }
    if (!failed) continue;
    // Back to the last choice that still has something to offer.
    if (++returns > returnsMax) return false;
    while (true) {
      if (top == choices) return false;
      const choice = top - choiceBytes;
      const kind = load<i32>(choice);
      if (kind == choiceBranch) {
        top = choice;
        pc = <usize>load<u32>(choice, 4);
        at = <usize>load<u32>(choice, 8);
        break;
      }
      if (kind == choiceRestore) {
        top = choice;
        store<i32>(<usize>load<u32>(choice, 4), load<i32>(choice, 8));
        continue;
      }
      if (kind == choiceGreedy) {
        let seek = <usize>load<u32>(choice, 8);
        const least = <usize>load<u32>(choice, 12);
        const follow = <usize>load<u32>(choice, 16);
        let found = false;
        while (seek > least) {
          seek--;
          if (isContinuation(seek)) continue;
          if (!follow || classOf(follow, seek)) {
            found = true;
            break;
          }
        }
        if (!found || seek == least) top = choice;
        else store<u32>(choice, <u32>seek, 8);
        if (!found) continue;
        pc = <usize>load<u32>(choice, 4);
        at = seek;
        break;
      }
      // A lazy run: `next` is the first place that was not tried yet.
      const op = <usize>load<u32>(choice, 4);
      const set = argument(op, 0);
      const follow = argument(op, 3);
      const next = <usize>load<u32>(choice, 8);
      const limit = <usize>load<u32>(choice, 12);
      let seek = next;
      let found = false;
      while (true) {
        if (!follow || (seek < end && classOf(follow, seek))) {
          found = true;
          break;
        }
        if (seek >= limit) break;
        const is = classOf(set, seek);
        if (is == unknown) return false;
        if (is == out) break;
        seek = nextCharacter(seek, end);
      }
      if (!found) {
        top = choice;
        continue;
      }
      pc = op + 20;
      at = seek;
      const is = seek < limit ? classOf(set, seek) : out;
      if (is == out) top = choice;
      else if (is == unknown) {
        // Whether the run may go on is not known, so nothing may come back to it.
        store<i32>(choice, choiceBranch);
        store<u32>(choice, <u32>giveUp, 4);
        store<u32>(choice, <u32>seek, 8);
      } else store<u32>(choice, <u32>nextCharacter(seek, end), 8);
      break;
    }
  }
}

// A program of one operation that no matcher knows: it ends the attempt.
const giveUp: usize = memory.data<i32>([-1]);

// @ts-ignore: decorator
@inline
function nextCharacter(at: usize, end: usize): usize {
  if (load<u8>(at++) >= 0x80) while (at < end && isContinuation(at)) at++;
  return at;
}

// As `assertionNumbers` of core/kernel/pattern_ops.ts. Returns 0, 1, or 2 for unknown.
function assertion(type: i32, at: usize, start: usize, end: usize): u32 {
  switch (type) {
    case 0:
      return at == start || (at < end && load<u8>(at - 1) == 10) ? 1 : 0;
    case 1:
      return at == end || load<u8>(at) == 10 ? 1 : 0;
    case 2:
      return at == start ? 1 : 0;
    case 3:
      return at == end ? 1 : 0;
    case 4:
      return at == end || (at + 1 == end && load<u8>(at) == 10) ? 1 : 0;
    case 5:
    case 6: {
      const before: u32 = at > start ? load<u8>(at - 1) : 32;
      const behind: u32 = at < end ? load<u8>(at) : 32;
      if (before >= 0x80 || behind >= 0x80) return unknown;
      const boundary = isWord(before) != isWord(behind);
      return boundary == (type == 5) ? 1 : 0;
    }
    default:
      return unknown;
  }
}

// @ts-ignore: decorator
@inline
function isWord(byte: u32): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 26 || byte == 0x5f;
}

function storeCaptures(run: Run, index: usize): bool {
  const targetCount = <usize>run.targetCount;
  const word = index << 2;
  fill(foundKinds, i8x16.splat(0), targetCount);
  for (let i: usize = 0; i < <usize>run.captureCount; i++) {
    const start = load<i32>(saves + (i << 3));
    const end = load<i32>(saves + (i << 3), 4);
    if (start < 0 || end < 0) continue;
    if (start == end && !run.keepEmpty) continue;
    const capture = changetype<Capture>(run.captures + i * captureBytes);
    const place = <usize>capture.target;
    // Two captures of one field are JavaScript's to join.
    if (load<u8>(foundKinds + place)) return false;
    const target = changetype<Target>(run.targets + place * targetBytes);
    if (!target.overwrite && load<u8>(target.kind + index)) return false;
    let kind: u8 = 1;
    if (capture.conversion) {
      if (!isCanonicalNumber(<usize>start, <usize>end, capture.conversion == 2)) return false;
      kind = 2;
    }
    store<u8>(foundKinds + place, kind);
    store<i32>(foundStarts + (place << 2), start);
    store<i32>(foundEnds + (place << 2), end);
  }
  for (let i: usize = 0; i < targetCount; i++) {
    const kind = load<u8>(foundKinds + i);
    if (!kind) continue;
    const target = changetype<Target>(run.targets + i * targetBytes);
    store<u8>(target.kind + index, kind);
    store<u32>(target.start + word, load<u32>(foundStarts + (i << 2)));
    store<u32>(target.end + word, load<u32>(foundEnds + (i << 2)));
  }
  return true;
}

/** True when JavaScript writes the number that this text says as this very text: at most 15
 *  digits, no needless zeros, no exponent. */
function isCanonicalNumber(at: usize, end: usize, fraction: bool): bool {
  const negative = at < end && load<u8>(at) == 0x2d;
  if (negative) at++;
  if (end - at > 16 || at >= end) return false;
  const first = at;
  while (at < end && isDigit(load<u8>(at))) at++;
  if (at == first || (at - first > 1 && load<u8>(first) == 0x30)) return false;
  if (at == end) return at - first <= 15 && !(negative && load<u8>(first) == 0x30);
  if (!fraction || load<u8>(at) != 0x2e) return false;
  const point = at++;
  while (at < end && isDigit(load<u8>(at))) at++;
  // 0.0000001 is written 1e-7.
  return at == end && at > point + 1 && at - point <= 6 && load<u8>(at - 1) != 0x30;
}
