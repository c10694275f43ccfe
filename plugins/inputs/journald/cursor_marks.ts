/** Where reading goes on: behind the entry with this cursor, at this position of the source. */
export interface JournalMark {
  /** Absent before the first entry. */
  readonly cursor?: string;
  readonly position: number;
}

/** Cursors of what was read and is not settled yet, oldest first. */
export class CursorMarks {
  private marks: JournalMark[];

  constructor(start: JournalMark) {
    this.marks = [start];
  }

  /** The newest. */
  get last(): JournalMark {
    return this.marks[this.marks.length - 1]!;
  }

  add(mark: JournalMark): void {
    this.marks.push(mark);
  }

  /** The newest mark at or before `position`. */
  at(position: number): JournalMark {
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

/** Reads a mark out of a checkpoint; undefined for what is none. */
export function readMark(identity: unknown): JournalMark | undefined {
  if (typeof identity !== 'object' || identity === null) return undefined;
  const { cursor, position } = identity as Record<string, unknown>;
  if (typeof position !== 'number' || !Number.isSafeInteger(position)) return undefined;
  return typeof cursor === 'string' ? { cursor, position } : { position };
}
