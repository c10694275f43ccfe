import { matchAt } from './pattern';
import { blockTexts } from './pattern_block';
import {
  isText,
  mayStoreDirectly,
  Run,
  saves,
  storeCaptures,
  storeDirectly,
} from './pattern_captures';
import {
  beginBlock,
  cameThrough,
  goStraight,
  leave,
  loadSaves,
  storeBlock,
  storeResults,
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
    if (begun == 0) {
      for (let i = first; i < end; i++) {
        if (load<u8>(run.select + i)) done += matchOne(run, i, direct);
      }
      continue;
    }
    const through = goStraight(run, first, direct);
    // Texts of another kind would pay for both ways.
    if (through * 2 < begun) straight = false;
    if (direct) {
      storeBlock(run, first);
      done += through;
    } else done += storeOneByOne(run, first, end);
    for (let others = storeResults(run, first, end); others; others &= others - 1) {
      done += matchOne(run, first + <usize>ctz(others), direct);
    }
  }
  return done;
}

/** Asks the matcher, stores the captures and the result; 1 when the event is done. */
function matchOne(run: Run, index: usize, direct: bool): i32 {
  let matched = false;
  if (isText(run, index)) {
    fill(saves, i8x16.splat(-1), <usize>run.captureCount << 3);
    const start = <usize>load<u32>(run.starts + (index << 2));
    matched = matchAt(run.program, start, <usize>load<u32>(run.ends + (index << 2)));
    if (matched) {
      if (direct) storeDirectly(run, index);
      else matched = storeCaptures(run, index);
    }
  }
  store<u8>(run.result + index, matched ? 1 : 0);
  return <i32>matched;
}

/** Stores the captures of the texts that came through; returns of how many. What cannot be stored
 *  is the matcher's to find out again. */
function storeOneByOne(run: Run, first: usize, end: usize): i32 {
  let stored: i32 = 0;
  for (let i = first; i < end; i++) {
    if (!cameThrough(i - first)) continue;
    fill(saves, i8x16.splat(-1), <usize>run.captureCount << 3);
    loadSaves(run, i - first);
    if (storeCaptures(run, i)) stored++;
    else leave(i - first);
  }
  return stored;
}
