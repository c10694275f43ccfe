import type { SourceLedger } from '../batch/source.ts';

/** Keeps what is still owed for one source.
 *
 *  Invariants: an output's mark never passes the first record that it has not settled, nor the
 *  first that a filter holds, nor what went through the filters; marks only grow. */
export class Ledger implements SourceLedger {
  private processed: number;
  private readonly startMarks: Map<string, number>;
  private readonly pending = new Map<string, Map<object, number>>();
  private readonly holds = new Map<object, number>();
  private readonly outputs: () => Iterable<string>;
  private readonly onProgress: (settled: number) => void;
  private readonly onSettled: (() => void) | undefined;
  private lastSettled: number;

  /** `outputs` lists the ids of all outputs there are now. */
  constructor(options: LedgerOptions) {
    this.outputs = options.outputs;
    this.onProgress = options.onProgress;
    this.onSettled = options.onSettled;
    this.startMarks = new Map(Object.entries(options.positions ?? {}));
    this.processed = options.resumePosition;
    this.lastSettled = options.resumePosition;
  }

  startMark(outputId: string): number {
    return this.startMarks.get(outputId) ?? 0;
  }

  pend(outputId: string, holder: object, offset: number): void {
    let holders = this.pending.get(outputId);
    if (holders === undefined) {
      holders = new Map();
      this.pending.set(outputId, holders);
    }
    const known = holders.get(holder);
    if (known === undefined || offset < known) holders.set(holder, offset);
  }

  settle(outputId: string, holder: object): void {
    this.pending.get(outputId)?.delete(holder);
    this.onSettled?.();
    this.report();
  }

  advance(position: number): void {
    if (position > this.processed) this.processed = position;
    this.report();
  }

  get processedPosition(): number {
    let position = this.processed;
    for (const offset of this.holds.values()) if (offset < position) position = offset;
    return position;
  }

  hold(holder: object, offset: number): void {
    const known = this.holds.get(holder);
    if (known === undefined || offset < known) this.holds.set(holder, offset);
  }

  release(holder: object): void {
    this.holds.delete(holder);
    this.report();
  }

  /** Everything below has been settled by this output, or was never its concern. */
  mark(outputId: string): number {
    let mark = this.processedPosition;
    const holders = this.pending.get(outputId);
    if (holders !== undefined) {
      for (const offset of holders.values()) if (offset < mark) mark = offset;
    }
    // While reading resumes below the mark of before the restart, that mark stands.
    return Math.max(mark, this.startMark(outputId));
  }

  /** The smallest mark of all outputs: where reading would resume. */
  settled(): number {
    let settled = Number.POSITIVE_INFINITY;
    for (const id of this.outputs()) settled = Math.min(settled, this.mark(id));
    return settled === Number.POSITIVE_INFINITY ? this.processed : settled;
  }

  positions(): Record<string, number> {
    const positions: Record<string, number> = {};
    for (const id of this.outputs()) positions[id] = this.mark(id);
    return positions;
  }

  /** True while something is owed. */
  get isPending(): boolean {
    if (this.holds.size > 0) return true;
    for (const holders of this.pending.values()) if (holders.size > 0) return true;
    return false;
  }

  /** An output that joined while the source was being read: it gets what comes from now on. */
  addOutput(outputId: string): void {
    this.startMarks.set(outputId, this.processed);
  }

  removeOutput(outputId: string): void {
    this.pending.delete(outputId);
    this.startMarks.delete(outputId);
    this.report();
  }

  private report(): void {
    const settled = this.settled();
    if (settled <= this.lastSettled) return;
    this.lastSettled = settled;
    this.onProgress(settled);
  }
}

export interface LedgerOptions {
  readonly outputs: () => Iterable<string>;
  readonly resumePosition: number;
  readonly positions?: Readonly<Record<string, number>>;
  readonly onProgress: (settled: number) => void;
  /** Some output settled something: its mark may have grown, though another's is behind. */
  readonly onSettled?: () => void;
}
