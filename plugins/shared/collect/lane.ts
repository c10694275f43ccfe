import type { LaneLimits } from './lanes.ts';

interface Turn {
  readonly work: () => Promise<void>;
  readonly isSlow: boolean;
}

/** A pool of a fixed size with a queue of a fixed length before it. Slow work has half of the
 *  workers at most, so that what runs into its deadline each time does not take the turns of what
 *  answers. */
export class Lane {
  readonly limits: LaneLimits;
  private readonly slowMax: number;
  private readonly waiting: Turn[] = [];
  private running = 0;
  private slowRunning = 0;

  constructor(limits: LaneLimits) {
    this.limits = limits;
    this.slowMax = Math.max(1, Math.floor(limits.workers / 2));
  }

  /** Runs `work` when a worker is free. False when the queue is full: it is not run then.
   *  `work` must not throw. */
  add(work: () => Promise<void>, isSlow = false): boolean {
    const turn = { work, isSlow };
    if (this.hasWorkerFor(turn)) {
      this.start(turn);
      return true;
    }
    if (this.waiting.length >= this.limits.queue) return false;
    this.waiting.push(turn);
    return true;
  }

  /** Forgets what waits; returns how many that were. */
  clear(): number {
    return this.waiting.splice(0).length;
  }

  private hasWorkerFor({ isSlow }: Turn): boolean {
    if (this.running >= this.limits.workers) return false;
    return !isSlow || this.slowRunning < this.slowMax;
  }

  private start({ work, isSlow }: Turn): void {
    this.running++;
    if (isSlow) this.slowRunning++;
    work().finally(() => {
      this.running--;
      if (isSlow) this.slowRunning--;
      const next = this.waiting.findIndex((turn) => this.hasWorkerFor(turn));
      if (next >= 0) this.start(this.waiting.splice(next, 1)[0]!);
    });
  }
}
