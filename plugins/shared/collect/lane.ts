import type { LaneLimits } from './lanes.ts';

/** A pool of a fixed size with a queue of a fixed length before it. */
export class Lane {
  readonly limits: LaneLimits;
  private readonly waiting: (() => Promise<void>)[] = [];
  private running = 0;

  constructor(limits: LaneLimits) {
    this.limits = limits;
  }

  /** Runs `work` when a worker is free. False when the queue is full: it is not run then.
   *  `work` must not throw. */
  add(work: () => Promise<void>): boolean {
    if (this.running < this.limits.workers) {
      this.start(work);
      return true;
    }
    if (this.waiting.length >= this.limits.queue) return false;
    this.waiting.push(work);
    return true;
  }

  /** Forgets what waits; returns how many that were. */
  clear(): number {
    return this.waiting.splice(0).length;
  }

  private start(work: () => Promise<void>): void {
    this.running++;
    work().finally(() => {
      this.running--;
      const next = this.waiting.shift();
      if (next !== undefined) this.start(next);
    });
  }
}
