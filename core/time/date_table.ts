import type { Instant } from './epoch_text.ts';

/** Entries; each has its only place, so that the table is bounded and a look is short. */
const entries = 64;
/** Longer texts are not kept. */
const textBytesMax = 40;

/** Texts that were read not long ago, without a fraction, and the instants that they say: lines of
 *  several files come by with the same few seconds again and again. */
export class DateTable {
  private readonly texts = Buffer.alloc(entries * textBytesMax);
  private readonly lengths = new Uint8Array(entries);
  private readonly seconds = new Float64Array(entries);
  private isUsed = false;
  private place = 0;
  private lastPlace = -1;
  /** The text was the last one that was found, too. */
  isRepeated = false;

  /** Gives what bytes[start, end) say, if that is known. */
  find(bytes: Uint8Array, start: number, end: number, into: Instant): boolean {
    // hot path
    const length = end - start;
    if (!this.isUsed || length === 0 || length > textBytesMax) return false;
    let hash = length;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const place = (hash ^ (hash >>> 12)) & (entries - 1);
    this.place = place;
    if (this.lengths[place] !== length) return false;
    const { texts } = this;
    const text = place * textBytesMax;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== texts[text + i]) return false;
    into.seconds = this.seconds[place]!;
    into.nanos = 0;
    this.isRepeated = this.lastPlace === place;
    this.lastPlace = place;
    return true;
  }

  /** Keeps a text that says whole seconds, which `find` did not know. */
  keep(bytes: Uint8Array, start: number, end: number, seconds: number): void {
    // hot path
    const length = end - start;
    if (length > textBytesMax) return;
    if (!this.isUsed) {
      this.isUsed = true;
      this.find(bytes, start, end, { seconds: 0, nanos: 0 });
    }
    const { place, texts } = this;
    for (let i = 0; i < length; i++) texts[place * textBytesMax + i] = bytes[start + i]!;
    this.lengths[place] = length;
    this.seconds[place] = seconds;
    this.lastPlace = place;
  }
}
