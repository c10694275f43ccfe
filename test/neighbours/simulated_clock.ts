import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../core/time/clock.ts';

interface Timer {
  atMs: number;
  readonly periodMs: number | undefined;
  readonly work: () => void;
}

/** A clock that stands still until it is moved: an hour of a pipeline passes in a second. */
export class SimulatedClock implements Clock {
  #ms = 0;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return 1_700_000_000_000 + this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  after(delayMs: number, work: () => void): () => void {
    return this.#add({ atMs: this.#ms + delayMs, periodMs: undefined, work });
  }

  every(periodMs: number, work: () => void): () => void {
    return this.#add({ atMs: this.#ms + periodMs, periodMs, work });
  }

  /** Moves on, timer by timer; what each sets off has some turns of the loop before the next. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#ms + byMs;
    await settle();
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.atMs <= endMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
      }
      if (next === undefined) break;
      this.#ms = Math.max(this.#ms, next.atMs);
      if (next.periodMs === undefined) this.#timers.delete(next);
      else next.atMs += next.periodMs;
      next.work();
      await settle();
    }
    this.#ms = endMs;
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}

/** Lets promises and streams run their course. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await turn();
}
