/** Remembers the verdicts of a condition on the short values of one field, by their bytes. Fixed in
 *  size. */
export class VerdictMemo {
  private readonly texts = new Uint8Array(slots * valueBytesMax);
  /** Length and kind of the value in each slot, plus 1; 0 is a free slot. */
  private readonly shapes = new Uint8Array(slots);
  private readonly verdicts = new Uint8Array(slots);
  private slot = -1;

  /** The verdict on the value at this span: 1 or 0, or -1 when there is none. */
  find(bytes: Uint8Array, start: number, end: number, kind: number): number {
    // hot path
    const length = end - start;
    this.slot = -1;
    if (length > valueBytesMax) return -1;
    let hash = length + kind;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    this.slot = slot;
    if (this.shapes[slot] !== shapeOf(length, kind)) return -1;
    const from = slot * valueBytesMax;
    for (let i = 0; i < length; i++) if (this.texts[from + i] !== bytes[start + i]) return -1;
    return this.verdicts[slot]!;
  }

  /** Keeps the verdict on the value that `find` was just asked for. */
  keep(bytes: Uint8Array, start: number, end: number, kind: number, verdict: boolean): void {
    if (this.slot < 0) return;
    const from = this.slot * valueBytesMax;
    // The watchdog may stop this loop half-way: the slot is free until it is through.
    this.shapes[this.slot] = 0;
    for (let at = start; at < end; at++) this.texts[from + at - start] = bytes[at]!;
    this.shapes[this.slot] = shapeOf(end - start, kind);
    this.verdicts[this.slot] = verdict ? 1 : 0;
  }
}

const slots = 256;
const valueBytesMax = 32;

/** `kind` is that of text or of JSON: 1 or 2. */
function shapeOf(length: number, kind: number): number {
  return length * 2 + kind;
}
