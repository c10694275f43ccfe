import { Run, saves, Target, targetBytes } from './pattern_captures';
import { fastEnd, httpDateEnd, ipv4End, numberEnd, quotedEnd } from './pattern_shortcuts';
import { highMode, runEnd, runEndWide } from './pattern_text';

/** The straight way through a program (core/kernel/pattern_straight.ts), for a block of texts at
 *  once: each step is done for all of them before the next one, so that what is decided is
 *  decided once and the processor works on several texts at a time. A text that fails anywhere
 *  is left to the matcher. */

/** Events in a block; `layout.eventsMax` is a multiple of it. */
export const blockTexts: usize = 64;

@unmanaged
class Step {
  kind: i32;
  set: usize;
  least: usize;
  instead: i32;
  capture: i32;
  thenBytes: usize;
  then: u64;
  thenMask: u64;
}

const stepBytes: usize = 40;

// As `shortcutNumbers` of core/kernel/pattern_shortcuts.ts and `straightKinds` of
// core/kernel/pattern_straight.ts.
const stepIpv4: i32 = 0;
const stepHttpDate: i32 = 1;
const stepNumber: i32 = 2;
const stepQuoted: i32 = 3;
const stepNothing: i32 = 16;
const stepRun: i32 = 17;
const stepLongRun: i32 = 18;

// Per text of the block: where it is to be read on, 0 when it is left to the matcher; its begin
// and its end.
const places: usize = memory.data(256);
const begins: usize = memory.data(256);
const limits: usize = memory.data(256);
/** Per text 1 when it came through. */
const through: usize = memory.data(64);
/** Begins and ends of what the captures took, 64 each; one more for what is not wanted. */
const spans: usize = memory.data(61952);
const spanBytes: usize = 512;
const unwantedSpans: usize = spans + 120 * spanBytes;

/** Takes the texts of the events [first, end) that may be answered; returns how many. */
export function beginBlock(run: Run, first: usize, end: usize): i32 {
  let count: i32 = 0;
  for (let i: usize = 0; i < blockTexts; i++) {
    const index = first + i;
    let at: u32 = 0;
    if (
      index < end &&
      load<u8>(run.select + index) &&
      (!run.kinds || load<u8>(run.kinds + index) == 1) &&
      (!run.rootKinds || !load<u8>(run.rootKinds + index))
    ) {
      at = load<u32>(run.starts + (index << 2));
      store<u32>(limits + (i << 2), load<u32>(run.ends + (index << 2)));
      count++;
    }
    store<u32>(places + (i << 2), at);
    store<u32>(begins + (i << 2), at);
  }
  return count;
}

/** Goes the way with all texts of the block and returns how many came through. With `direct`,
 *  spans go right into the targets' columns. */
export function goStraight(run: Run, first: usize, direct: bool): i32 {
  for (let i = 0; i < run.stepCount; i++) {
    const step = changetype<Step>(run.steps + <usize>i * stepBytes);
    let from = unwantedSpans;
    let to = unwantedSpans + (blockTexts << 2);
    if (step.capture >= 0) {
      if (direct) {
        const target = changetype<Target>(run.targets + <usize>step.capture * targetBytes);
        from = target.start + (first << 2);
        to = target.end + (first << 2);
      } else {
        from = spans + <usize>step.capture * spanBytes;
        to = from + (blockTexts << 2);
      }
    }
    if (step.instead >= 0) takeInstead(step, from, to);
    else takeAll(step, from, to);
  }
  let count: i32 = 0;
  for (let i: usize = 0; i < blockTexts; i++) {
    const came = load<u32>(places + (i << 2)) != 0;
    store<u8>(through + i, <u8>came);
    count += <i32>came;
  }
  return count;
}

// @ts-ignore: decorator
@inline
export function cameThrough(place: usize): bool {
  return load<u8>(through + place) != 0;
}

/** Sets the kinds of the targets of the texts that came through; those of the others stay 0. */
export function storeBlock(run: Run, first: usize): void {
  for (let i = 0; i < run.stepCount; i++) {
    const capture = changetype<Step>(run.steps + <usize>i * stepBytes).capture;
    if (capture < 0) continue;
    const target = changetype<Target>(run.targets + <usize>capture * targetBytes);
    const from = target.start + (first << 2);
    const to = target.end + (first << 2);
    const kinds = target.kind + first;
    for (let at: usize = 0; at < blockTexts; at += 16) {
      // Where nothing was captured, begin and end are the same.
      const low = i16x8.narrow_i32x4_s(fuller(from, to, at), fuller(from, to, at + 4));
      const high = i16x8.narrow_i32x4_s(fuller(from, to, at + 8), fuller(from, to, at + 12));
      const kept = v128.and(v128.load(through + at), i8x16.narrow_i16x8_s(low, high));
      v128.store(kinds + at, kept);
    }
  }
}

