/** Which numbers are expected: those below `lines` whose place in a repeating pattern is not
 *  dropped. */
export interface Expectation {
  readonly lines: number;
  /** 1 for the lines that must not arrive; repeats after its length. Empty: none. */
  readonly dropped: Uint8Array;
}

export interface RecordCounts {
  /** Different expected numbers that arrived. */
  readonly arrived: number;
  readonly duplicates: number;
  /** Numbers that must not arrive or do not exist. */
  readonly unexpected: number;
  /** Expected numbers that did not arrive. */
  readonly lost: number;
}

/** The exact set of the numbers that arrived, a byte each. */
export class RecordSet {
  arrived = 0;
  duplicates = 0;
  unexpected = 0;
  readonly expectedCount: number;
  private readonly lines: number;
  private readonly bits: Uint8Array;

  constructor({ lines, dropped }: Expectation) {
    this.lines = lines;
    this.bits = new Uint8Array(lines);
    let expected = lines;
    if (dropped.length > 0) {
      for (let number = 0; number < lines; number++) {
        if (dropped[number % dropped.length] === 0) continue;
        this.bits[number] = 2;
        expected--;
      }
    }
    this.expectedCount = expected;
  }

  // hot path
  add(number: number): void {
    if (number >= this.lines) this.unexpected++;
    else if (this.bits[number] === 0) {
      this.bits[number] = 1;
      this.arrived++;
    } else if (this.bits[number] === 1) this.duplicates++;
    else this.unexpected++;
  }

  counts(): RecordCounts {
    const { arrived, duplicates, unexpected, expectedCount } = this;
    return { arrived, duplicates, unexpected, lost: expectedCount - arrived };
  }

  /** The first numbers that did not arrive. */
  firstLost(max: number): number[] {
    const lost: number[] = [];
    for (let number = 0; number < this.lines && lost.length < max; number++) {
      if (this.bits[number] === 0) lost.push(number);
    }
    return lost;
  }
}
