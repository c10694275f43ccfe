/** The process' budget for encoded bytes, in equal shares: an output that is down fills its own
 *  share and never another's. A share is taken without waiting (an encoder cannot stop in the
 *  middle of a batch), so each can be passed by one batch; its output then has no room. */
export class MemoryBudget {
  readonly limitBytes: number;
  usedBytes = 0;
  private members = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** One more output shares the budget, until it leaves. */
  join(): void {
    this.members++;
  }

  leave(): void {
    this.members--;
  }

  /** True when there are others. */
  get isShared(): boolean {
    return this.members > 1;
  }

  /** Most bytes of one output. */
  get shareBytes(): number {
    return Math.floor(this.limitBytes / Math.max(1, this.members));
  }

  take(bytes: number): void {
    this.usedBytes += bytes;
  }

  give(bytes: number): void {
    this.usedBytes -= bytes;
  }
}
