/** Counts what passed in the last `size` intervals, one pane an interval. Time is given as the
 *  number of the interval, which only grows. */
export class SlidingWindow {
  total = 0;
  private readonly panes: Float64Array;
  private interval: number;

  constructor(size: number, interval: number) {
    this.panes = new Float64Array(size);
    this.interval = interval;
  }

  /** Forgets the panes that time has left behind. */
  moveTo(interval: number): void {
    // hot path
    if (interval <= this.interval) return;
    const size = this.panes.length;
    const steps = Math.min(interval - this.interval, size);
    for (let step = 1; step <= steps; step++) {
      const pane = (this.interval + step) % size;
      this.total -= this.panes[pane]!;
      this.panes[pane] = 0;
    }
    if (steps === size) {
      this.panes.fill(0);
      this.total = 0;
    }
    this.interval = interval;
  }

  add(): void {
    this.panes[this.interval % this.panes.length]!++;
    this.total++;
  }
}
