import vm from 'node:vm';
import { RegexBudgetError } from './backtracking_matcher.ts';

/** Items to match one after another. `step` must be able to run again for an item that was cut short. */
export interface GuardedWork {
  readonly count: number;
  /** Index of the item in progress. Set it to 0 to begin; the guard moves it on. */
  progress: number;
  step(index: number): void;
}

export interface GuardLimits {
  /** Items that may be given up before the call ends, so that others get their turn; all when absent.
   *  `progress` says where to go on. */
  readonly givenUpMax?: number;
}

export interface GuardOutcome {
  /** Items given up, ascending. */
  readonly timedOut: readonly number[];
}

interface Holder {
  run: () => void;
}

let guarded: { script: vm.Script; context: vm.Context; holder: Holder } | undefined;

/** Runs all items so that none takes much longer than `timeoutMs`; one that does is given up and its
 *  neighbours go on. A call costs 40–150 us, so guard batches, not lines.
 *
 *  JavaScript's regular expressions can be stopped only by a time limit on a `vm` script; the limit
 *  holds for host functions that the script calls. A batch that is slow as a whole must not condemn
 *  the item it happens to stop at: that item runs again with the whole time for itself alone. */
export function runGuarded(
  work: GuardedWork,
  timeoutMs: number,
  { givenUpMax = Number.POSITIVE_INFINITY }: GuardLimits = {},
): GuardOutcome {
  const timedOut: number[] = [];
  const runTo = (end: number) => {
    while (work.progress < end && timedOut.length < givenUpMax) {
      try {
        work.step(work.progress);
      } catch (error) {
        if (!(error instanceof RegexBudgetError)) throw error;
        timedOut.push(work.progress);
      }
      work.progress++;
    }
  };
  while (work.progress < work.count && timedOut.length < givenUpMax) {
    if (callWithin(() => runTo(work.count), timeoutMs)) break;
    const suspect = work.progress;
    if (suspect >= work.count) break;
    if (callWithin(() => runTo(suspect + 1), timeoutMs)) continue;
    if (work.progress === suspect) {
      timedOut.push(suspect);
      work.progress++;
    }
  }
  return { timedOut };
}

/** Calls `run`; false when the time ran out. The script and its context hold nothing between calls. */
export function callWithin(run: () => void, timeoutMs: number): boolean {
  guarded ??= createGuard();
  const { script, context, holder } = guarded;
  const outer = holder.run;
  holder.run = run;
  try {
    script.runInContext(context, { timeout: Math.max(1, Math.ceil(timeoutMs)) });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  } finally {
    holder.run = outer;
  }
}

function createGuard(): { script: vm.Script; context: vm.Context; holder: Holder } {
  const holder: Holder = { run: () => {} };
  // The context's global is the holder: the script calls whatever stands there now.
  return { script: new vm.Script('run()'), context: vm.createContext(holder), holder };
}
