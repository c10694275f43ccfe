/** Lets so many events pass a minute; what a minute leaves over can be used at once. */
export class EventRate {
  private readonly perMinute: number;
  private left: number;
  private atMs: number;

  constructor(perMinute: number, nowMs: number) {
    this.perMinute = perMinute;
    this.left = perMinute;
    this.atMs = nowMs;
  }

  take(nowMs: number): boolean {
    this.moveTo(nowMs);
    if (this.left < 1) return false;
    this.left--;
    return true;
  }

  /** Time until `take` will be true. */
  waitMs(nowMs: number): number {
    this.moveTo(nowMs);
    return this.left >= 1 ? 0 : Math.ceil(((1 - this.left) * 60_000) / this.perMinute);
  }

  private moveTo(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.atMs);
    this.left = Math.min(this.perMinute, this.left + (passedMs * this.perMinute) / 60_000);
    this.atMs = nowMs;
  }
}
