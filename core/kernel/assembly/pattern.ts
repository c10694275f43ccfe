import { sameBytes } from './bytes';
import { saves, unwanted } from './pattern_captures';
import { fastEnd } from './pattern_shortcuts';
import {
  assertion,
  classOf,
  isContinuation,
  nextCharacter,
  out,
  runEnd,
  runHas,
  unknown,
} from './pattern_text';

/** A backtracking matcher for patterns that core/kernel/lower_grok.ts lowered. It finds the
 *  match that begins at the first byte of a text, if there is one, exactly as a backtracking
 *  regular-expression engine does; whenever that is not certain it gives up, and JavaScript
 *  answers for that text.
 *
 *  A program is a list of 32-bit words: an operation, then its arguments. Positions in it are
 *  addresses; classes are those of pattern_text.ts. */

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
const opSpan: i32 = 23;
const opPeek: i32 = 24;
const opWord: i32 = 25;

// Choices to come back to, 24 bytes each: what kind, then what it needs; last, how many slots
// were filled. Coming back empties the slots above that, so that only a slot which is filled
// again needs a choice of its own to restore it.
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

/** Per nested group: stack height and position at its begin. */
const marks: usize = memory.data(512);

// @ts-ignore: decorator
@inline
function argument(pc: usize, index: i32): usize {
  return <usize>load<u32>(pc + 4 + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
function pushRestore(top: usize, slot: usize): usize {
  store<i32>(top, choiceRestore);
  store<u32>(top, <u32>slot, 4);
  store<i32>(top, load<i32>(slot), 8);
  return top + choiceBytes;
}

/** True when the program matches at the begin of [start, end); the captures are then in `saves`.
 *  False when it does not or gives up. */
// One long function: its state stays in registers, which is most of its speed.
export function matchAt(program: usize, start: usize, end: usize): bool {
  let pc = program;
  let at = start;
  let top = choices;
  let returns = 0;
  // Slots from here on are empty.
  let filled: usize = 0;
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
            store<u32>(top, <u32>filled, 20);
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
        store<u32>(top, <u32>filled, 20);
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
          store<u32>(top, <u32>filled, 20);
          top += choiceBytes;
        }
        pc += 16;
        break;
      }
      case opJump:
        pc = argument(pc, 0);
        break;
      case opSave: {
        const number = argument(pc, 0);
        const slot = saves + (number << 2);
        if (number >= filled) filled = number + 1;
        else if (top != choices) {
          if (top >= choicesEnd) return false;
          top = pushRestore(top, slot);
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
        store<u32>(top, <u32>filled, 20);
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
          if (slot >= filled && slot < unwanted) filled = slot + 2;
          at = stop;
          const then = <i32>argument(pc, 3);
          if (then >= 0 && (at >= end || load<u8>(at) != then)) return false;
          if (then >= 0) at++;
          pc = argument(pc, 1);
        } else pc += 20;
        break;
      }
      case opContains: {
        pc = runHas(argument(pc, 0), at, end, load<u8>(pc + 8)) ? pc + 16 : argument(pc, 2);
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
        const number = argument(pc, 3);
        const slot = saves + (number << 2);
        if (number >= filled) filled = number + 2;
        else if (top != choices) {
          if (top + choiceBytes >= choicesEnd) return false;
          top = pushRestore(pushRestore(top, slot), slot + 4);
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
      case opSpan: {
        // As a field of a class without bytes beyond ASCII, of any length but none.
        const stop = runEnd(argument(pc, 0), at, end);
        if (stop == at) {
          failed = true;
          break;
        }
        const number = argument(pc, 1);
        const slot = saves + (number << 2);
        if (number >= filled) filled = number + 2;
        else if (top != choices) {
          if (top + choiceBytes >= choicesEnd) return false;
          top = pushRestore(pushRestore(top, slot), slot + 4);
        }
        store<u32>(slot, <u32>at);
        store<u32>(slot, <u32>stop, 4);
        at = stop;
        const then = <i32>argument(pc, 2);
        if (then < 0) pc += 16;
        else if (at < end && load<u8>(at) == then) {
          at++;
          pc += 24;
        } else failed = true;
        break;
      }
      case opPeek: {
        const stop = runEnd(argument(pc, 0), at, end);
        const number = argument(pc, 2);
        if (stop == at || (stop < end && classOf(argument(pc, 1), stop)) || number < filled) {
          pc += 20;
          break;
        }
        filled = number + 2;
        store<u32>(saves + (number << 2), <u32>at);
        store<u32>(saves + (number << 2), <u32>stop, 4);
        at = stop;
        pc = argument(pc, 3);
        break;
      }
      case opWord: {
        const length = argument(pc, 2);
        if (end - at >= length && (load<u32>(at) & <u32>argument(pc, 1)) == <u32>argument(pc, 0)) {
          at += length;
          pc += 16;
        } else failed = true;
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
      if (kind == choiceRestore) {
        top = choice;
        store<i32>(<usize>load<u32>(choice, 4), load<i32>(choice, 8));
        continue;
      }
      for (const before = <usize>load<u32>(choice, 20); filled > before; ) {
        store<i32>(saves + (--filled << 2), -1);
      }
      if (kind == choiceBranch) {
        top = choice;
        pc = <usize>load<u32>(choice, 4);
        at = <usize>load<u32>(choice, 8);
        break;
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
