/** The process' budget for encoded bytes. It is taken without waiting (an encoder cannot stop in
 *  the middle of a batch), so it can be passed by one batch; whoever has more to add waits for
 *  `hasRoom`. */
export class MemoryBudget {
  readonly limitBytes: number;
  usedBytes = 0;
  private waiting: (() => void)[] = [];

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  take(bytes: number): void {
    this.usedBytes += bytes;
  }

  give(bytes: number): void {
    this.usedBytes -= bytes;
    if (this.waiting.length > 0 && this.hasRoom()) this.wake();
  }

  hasRoom(): boolean {
    return this.usedBytes < this.limitBytes;
  }

  /** Calls back once when something was given back. */
  onRoom(callback: () => void): void {
    this.waiting.push(callback);
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const callback of waiting) callback();
  }
}
