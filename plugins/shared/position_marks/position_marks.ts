/** How to find a place again; it is that of all positions from its own to the next mark's. */
export interface PositionMark {
  /** Position of the source. */
  readonly position: number;
}

/** Marks of what was read and is not settled yet, oldest first: for sources that can be read again from
 *  a cursor or a bookmark, not from a position. */
export class PositionMarks<Mark extends PositionMark> {
  private marks: Mark[];

  constructor(start: Mark) {
    this.marks = [start];
  }

  /** The newest. */
  get last(): Mark {
    return this.marks[this.marks.length - 1]!;
  }

  add(mark: Mark): void {
    this.marks.push(mark);
  }

  /** The newest mark at or before `position`. */
  at(position: number): Mark {
    let low = 0;
    let high = this.marks.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.marks[middle]!.position <= position) low = middle;
      else high = middle - 1;
    }
    return this.marks[low]!;
  }

  /** Forgets what nobody goes back to when `position` is settled. */
  settle(position: number): void {
    const keep = this.marks.indexOf(this.at(position));
    if (keep > 0) this.marks = this.marks.slice(keep);
  }
}
