import type { Batch } from '../../../core/sdk/index.ts';
import type { TracedText } from './traced_text.ts';

/** A text into which digits of another one are put: what the other's digits are does not change
 *  the rest of it. ASCII. */
export class DigitTemplate {
  readonly bytes: Buffer;
  /** Where digits stand here, and where they come from in the other text. */
  readonly to: Int32Array;
  readonly from: Int32Array;
  /** Where it was written last, in the batch of a number that its user knows. */
  batchNumber = -1;
  position = -1;
  private readonly words: Int32Array;

  /** Undefined for a text that is not ASCII. */
  static of({ text, origins }: TracedText): DigitTemplate | undefined {
    const bytes = Buffer.from(text);
    if (bytes.length !== text.length) return undefined;
    const to: number[] = [];
    for (let at = 0; at < text.length; at++) {
      if (origins[at]! >= 0 && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) to.push(at);
    }
    return new DigitTemplate(
      bytes,
      to,
      to.map((at) => origins[at]!),
    );
  }

  private constructor(bytes: Buffer, to: readonly number[], from: readonly number[]) {
    this.bytes = bytes;
    this.to = Int32Array.from(to);
    this.from = Int32Array.from(from);
    const padded = new Uint8Array((bytes.length + 3) & ~3);
    padded.set(bytes);
    this.words = new Int32Array(padded.buffer);
  }

  /** Writes the text into the batch's scratch space, with the digits of the other one, which begins
   *  at `start` of `other`. `target` is all of the memory that the batch is in. Returns where the
   *  text stands, or -1 when there is no room. */
  write(batch: Batch, target: Int32Array, other: Uint8Array, start: number): number {
    // hot path
    const { words } = this;
    const reserved = batch.reserveScratch((words.length << 2) + 3);
    if (reserved < 0) return -1;
    const { bytes } = batch;
    const { to, from } = this;
    // A call into the runtime costs more than some stores of four bytes.
    const word = (bytes.byteOffset + reserved + 3) >> 2;
    for (let i = 0; i < words.length; i++) target[word + i] = words[i]!;
    const at = (word << 2) - bytes.byteOffset;
    for (let i = 0; i < to.length; i++) bytes[at + to[i]!] = other[start + from[i]!]!;
    return at;
  }

  /** Whether the text written at `at` has these digits. */
  isWritten(into: Uint8Array, at: number, other: Uint8Array, start: number): boolean {
    const { to, from } = this;
    for (let i = 0; i < to.length; i++) {
      if (into[at + to[i]!] !== other[start + from[i]!]) return false;
    }
    return true;
  }
}
