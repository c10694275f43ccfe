/** Keeps the values that were asked for last: at least the newest half of `entriesMax`, never
 *  more than that many. Two maps take turns, so that a hit moves nothing. */
export class BoundedCache<Value> {
  private readonly half: number;
  private young = new Map<string, Value>();
  private old = new Map<string, Value>();

  constructor(entriesMax: number) {
    this.half = Math.max(1, Math.floor(entriesMax / 2));
  }

  get(key: string): Value | undefined {
    // hot path
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: Value): void {
    if (this.young.size >= this.half) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
  }

  clear(): void {
    this.young = new Map();
    this.old = new Map();
  }

  get size(): number {
    return this.young.size + this.old.size;
  }
}
