/** Shortest pause between two sweeps over quiet files; a sweep may take a twentieth of the time. */
const sweepMsMin = 100;
const sweepShare = 20;
/** Turns that brought so little cost more than their bytes: many of them make sweeps rarer. */
const smallTurnBytes = 2048;
const sweepMsPerSmallTurn = 0.5;
const sweepMsMax = 500;
/** Nothing came for so long: sweeps are rarer, too. */
const quietMs = 10_000;
const quietSweepMs = 200;

/** Says how long to wait between two sweeps: the less, the sooner lines are seen, and the more it
 *  costs when many files bring a few bytes each. */
export class SweepPace {
  private sweepTookMs = 0;
  private smallTurns = 0;
  private readMs = 0;

  /** A sweep over all files ended. */
  swept(tookMs: number): void {
    this.sweepTookMs = tookMs;
    this.smallTurns = 0;
  }

  /** A file had its turn. */
  read(bytes: number, nowMs: number): void {
    if (bytes > 0) this.readMs = nowMs;
    if (bytes < smallTurnBytes) this.smallTurns++;
  }

  pauseMs(nowMs: number): number {
    const leastMs = nowMs - this.readMs > quietMs ? quietSweepMs : sweepMsMin;
    const forTurns = Math.min(sweepMsMax, this.smallTurns * sweepMsPerSmallTurn);
    return Math.max(leastMs, this.sweepTookMs * sweepShare, forTurns);
  }
}