// @ts-ignore: decorator
@inline
function fuller(from: usize, to: usize, at: usize): v128 {
  return i32x4.gt_s(v128.load(to + (at << 2)), v128.load(from + (at << 2)));
}

/** Puts what a text's captures took where the matcher puts it. */
export function loadSaves(run: Run, place: usize): void {
  for (let i = 0; i < run.stepCount; i++) {
    const step = changetype<Step>(run.steps + <usize>i * stepBytes);
    if (step.capture < 0) continue;
    const from = spans + <usize>step.capture * spanBytes + (place << 2);
    const slot = saves + (<usize>step.capture << 3);
    store<u32>(slot, load<u32>(from));
    store<u32>(slot, load<u32>(from + (blockTexts << 2)), 4);
  }
}

function takeAll(step: Step, from: usize, to: usize): void {
  switch (step.kind) {
    case stepNothing:
      return takeNothing(step);
    case stepRun:
      return takeRuns(step, from, to);
    case stepLongRun:
      return takeLongRuns(step, from, to);
    case stepIpv4:
      return takeIpv4(step, from, to);
    case stepHttpDate:
      return takeHttpDates(step, from, to);
    case stepNumber:
      return takeNumbers(step, from, to);
    case stepQuoted:
      return takeQuoted(step, from, to);
    default:
      return takeOthers(step, from, to);
  }
}

/** Notes a text's span and its next place: 0 when `stop` is, or what must follow does not. */
// @ts-ignore: decorator
@inline
function put(step: Step, word: usize, from: usize, to: usize, at: usize, stop: usize): void {
  const next = stop + step.thenBytes;
  const good =
    i32(stop != 0) &
    i32(next <= <usize>load<u32>(limits + word)) &
    i32((load<u64>(stop) & step.thenMask) == step.then);
  store<u32>(from + word, <u32>at);
  store<u32>(to + word, <u32>stop);
  store<u32>(places + word, good ? <u32>next : 0);
}

function takeNothing(step: Step): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (at) put(step, word, unwantedSpans, unwantedSpans, at, at);
  }
}

// @ts-ignore: decorator
@inline
function endOfRun(step: Step, at: usize, end: usize, stop: usize): usize {
  if (stop - at < step.least) return 0;
  // Where a class knows nothing of bytes beyond ASCII, a run may end only before others.
  if (highMode(step.set) == 2 && stop < end && load<u8>(stop) >= 0x80) return 0;
  return stop;
}

function takeRuns(step: Step, from: usize, to: usize): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    put(step, word, from, to, at, endOfRun(step, at, end, runEnd(step.set, at, end)));
  }
}

function takeLongRuns(step: Step, from: usize, to: usize): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    put(step, word, from, to, at, endOfRun(step, at, end, runEndWide(step.set, at, end)));
  }
}

function takeIpv4(step: Step, from: usize, to: usize): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const stop = ipv4End(at, <usize>load<u32>(begins + word), <usize>load<u32>(limits + word));
    put(step, word, from, to, at, stop);
  }
}

function takeHttpDates(step: Step, from: usize, to: usize): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const stop = httpDateEnd(at, <usize>load<u32>(begins + word), <usize>load<u32>(limits + word));
    put(step, word, from, to, at, stop);
  }
}

function takeNumbers(step: Step, from: usize, to: usize): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const stop = numberEnd(at, <usize>load<u32>(begins + word), <usize>load<u32>(limits + word));
    put(step, word, from, to, at, stop);
  }
}

function takeQuoted(step: Step, from: usize, to: usize): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const stop = quotedEnd(at, <usize>load<u32>(begins + word), <usize>load<u32>(limits + word));
    put(step, word, from, to, at, stop);
  }
}

function takeOthers(step: Step, from: usize, to: usize): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const start = <usize>load<u32>(begins + word);
    put(step, word, from, to, at, fastEnd(step.kind, at, start, <usize>load<u32>(limits + word)));
  }
}

/** As `takeAll` where a byte may stand instead of what is taken. */
function takeInstead(step: Step, from: usize, to: usize): void {
  for (let word: usize = 0; word < blockTexts << 2; word += 4) {
    const at = <usize>load<u32>(places + word);
    if (!at) continue;
    const end = <usize>load<u32>(limits + word);
    if (at < end && load<u8>(at) == step.instead) {
      put(step, word, from, to, at, at + 1);
      // Not captured.
      store<i32>(from + word, -1);
      store<i32>(to + word, -1);
      continue;
    }
    let stop: usize;
    if (step.set) stop = endOfRun(step, at, end, runEndWide(step.set, at, end));
    else stop = fastEnd(step.kind, at, <usize>load<u32>(begins + word), end);
    put(step, word, from, to, at, stop);
  }
}
