import { callWithin, type GuardedWork, type GuardOutcome, takeStep } from './guard.ts';

/** Processor time that the texts which are given up may take of one turn of the event loop together. */
const turnMs = 28;
/** Time of all texts before the first that is given up, and of each behind it. */
const firstMs = 6;
const laterMs = 2;
/** How often a text is tried again because other programs had the processor meanwhile. */
const preemptedMax = 8;

/** A thread has one event loop, which all expressions in it share: so they share what is left. */
let leftMs = turnMs;
let isRenewing = false;

/** Like `runGuarded`, for work that cannot rest between its texts: expressions that run away take
 *  about 28 ms of a turn of the event loop, however many they are and however many texts they run
 *  away on, so that the batches of others have theirs. When that is used up, `isRisky` texts are
 *  given up untried until the next turn; the others are matched as always. */
export function runInTurn(
  work: GuardedWork,
  timeoutMs: number,
  isRisky: (index: number) => boolean = () => true,
): GuardOutcome {
  const timedOut: number[] = [];
  const runTo = (end: number) => {
    while (work.progress < end) takeStep(work, timedOut);
  };
  while (work.progress < work.count) {
    const isFirst = leftMs === turnMs;
    if (!isFirst && leftMs < laterMs) {
      if (isRisky(work.progress)) timedOut.push(work.progress++);
      else takeStep(work, timedOut);
      continue;
    }
    if (callWithin(() => runTo(work.count), isFirst ? firstMs : laterMs)) break;
    const suspect = work.progress;
    if (suspect >= work.count) break;
    // A batch that is slow as a whole must not condemn the text that it happens to stop at.
    if (hasTime(() => runTo(suspect + 1), isFirst ? timeoutMs : laterMs)) continue;
    if (work.progress > suspect) continue;
    timedOut.push(suspect);
    work.progress++;
    charge(isFirst ? firstMs + timeoutMs : 2 * laterMs);
  }
  return { timedOut };
}

/** Whether something ends within so much time of the processor. The watchdog's time is the clock's,
 *  and passes while other programs run. */
function hasTime(run: () => void, timeoutMs: number): boolean {
  let usedMs = 0;
  for (let attempt = 0; attempt < preemptedMax && usedMs < timeoutMs * 0.7; attempt++) {
    const before = process.cpuUsage();
    if (callWithin(run, timeoutMs)) return true;
    const { user, system } = process.cpuUsage(before);
    // It begins anew each time: what it had at most counts.
    usedMs = Math.max(usedMs, (user + system) / 1000);
  }
  return false;
}

function charge(ms: number): void {
  leftMs = Math.max(0, leftMs - ms);
  if (isRenewing) return;
  isRenewing = true;
  setImmediate(() => {
    leftMs = turnMs;
    isRenewing = false;
  });
}
