import {
  fastEnd,
  httpDateEnd,
  ipv4EndApart,
  numberEndApart,
  quotedEnd,
} from './pattern_shortcuts';
import { begins, blockTexts, limits, places, Step } from './pattern_block';
import { bitOfHigh, highMode, highOf, lowBits, runEnd, stopsIn } from './pattern_text';

// As `shortcutNumbers` of core/kernel/pattern_shortcuts.ts and `straightKinds` of
// core/kernel/pattern_straight.ts.
const stepIpv4: i32 = 0;
const stepHttpDate: i32 = 1;
const stepNumber: i32 = 2;
const stepQuoted: i32 = 3;
const stepNothing: i32 = 16;
const stepRun: i32 = 17;
const stepLongRun: i32 = 18;

const wordsEnd: usize = blockTexts << 2;

/** Does one step for all texts of the block: spans go to the arrays `from` and `to`. */
export function takeAll(step: Step, from: usize, to: usize): void {
  switch (step.kind) {
    case stepNothing:
      return takeNothing(step);
    case stepRun:
      return takeRuns(step, from, to);
    case stepLongRun:
      return takeLongRuns(step, from, to);
    case stepIpv4:
      return step.apart ? takeIpv4(step, from, to) : takeOthers(step, from, to);
    case stepHttpDate:
      return takeHttpDates(step, from, to);
    case stepNumber:
      return step.apart ? takeNumbers(step, from, to) : takeOthers(step, from, to);
    case stepQuoted:
      return takeQuoted(step, from, to);
    default:
      return takeOthers(step, from, to);
  }
}

/** A text's next place: 0 when `stop` is, for no byte that must follow is 0, or when what must
 *  follow does not. */
// @ts-ignore: decorator
@inline
function nextPlace(stop: usize, end: usize, bytes: usize, next: u64, mask: u64): u32 {
  const place = stop + bytes;
  const good = i32(place <= end) & i32((load<u64>(stop) & mask) == next);
  return good ? <u32>place : 0;
}

function takeNothing(step: Step): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    store<u32>(places + word, nextPlace(at, <usize>load<u32>(limits + word), bytes, next, mask));
  }
}

function takeRuns(step: Step, from: usize, to: usize): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  const set = step.set;
  const least = step.least;
  const half = highMode(set) == 2;
  const low = v128.load(set);
  const high = highOf(set);
  const bits = v128.load(bitOfHigh);
  const fifteen = v128.load(lowBits);
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    const stops = stopsIn(v128.load(at), low, high, bits, fifteen);
    let stop = at + <usize>ctz(stops);
    if (!stops) stop = runEnd(set, at + 16, end);
    if (stop > end) stop = end;
    store<u32>(from + word, <u32>at);
    store<u32>(to + word, <u32>stop);
    if (stop - at < least || (half && isHalfKnown(stop, end))) stop = 0;
    store<u32>(places + word, nextPlace(stop, end, bytes, next, mask));
  }
}

/** Where a class knows nothing of characters beyond ASCII, no run may end before one. */
// @ts-ignore: decorator
@inline
function isHalfKnown(stop: usize, end: usize): bool {
  return stop < end && load<u8>(stop) >= 0x80;
}

/** As `takeRuns`, without a branch on whether a run is longer than 16 bytes. */
function takeLongRuns(step: Step, from: usize, to: usize): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  const set = step.set;
  const least = step.least;
  const half = highMode(set) == 2;
  const low = v128.load(set);
  const high = highOf(set);
  const bits = v128.load(bitOfHigh);
  const fifteen = v128.load(lowBits);
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    const stops =
      stopsIn(v128.load(at), low, high, bits, fifteen) |
      (stopsIn(v128.load(at, 16), low, high, bits, fifteen) << 16);
    let stop = at + <usize>ctz(stops);
    if (!stops) stop = runEnd(set, at + 32, end);
    if (stop > end) stop = end;
    store<u32>(from + word, <u32>at);
    store<u32>(to + word, <u32>stop);
    if (stop - at < least || (half && isHalfKnown(stop, end))) stop = 0;
    store<u32>(places + word, nextPlace(stop, end, bytes, next, mask));
  }
}

function takeIpv4(step: Step, from: usize, to: usize): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const stop = ipv4EndApart(at);
    store<u32>(from + word, <u32>at);
    store<u32>(to + word, <u32>stop);
    const end = <usize>load<u32>(limits + word);
    store<u32>(places + word, nextPlace(stop, end, bytes, next, mask));
  }
}

function takeHttpDates(step: Step, from: usize, to: usize): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    const stop = httpDateEnd(at, <usize>load<u32>(begins + word), end);
    store<u32>(from + word, <u32>at);
    store<u32>(to + word, <u32>stop);
    store<u32>(places + word, nextPlace(stop, end, bytes, next, mask));
  }
}

function takeNumbers(step: Step, from: usize, to: usize): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    const stop = numberEndApart(at, end);
    store<u32>(from + word, <u32>at);
    store<u32>(to + word, <u32>stop);
    store<u32>(places + word, nextPlace(stop, end, bytes, next, mask));
  }
}

function takeQuoted(step: Step, from: usize, to: usize): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    const stop = quotedEnd(at, <usize>load<u32>(begins + word), end);
    store<u32>(from + word, <u32>at);
    store<u32>(to + word, <u32>stop);
    store<u32>(places + word, nextPlace(stop, end, bytes, next, mask));
  }
}

function takeOthers(step: Step, from: usize, to: usize): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    const stop = fastEnd(step.kind, at, <usize>load<u32>(begins + word), end);
    store<u32>(from + word, <u32>at);
    store<u32>(to + word, <u32>stop);
    store<u32>(places + word, nextPlace(stop, end, bytes, next, mask));
  }
}

/** As `takeAll` where a byte may stand instead of what is taken; that is not captured. */
export function takeInstead(step: Step, from: usize, to: usize): void {
  const bytes = step.nextBytes;
  const next = step.next;
  const mask = step.nextMask;
  const set = step.set;
  const number = step.kind == stepNumber && step.apart;
  for (let word: usize = 0; word < wordsEnd; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    let stop: usize;
    if (at < end && load<u8>(at) == step.instead) {
      stop = at + 1;
      store<i32>(from + word, -1);
      store<i32>(to + word, -1);
    } else {
      if (set) {
        stop = runEnd(set, at, end);
        if (stop - at < step.least || (highMode(set) == 2 && isHalfKnown(stop, end))) stop = 0;
      } else if (number) stop = numberEndApart(at, end);
      else stop = fastEnd(step.kind, at, <usize>load<u32>(begins + word), end);
      store<u32>(from + word, <u32>at);
      store<u32>(to + word, <u32>stop);
    }
    store<u32>(places + word, nextPlace(stop, end, bytes, next, mask));
  }
}
