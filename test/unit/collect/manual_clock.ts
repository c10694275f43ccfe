import type { Clock } from '../../../core/time/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly work: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  private ms = 0;
  private readonly timers = new Set<Timer>();

  nowMs(): number {
    return 1_700_000_000_000 + this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  after(delayMs: number, work: () => void): () => void {
    const timer = { atMs: this.ms + delayMs, work };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  every(): () => void {
    throw new Error('No test asks for it.');
  }

  /** Moves on, timer by timer; what each sets off is done before the next. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.ms + byMs;
    await settle();
    for (;;) {
      const next = [...this.timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.timers.delete(next);
      this.ms = Math.max(this.ms, next.atMs);
      next.work();
      await settle();
    }
    this.ms = endMs;
  }
}

/** Lets promises that nothing else holds up run their course. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
