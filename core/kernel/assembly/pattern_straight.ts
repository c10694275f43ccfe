import { isText, Run, saves, Target, targetBytes } from './pattern_captures';
import { begins, blockTexts, limits, places, Step, stepBytes } from './pattern_block';
import { takeAll, takeInstead } from './pattern_steps';

/** The straight way through a program (core/kernel/pattern_straight.ts), for a block of texts at
 *  once: each step is done for all of them before the next one, so that what is decided is
 *  decided once and the processor works on several texts at a time. A text that fails anywhere
 *  is left to the matcher. */

/** Per text 1 when it came through. */
const through: usize = memory.data(64);
/** Begins and ends of what the captures took, 64 each; one more for what is not wanted. */
const spans: usize = memory.data(61952);
const spanBytes: usize = 512;
const unwantedSpans: usize = spans + 120 * spanBytes;

/** Takes the texts of the events [first, end) that may be answered; returns how many. */
export function beginBlock(run: Run, first: usize, end: usize): i32 {
  if (first + blockTexts == end && isWhole(run, first)) {
    const words = first << 2;
    for (let at: usize = 0; at < blockTexts << 2; at += 16) {
      const from = v128.load(run.starts + words + at);
      v128.store(places + at, from);
      v128.store(begins + at, from);
      v128.store(limits + at, v128.load(run.ends + words + at));
    }
    return <i32>blockTexts;
  }
  let count: i32 = 0;
  for (let i: usize = 0; i < blockTexts; i++) {
    const index = first + i;
    let at: u32 = 0;
    if (index < end && load<u8>(run.select + index) && isText(run, index)) {
      at = load<u32>(run.starts + (index << 2));
      store<u32>(limits + (i << 2), load<u32>(run.ends + (index << 2)));
      count++;
    }
    store<u32>(places + (i << 2), at);
    store<u32>(begins + (i << 2), at);
  }
  return count;
}

/** True when all events of a full block are selected and have texts that may be answered. */
function isWhole(run: Run, first: usize): bool {
  const zero = i8x16.splat(0);
  const one = i8x16.splat(1);
  let unfit = zero;
  for (let at = first; at < first + blockTexts; at += 16) {
    unfit = v128.or(unfit, i8x16.eq(v128.load(run.select + at), zero));
    if (run.kinds) unfit = v128.or(unfit, i8x16.ne(v128.load(run.kinds + at), one));
    if (run.rootKinds) unfit = v128.or(unfit, v128.load(run.rootKinds + at));
  }
  return !v128.any_true(unfit);
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
  for (let i: usize = 0; i < blockTexts; i += 16) {
    const low = i16x8.narrow_i32x4_s(come(i), come(i + 4));
    const high = i16x8.narrow_i32x4_s(come(i + 8), come(i + 12));
    const came = i8x16.narrow_i16x8_s(low, high);
    v128.store(through + i, i8x16.neg(came));
    count += popcnt(i8x16.bitmask(came));
  }
  return count;
}

// @ts-ignore: decorator
@inline
function come(at: usize): v128 {
  return i32x4.ne(v128.load(places + (at << 2)), i32x4.splat(0));
}

// @ts-ignore: decorator
@inline
export function cameThrough(place: usize): bool {
  return load<u8>(through + place) != 0;
}

/** A text that came through is the matcher's after all. */
export function leave(place: usize): void {
  store<u8>(through + place, 0);
}

/** Stores 1 as the result of the selected events [first, end) that came through, else 0, and
 *  returns a bit for each of the others. */
export function storeResults(run: Run, first: usize, end: usize): u64 {
  const zero = i8x16.splat(0);
  let others: u64 = 0;
  for (let at: usize = 0; at < blockTexts; at += 16) {
    const selected = i8x16.ne(v128.load(run.select + first + at), zero);
    const came = v128.load(through + at);
    const result = run.result + first + at;
    v128.store(result, v128.bitselect(came, v128.load(result), selected));
    const left = i8x16.bitmask(v128.and(selected, i8x16.eq(came, zero)));
    others |= <u64>(<u32>left) << <u64>at;
  }
  const count = <u64>(end - first);
  return count < 64 ? others & (((<u64>1) << count) - 1) : others;
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
