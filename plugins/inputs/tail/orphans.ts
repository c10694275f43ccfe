import type { FileGeneration } from './file_generation.ts';

/** Content whose file was truncated, or deleted after it was read: a copy may turn up. */
export interface Orphan {
  readonly generation: FileGeneration;
  readonly sinceMs: number;
  /** Looks at the directories that had ended by then. */
  readonly sinceLook: number;
  /** Bytes that were there and had not been consumed. */
  readonly unreadBytes: number;
}

/** A look that ends may have begun before the truncation; the one after it cannot have. */
const looksMin = 2;

/** Content without a file, until a copy takes it over or none turned up.
 *
 *  Time alone does not end the wait: a busy machine looks late, and a copy that is found after its
 *  content was given up would be read again from its beginning. */
export class Orphans {
  private readonly all = new Set<Orphan>();
  private looksEnded = 0;
  /** Counts what was added: a search that waited in between begins again. */
  additions = 0;

  [Symbol.iterator](): IterableIterator<Orphan> {
    return [...this.all][Symbol.iterator]();
  }

  add(generation: FileGeneration, unreadBytes: number, nowMs: number): void {
    this.additions++;
    this.all.add({ generation, unreadBytes, sinceMs: nowMs, sinceLook: this.looksEnded });
  }

  of(generation: FileGeneration): Orphan | undefined {
    for (const orphan of this.all) if (orphan.generation === generation) return orphan;
    return undefined;
  }

  /** Takes it out; false when somebody else did before. */
  take(orphan: Orphan): boolean {
    return this.all.delete(orphan);
  }

  /** A look at all directories is over and what it found was decided. */
  lookEnded(): void {
    this.looksEnded++;
  }

  isOverdue(orphan: Orphan, nowMs: number, waitMs: number): boolean {
    return nowMs - orphan.sinceMs >= waitMs && this.looksEnded - orphan.sinceLook >= looksMin;
  }

  clear(): void {
    this.all.clear();
  }
}
