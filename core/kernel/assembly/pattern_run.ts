import { matchAt } from './pattern';
import { mayStoreDirectly, Run, saves, storeCaptures, storeDirectly } from './pattern_captures';
import {
  beginBlock,
  blockTexts,
  cameThrough,
  goStraight,
  loadSaves,
  storeBlock,
} from './pattern_straight';
import { fill } from './pattern_text';

/** Matches the selected texts and fills the targets' columns; `result` gets 1 for an event that
 *  is done and 0 for one that JavaScript must do. Returns how many are done. */
export function matchTexts(run: Run): i32 {
  let done: i32 = 0;
  const count = <usize>run.count;
  const direct = mayStoreDirectly(run);
  let straight = run.stepCount > 0;
  for (let first: usize = 0; first < count; first += blockTexts) {
    const end = first + blockTexts < count ? first + blockTexts : count;
    const begun = straight ? beginBlock(run, first, end) : 0;
    if (begun) {
      const through = goStraight(run, first, direct);
      if (direct) storeBlock(run, first);
      // Texts of another kind would pay for both ways.
      if (through * 2 < begun) straight = false;
    }
    for (let i = first; i < end; i++) {
      if (!load<u8>(run.select + i)) continue;
      let matched = false;
      if (begun && cameThrough(i - first)) {
        matched = true;
        if (!direct) {
          fill(saves, i8x16.splat(-1), <usize>run.captureCount << 3);
          loadSaves(run, i - first);
          matched = storeCaptures(run, i);
        }
      } else if (isText(run, i)) {
        fill(saves, i8x16.splat(-1), <usize>run.captureCount << 3);
        const start = <usize>load<u32>(run.starts + (i << 2));
        matched = matchAt(run.program, start, <usize>load<u32>(run.ends + (i << 2)));
        if (matched) {
          if (direct) storeDirectly(run, i);
          else matched = storeCaptures(run, i);
        }
      }
      store<u8>(run.result + i, matched ? 1 : 0);
      if (matched) done++;
    }
  }
  return done;
}

/** True when the kernel may answer for this event. */
// @ts-ignore: decorator
@inline
export function isText(run: Run, index: usize): bool {
  if (run.kinds && load<u8>(run.kinds + index) != 1) return false;
  return !run.rootKinds || !load<u8>(run.rootKinds + index);
}
