import { isDigit } from './bytes';
import { fill } from './pattern_text';

// What core/kernel/grok_program.ts puts into memory before a call.
@unmanaged
export class Run {
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
  /** Every capture is text and has a target of its own, at the same place in the list. */
  direct: i32;
  /** The program's straight way (pattern_straight.ts). */
  steps: usize;
  stepCount: i32;
}

/** True when the kernel may answer for this event. */
// @ts-ignore: decorator
@inline
export function isText(run: Run, index: usize): bool {
  if (run.kinds && load<u8>(run.kinds + index) != 1) return false;
  return !run.rootKinds || !load<u8>(run.rootKinds + index);
}

@unmanaged
export class Target {
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

export const targetBytes: usize = 16;
const captureBytes: usize = 8;

// Values found for the targets of one text.
const foundKinds: usize = memory.data(80);
const foundStarts: usize = memory.data(256);
const foundEnds: usize = memory.data(256);

/** Where each group's text stands: start and end, -1 for none. Two slots more than captures may
 *  have: for what is matched and not wanted. */
export const saves: usize = memory.data(1040);
/** The first of those two. */
export const unwanted: usize = 240;

/** Stores the spans of the groups that took part into the targets' columns of one event; false,
 *  and nothing stored, when that is for JavaScript to do. */
export function storeCaptures(run: Run, index: usize): bool {
  const targetCount = <usize>run.targetCount;
  const word = index << 2;
  fill(foundKinds, i8x16.splat(0), targetCount);
  for (let i: usize = 0; i < <usize>run.captureCount; i++) {
    const start = load<i32>(saves + (i << 3));
    const end = load<i32>(saves + (i << 3), 4);
    if (start < 0 || end < 0) {
      // The field would become null.
      if (run.keepEmpty) return false;
      continue;
    }
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

/** True when the targets of these captures can be filled without a look at what is there: they
 *  are empty in all events. */
export function mayStoreDirectly(run: Run): bool {
  if (!run.direct || run.keepEmpty) return false;
  let any = i8x16.splat(0);
  for (let i: usize = 0; i < <usize>run.targetCount; i++) {
    const kind = changetype<Target>(run.targets + i * targetBytes).kind;
    const end = kind + <usize>run.count;
    let at = kind;
    for (; at + 16 <= end; at += 16) any = v128.or(any, v128.load(at));
    for (; at < end; at++) if (load<u8>(at)) return false;
  }
  return !v128.any_true(any);
}

/** As `storeCaptures` for targets of which `mayStoreDirectly` is true. */
// @ts-ignore: decorator
@inline
export function storeDirectly(run: Run, index: usize): void {
  const word = index << 2;
  const end = run.targets + <usize>run.targetCount * targetBytes;
  let save = saves;
  for (let at = run.targets; at < end; at += targetBytes) {
    const target = changetype<Target>(at);
    const from = load<i32>(save);
    const to = load<i32>(save, 4);
    save += 8;
    store<i32>(target.start + word, from);
    store<i32>(target.end + word, to);
    // A group without a part has -1 in both.
    store<u8>(target.kind + index, <u8>(i32(from >= 0) & i32(from < to)));
  }
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
