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
  /** The expression has not run yet. It is compiled in its first two runs, once to be interpreted and once
   *  to machine code, which a busy machine may take long for: they say nothing of the item. */
  readonly isCold?: boolean;
}

export interface GuardOutcome {
  /** Items given up, ascending. */
  readonly timedOut: readonly number[];
}

/** Times of a machine; a test brings its own. */
export interface GuardClock {
  readonly wallMs: () => number;
  /** Time that the processor gave to this thread, or to this process where threads are not told apart. */
  readonly processorMs: () => number;
}

interface Holder {
  run: () => void;
}

let guarded: { script: vm.Script; context: vm.Context; holder: Holder } | undefined;

/** How often an item runs alone because the processor was busy elsewhere, each time for twice as long. */
const aloneMax = 5;

/** Runs all items so that none takes much longer than `timeoutMs`; one that does is given up and its
 *  neighbours go on. A call costs 40–150 us, so guard batches, not lines.
 *
 *  JavaScript's regular expressions can be stopped only by a time limit on a `vm` script; the limit
 *  holds for host functions that the script calls, and is one of the wall clock. A batch that is slow
 *  as a whole must not condemn the item it happens to stop at, nor a busy machine one that hardly ran:
 *  unless the item had most of the time already, it runs again with the whole time for itself alone,
 *  and until the processor gave it that time. The first item runs again in any case, since it may
 *  have paid for compiling the expression. */
export function runGuarded(
  work: GuardedWork,
  timeoutMs: number,
  { givenUpMax = Number.POSITIVE_INFINITY, isCold = false }: GuardLimits = {},
  clock: GuardClock = machineClock,
): GuardOutcome {
  const timedOut: number[] = [];
  let itemBeganMs = 0;
  const runTo = (end: number) => {
    while (work.progress < end && timedOut.length < givenUpMax) {
      itemBeganMs = clock.wallMs();
      takeStep(work, timedOut);
    }
  };
  const runAlone = (item: number, freeAttempts: number) => {
    for (let attempt = 0, limitMs = timeoutMs; attempt < aloneMax; attempt++, limitMs *= 2) {
      const processorMs = clock.processorMs();
      if (callWithin(() => runTo(item + 1), limitMs) || work.progress > item) return;
      if (attempt < freeAttempts) continue;
      if (clock.processorMs() - processorMs >= timeoutMs * 0.75) return;
    }
  };
  while (work.progress < work.count && timedOut.length < givenUpMax) {
    const beganMs = clock.wallMs();
    const processorMs = clock.processorMs();
    if (callWithin(() => runTo(work.count), timeoutMs)) break;
    const suspect = work.progress;
    if (suspect >= work.count) break;
    // The others had no more of the processor than time went by until this one began.
    const ownMs = clock.processorMs() - processorMs - (itemBeganMs - beganMs);
    const isFirst = isCold && timedOut.length === 0;
    if (isFirst || suspect === 0 || ownMs < timeoutMs / 2) runAlone(suspect, isFirst ? 1 : 0);
    if (work.progress === suspect) {
      timedOut.push(suspect);
      work.progress++;
    }
  }
  return { timedOut };
}

const machineClock: GuardClock = {
  wallMs: () => performance.now(),
  processorMs: () => {
    // Node 23.9 and later tell threads apart; the types are those of Node 20.
    const { threadCpuUsage = process.cpuUsage } = process as Partial<
      Record<'threadCpuUsage', typeof process.cpuUsage>
    >;
    const { user, system } = threadCpuUsage.call(process);
    return (user + system) / 1000;
  },
};

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

/** Does the next item; one that gives itself up is noted. */
export function takeStep(work: GuardedWork, timedOut: number[]): void {
  try {
    work.step(work.progress);
  } catch (error) {
    if (!(error instanceof RegexBudgetError)) throw error;
    timedOut.push(work.progress);
  }
  work.progress++;
}
