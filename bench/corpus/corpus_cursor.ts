import type { Corpus } from './corpus.ts';
import { fillTemplate } from './line_template.ts';

/** Hands out a corpus from its first line on, in pieces. */
export class CorpusCursor {
  /** Number of the next line. */
  next = 0;
  private readonly corpus: Corpus;

  constructor(corpus: Corpus) {
    this.corpus = corpus;
  }

  /** Up to `lines` lines as bytes that stay as they are until the next call; fewer at the end of the
   *  template. */
  take(lines: number): { readonly bytes: Buffer; readonly lines: number } {
    const { template } = this.corpus;
    const from = this.next % template.count;
    if (from === 0) fillTemplate(template, this.next, template.count);
    const to = Math.min(template.count, from + lines);
    this.next += to - from;
    const start = from === 0 ? 0 : template.ends[from - 1]!;
    return { bytes: template.bytes.subarray(start, template.ends[to - 1]!), lines: to - from };
  }
}
