import type { Batch, EncodedRun, EncodePlace, RecordSink } from '../../../core/sdk/index.ts';

const newline = 0x0a;
const space = 0x20;

/** Keeps every record on its lines. A JSON object may hold line ends between its tokens; in a
 *  format that ends records with them, such an object would break its neighbours, or pass for
 *  one: a bulk action in the middle of a document would be obeyed. They become spaces, in place.
 *
 *  `lines` is the number of lines that a record has, its last line end included. */
export class OneLineSink implements RecordSink {
  private readonly lines: number;
  private inner: RecordSink | undefined;

  constructor(lines: number) {
    this.lines = lines;
  }

  /** The sink itself, passing on to another from now on. */
  over(inner: RecordSink): this {
    this.inner = inner;
    return this;
  }

  place(sectionKey: string, batch: Batch): EncodePlace | undefined {
    return this.inner!.place?.(sectionKey, batch);
  }

  appendRun(sectionKey: string, run: EncodedRun): void {
    // hot path
    const found = run.lineEnds ?? countLineEnds(run);
    if (found !== run.count * this.lines) flatten(run, this.lines);
    this.inner!.appendRun(sectionKey, run);
  }

  reject(batch: Batch, index: number, reason: string): void {
    this.inner!.reject(batch, index, reason);
  }
}

function countLineEnds(run: EncodedRun): number {
  const bytes = run.bytes.subarray(run.start, run.ends[run.count - 1]!);
  let found = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) found++;
  return found;
}

function flatten(run: EncodedRun, lines: number): void {
  const bytes = run.bytes;
  let start = run.start;
  for (let k = 0; k < run.count; k++) {
    const last = run.ends[k]! - 1;
    let at = start;
    // The lines before the record's own are ours, and whole.
    for (let line = 1; line < lines; line++) at = bytes.indexOf(newline, at) + 1;
    for (at = bytes.indexOf(newline, at); at >= 0 && at < last; at = bytes.indexOf(newline, at)) {
      bytes[at++] = space;
    }
    start = last + 1;
  }
}
