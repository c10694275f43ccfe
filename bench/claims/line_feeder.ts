import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Corpus } from '../corpus/corpus.ts';
import { CorpusCursor } from '../corpus/corpus_cursor.ts';
import { monotonicMs } from '../measure/monotonic_clock.ts';

const tickMs = 10;

/** When lines were appended. */
export interface Appended {
  readonly lines: number;
  /** For each line, monotonic milliseconds just before it was written. */
  readonly timesMs: Float64Array;
}

/** Appends lines to files at a steady rate, to each file in turn. */
export class LineFeeder {
  private readonly corpus: Corpus;
  private readonly paths: readonly string[];

  constructor(corpus: Corpus, paths: readonly string[]) {
    this.corpus = corpus;
    this.paths = paths;
  }

  /** Resolves after `seconds`. What a late tick owes, the next one writes. */
  async feed(linesPerSecond: number, seconds: number): Promise<Appended> {
    const cursor = new CorpusCursor(this.corpus);
    const files = this.paths.map((path) => openSync(path, 'a', 0o600));
    const total = Math.round(linesPerSecond * seconds);
    const timesMs = new Float64Array(total);
    const startMs = monotonicMs();
    try {
      while (cursor.next < total) {
        const nowMs = monotonicMs();
        const due = Math.min(total, Math.floor(((nowMs - startMs) / 1000) * linesPerSecond));
        while (cursor.next < due) {
          const first = cursor.next;
          // One line a file where there are several: numbers go round.
          const piece = cursor.take(files.length === 1 ? due - first : 1);
          timesMs.fill(monotonicMs(), first, first + piece.lines);
          writeSync(files[first % files.length]!, piece.bytes);
        }
        await wait(tickMs);
      }
      return { lines: total, timesMs };
    } finally {
      for (const file of files) closeSync(file);
    }
  }
}
