/** Shortest pause between two sweeps over quiet files; a sweep may take a twentieth of the time. */
const sweepMsMin = 100;
const sweepShare = 20;
/** A file's part in that: a busy machine must not stretch it. */
const sweepMsPerFile = 0.1;
/** Turns that brought so little cost more than their bytes: many of them make sweeps rarer. */
const smallTurnBytes = 8192;
const sweepMsPerSmallTurn = 0.9;
const sweepMsMax = 900;
/** Lines must not wait for a sweep longer than for the rest of their chunk. */
const flushShare = 0.9;
/** Nothing came for so long: all that is done again and again is done at the same moments, since
 *  every one of them wakes the process. */
const quietMs = 3000;
const quietPeriodMsMax = 500;

/** Says how long to wait between two sweeps: the less, the sooner lines are seen, and the more it
 *  costs when many files bring a few bytes each. */
export class SweepPace {
  private readonly mostMs: number;
  private readonly quietPeriodMs: number;
  private sweepTookMs = 0;
  private smallTurns = 0;
  private readMs = 0;

  constructor(flushMs: number) {
    this.mostMs = Math.max(sweepMsMin, Math.min(sweepMsMax, flushMs * flushShare));
    this.quietPeriodMs = Math.min(quietPeriodMsMax, this.mostMs);
  }

  /** A sweep over `files` files ended. */
  swept(tookMs: number, files: number): void {
    this.sweepTookMs = Math.min(tookMs, (files * sweepMsPerFile) / sweepShare);
    this.smallTurns = 0;
  }

  /** A file had its turn. */
  read(bytes: number, nowMs: number): void {
    if (bytes > 0) this.readMs = nowMs;
    if (bytes < smallTurnBytes) this.smallTurns++;
  }

  pauseMs(): number {
    const forTurns = Math.min(this.mostMs, this.smallTurns * sweepMsPerSmallTurn);
    return Math.max(sweepMsMin, this.sweepTookMs * sweepShare, forTurns);
  }

  /** How long to do nothing: `leastMs`, or more while all is quiet. */
  restMs(nowMs: number, leastMs: number): number {
    const { quietPeriodMs } = this;
    if (nowMs - this.readMs <= quietMs || leastMs > quietPeriodMs) return leastMs;
    const restMs = untilNext(nowMs, quietPeriodMs);
    return restMs < leastMs ? restMs + quietPeriodMs : restMs;
  }

  /** How long lines that a sweep finds have waited at most, when the one before was `sinceMs` ago;
   *  no more than leaves their chunk some time. */
  waitedMs(sinceMs: number): number {
    return Math.min(this.mostMs, sinceMs);
  }
}

/** Time until the clock comes to a multiple of a period. */
export function untilNext(nowMs: number, periodMs: number): number {
  return Math.ceil(periodMs - (nowMs % periodMs));
}
