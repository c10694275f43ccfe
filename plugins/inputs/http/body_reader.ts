import { BodyWindow, type HeldBytes } from './body_window.ts';
import { JsonCutter } from './json_cutter.ts';
import { JsonSyntax } from './json_syntax.ts';
import { LineCutter } from './line_cutter.ts';
import { type RecordCutter, RecordSpans } from './record_spans.ts';
import type { RecordTaker } from './record_taker.ts';
import { busy, Refusal } from './refusal.ts';
import type { BodyForm } from './request_plan.ts';

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Reads one body, piece by piece, into records. Holds one piece and an unfinished record. */
export class BodyReader {
  private readonly taker: RecordTaker;
  private readonly recordBytesMax: number;
  private readonly window: BodyWindow;
  private readonly spans = new RecordSpans();
  private readonly cutter: RecordCutter;
  private readonly json: { readonly cutter: JsonCutter; readonly syntax: JsonSyntax } | undefined;

  private constructor(
    taker: RecordTaker,
    recordBytesMax: number,
    held: HeldBytes,
    syntax: JsonSyntax | undefined,
  ) {
    this.taker = taker;
    this.recordBytesMax = recordBytesMax;
    this.window = new BodyWindow(held);
    if (syntax === undefined) {
      this.cutter = new LineCutter();
      return;
    }
    const cutter = new JsonCutter();
    this.cutter = cutter;
    this.json = { cutter, syntax };
  }

  /** Reads all pieces. Errors: Refusal, after the records before the mistake were taken. */
  static async read(
    pieces: AsyncIterable<Buffer>,
    form: BodyForm,
    taker: RecordTaker,
    limits: { readonly recordBytesMax: number; readonly held: HeldBytes },
  ): Promise<void> {
    const syntax = form === 'json' ? await JsonSyntax.load() : undefined;
    const reader = new BodyReader(taker, limits.recordBytesMax, limits.held, syntax);
    try {
      for await (const piece of withoutMark(pieces)) await reader.add(piece);
      await reader.end();
    } finally {
      reader.window.close();
    }
  }

  private async add(piece: Buffer): Promise<void> {
    if (!this.window.append(piece)) {
      throw busy('Requests in progress hold as many unfinished bytes as they may.');
    }
    await this.takeWhole(false);
    this.forget();
    // A carriage return that belongs to the line's end may stand behind the record.
    if (this.window.length <= this.recordBytesMax + 1) return;
    this.cutter.dropUnfinished(this.window.length);
    this.forget();
  }

  private async end(): Promise<void> {
    await this.takeWhole(true);
    if (this.json?.cutter.isOpen !== true) return;
    throw new Refusal(400, `The body ends in the middle, after record ${this.taker.found - 1}.`);
  }

  private async takeWhole(isLast: boolean): Promise<void> {
    for (;;) {
      this.spans.count = 0;
      const hasMore = this.cutter.cut(this.window, this.spans, isLast);
      const isWrong = this.json !== undefined && this.cutAtMistake(this.json);
      await this.taker.take(this.window.bytes, this.spans);
      if (isWrong) {
        const { found } = this.taker;
        const place = found === 0 ? 'before the first record' : `after record ${found - 1}`;
        throw new Refusal(400, `The body is not valid JSON ${place}: check brackets and commas.`);
      }
      if (!hasMore) return;
    }
  }

  /** Leaves the records that stand before a mistake. True when there is one. */
  private cutAtMistake({
    cutter,
    syntax,
  }: {
    readonly cutter: JsonCutter;
    readonly syntax: JsonSyntax;
  }): boolean {
    const { skeleton } = cutter;
    cutter.skeleton = '';
    const valuesBefore = syntax.findMistake(skeleton);
    if (valuesBefore === undefined) return false;
    this.spans.count = Math.min(this.spans.count, valuesBefore);
    return true;
  }

  private forget(): void {
    const { keepFrom } = this.cutter;
    this.window.release(keepFrom);
    this.cutter.shift(keepFrom);
  }
}

/** Leaves a byte order mark at the beginning out, however it is cut. */
async function* withoutMark(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let first: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (first === undefined) {
      yield piece;
      continue;
    }
    first = Buffer.concat([first, piece]);
    const { length } = byteOrderMark;
    if (first.length < length && byteOrderMark.subarray(0, first.length).equals(first)) continue;
    yield first.subarray(0, length).equals(byteOrderMark) ? first.subarray(length) : first;
    first = undefined;
  }
  if (first !== undefined) yield first;
}
