/** Remembers small results for short texts, by their bytes: a level or a status has few values,
 *  and looking one up needs no string. Fixed in size; texts longer than `textBytesMax` are not kept. */
export class ShortTextMemo {
  private readonly texts = Buffer.alloc(slots * textBytesMax);
  /** Length of the text in each slot, plus 1; 0 is a free slot. */
  private readonly lengths = new Uint8Array(slots);
  private readonly values = new Int16Array(slots);
  private slot = -1;
  private lookups = 0;
  private hits = 0;
  /** False once most texts turned out to be new ones; then nothing is kept any more. */
  isUseful = true;

  /** The value kept for the text at this span, or -1. */
  find(bytes: Buffer, start: number, end: number): number {
    // hot path
    const length = end - start;
    this.slot = -1;
    if (length > textBytesMax || !this.isUseful) return -1;
    let hash = length;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    this.slot = slot;
    if (++this.lookups === trialLookups) this.judge();
    if (this.lengths[slot] !== length + 1) return -1;
    const from = slot * textBytesMax;
    for (let i = 0; i < length; i++) if (this.texts[from + i] !== bytes[start + i]) return -1;
    this.hits++;
    return this.values[slot]!;
  }

  /** Keeps a value (0 to 32,767) for the text that `find` was just asked for. */
  keep(bytes: Buffer, start: number, end: number, value: number): void {
    if (this.slot < 0) return;
    bytes.copy(this.texts, this.slot * textBytesMax, start, end);
    this.lengths[this.slot] = end - start + 1;
    this.values[this.slot] = value;
  }

  /** A field with ever new values gains nothing from a memo. */
  private judge(): void {
    this.isUseful = this.hits * 2 >= this.lookups;
    this.lookups = 0;
    this.hits = 0;
  }
}

const slots = 128;
const textBytesMax = 32;
const trialLookups = 8192;
