/** Calls back once after a delay; returns what cancels it. */
export type Schedule = (delayMs: number, callback: () => void) => () => void;

/** The system's timer, which does not keep the process alive. */
export function scheduleUnreferenced(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

/** A piece of work that is asked for often and done once, after a delay. */
export class DelayedWork {
  /** Its time has come; whoever does it sets this back. */
  due = false;
  readonly #schedule: Schedule;
  readonly #wake: () => void;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(schedule: Schedule, wake: () => void) {
    this.#schedule = schedule;
    this.#wake = wake;
  }

  request(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancel ??= this.#schedule(delayMs, () => {
      this.#cancel = undefined;
      this.due = true;
      this.#wake();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }
}
