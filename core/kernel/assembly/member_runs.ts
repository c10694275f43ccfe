import { listShape } from './member_list';

/** Which members of a list are written, as runs that stand side by side in the source. Lists of
 *  one shape have the same, as long as the same fields are touched: they are worked out once.
 *
 *  A run is the offsets of its first and its last member in the list, 8 bytes. */
export const runs: usize = memory.data(128 * 8, 16);
const runsMost: usize = 128;

/** Behind the last run. */
export let runsEnd: usize = runs;
/** Which added members are undecided behind the list. */
export let undecidedBehind: u32 = 0;

// What the runs hold for.
let shape: u32 = 0;
let touched: u64 = 0;
let undecided: u32 = 0;

/** Forgets the runs: they hold for certain columns and added members. */
export function forgetRuns(): void {
  shape = 0;
}

/** True when the runs hold for this list, with these fields touched and members undecided. */
// @ts-ignore: decorator
@inline
export function holdRuns(list: usize, touchedNow: u64, undecidedNow: u32): bool {
  return shape && listShape(list) == shape && touchedNow == touched && undecidedNow == undecided;
}

export function startRuns(): void {
  shape = 0;
  runsEnd = runs;
}

export function addRun(first: usize, last: usize): void {
  if (runsEnd < runs + runsMost * 8) {
    store<u32>(runsEnd, <u32>first);
    store<u32>(runsEnd, <u32>last, 4);
  }
  runsEnd += 8;
}

/** Says what the runs since `startRuns` hold for; false when there were too many. */
export function keepRuns(list: usize, touchedNow: u64, before: u32, behind: u32): bool {
  if (runsEnd > runs + runsMost * 8) return false;
  shape = listShape(list);
  touched = touchedNow;
  undecided = before;
  undecidedBehind = behind;
  return true;
}
