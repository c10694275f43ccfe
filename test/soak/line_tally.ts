/** What became of numbered lines at one destination: a bit each for those it took and for those it
 *  refused for good. Grows with the numbers: 72 million lines take 18 MB. */
export class LineTally {
  accepted = 0;
  /** Lines that were taken again after they had been taken. */
  duplicates = 0;
  readonly #accepted = new BitSet();
  readonly #refused = new BitSet();
  #settledBelow = 0;

  // hot path
  accept(number: number): void {
    if (this.#accepted.add(number)) this.accepted++;
    else this.duplicates++;
  }

  refuse(number: number): void {
    this.#refused.add(number);
  }

  /** Whether the destination refused the line and never took it: it has to be a dead letter. */
  isRefused(number: number): boolean {
    return this.#refused.has(number) && !this.#accepted.has(number);
  }

  isAccepted(number: number): boolean {
    return this.#accepted.has(number);
  }

  /** All numbers below this one were taken or refused. */
  settledBelow(): number {
    let next = this.#settledBelow;
    while (this.#accepted.has(next) || this.#refused.has(next)) next++;
    this.#settledBelow = next;
    return next;
  }

  /** Numbers below `count` that were refused and never taken. */
  refused(count: number): number[] {
    const found: number[] = [];
    for (let number = 0; number < count; number++) if (this.isRefused(number)) found.push(number);
    return found;
  }

  /** Numbers below `count` that were neither taken nor refused, the first `max` of them. */
  missing(count: number, max: number): number[] {
    const found: number[] = [];
    for (let number = 0; number < count && found.length < max; number++) {
      if (!this.#accepted.has(number) && !this.#refused.has(number)) found.push(number);
    }
    return found;
  }
}

class BitSet {
  #bits = new Uint8Array(1 << 16);

  /** Whether the number was not in the set. */
  add(number: number): boolean {
    const at = number >>> 3;
    const bit = 1 << (number & 7);
    if (at >= this.#bits.length) this.#grow(at + 1);
    const before = this.#bits[at]!;
    this.#bits[at] = before | bit;
    return (before & bit) === 0;
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(2 ** Math.ceil(Math.log2(bytes)));
    grown.set(this.#bits);
    this.#bits = grown;
  }
}
