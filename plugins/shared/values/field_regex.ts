import type { Batch, CompiledRegex } from '../../../core/sdk/index.ts';
import type { FieldFinder } from './field_finder.ts';
import { matchTexts } from './guarded_matching.ts';
import { ShortTextMemo } from './short_text_memo.ts';

/** Answers of a `FieldRegex` for one event. */
export const matchVerdict = { missed: 0, matched: 1, givenUp: 2 } as const;

/** Holds one field of many events against a regular expression. Strings are matched as they are,
 *  other values as JSON writes them; a missing field does not match. */
export class FieldRegex {
  readonly regex: CompiledRegex;
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly memo = new ShortTextMemo();
  private readonly texts: string[] = [];
  private readonly indices: number[] = [];
  private verdicts = new Uint8Array(0);

  /** `which` is the number of the field in the finder, whose `begin` is the caller's. */
  constructor(finder: FieldFinder, which: number, regex: CompiledRegex) {
    this.finder = finder;
    this.which = which;
    this.regex = regex;
  }

  /** Answers for the events that `pending` marks with 1, in an array that the next call reuses. */
  test(batch: Batch, pending: Uint8Array): Uint8Array {
    // hot path
    if (this.verdicts.length < batch.count) this.verdicts = new Uint8Array(batch.capacity);
    const verdicts = this.verdicts;
    const finder = this.finder;
    const scanned = finder.scanned(batch, this.which);
    this.texts.length = 0;
    this.indices.length = 0;
    for (let index = 0; index < batch.count; index++) {
      if (pending[index] !== 1) continue;
      verdicts[index] = matchVerdict.missed;
      if (scanned !== undefined && scanned.slow[index] === 0) {
        const start = scanned.start[index]!;
        if (start < 0) continue;
        finder.take(batch, start, scanned.end[index]!);
      } else if (!finder.find(batch, index, this.which)) continue;
      if (finder.narrowToText()) {
        const known = this.memo.find(finder.bytes, finder.start, finder.end);
        if (known >= 0) {
          verdicts[index] = known;
          continue;
        }
      }
      this.texts.push(finder.text());
      this.indices.push(index);
      // Texts of a batch are mostly alike: matching a few at a time fills the memo early.
      if (this.texts.length === textsAtATime) this.matchCollected(batch, verdicts);
    }
    if (this.texts.length > 0) this.matchCollected(batch, verdicts);
    return verdicts;
  }

  private matchCollected(batch: Batch, verdicts: Uint8Array): void {
    const { texts, indices, regex } = this;
    const givenUp = matchTexts(regex, texts, (position) => {
      verdicts[indices[position]!] = regex.test(texts[position]!) ? 1 : 0;
    });
    for (const position of givenUp) verdicts[indices[position]!] = matchVerdict.givenUp;
    if (givenUp.length === 0 && this.memo.isUseful) this.remember(batch, verdicts);
    texts.length = 0;
    indices.length = 0;
  }

  private remember(batch: Batch, verdicts: Uint8Array): void {
    const finder = this.finder;
    for (const index of this.indices) {
      if (!finder.find(batch, index, this.which) || !finder.narrowToText()) continue;
      if (this.memo.find(finder.bytes, finder.start, finder.end) >= 0) continue;
      this.memo.keep(finder.bytes, finder.start, finder.end, verdicts[index]!);
    }
  }
}

const textsAtATime = 128;
