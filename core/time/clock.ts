/** The time and the timers that the engine uses, so that tests can bring their own. */
export interface Clock {
  /** Unix time in milliseconds, with a fraction where the system has one. */
  nowMs(): number;
  /** Milliseconds that only go forward, for ages and deadlines. */
  monotonicMs(): number;
  /** Calls `work` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, work: () => void): () => void;
  /** Calls `work` every `periodMs` until cancelled. Does not keep the process alive. */
  every(periodMs: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, work) {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number): void => {
      const isLast = restMs <= timerMsMax;
      const next = isLast ? work : () => wait(restMs - timerMsMax);
      timer = setTimeout(next, isLast ? restMs : timerMsMax);
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
  every(periodMs, work) {
    const timer = setInterval(work, Math.min(periodMs, timerMsMax));
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Node takes longer delays, some 25 days, for 1 ms. */
const timerMsMax = 2 ** 31 - 1;

/** Waits, or returns early when the signal aborts. Never throws. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}
