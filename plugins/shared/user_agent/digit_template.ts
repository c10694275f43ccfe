import type { TracedText } from './traced_text.ts';

/** A text into which digits of another one are put: what the other's digits are does not change
 *  the rest of it. ASCII. */
export class DigitTemplate {
  readonly bytes: Buffer;
  /** Where digits stand here, and where they come from in the other text. */
  readonly to: Int32Array;
  readonly from: Int32Array;

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
  }

  /** Writes the text with the digits of the other one, which begins at `start` of `other`. */
  write(into: Uint8Array, at: number, other: Uint8Array, start: number): void {
    // hot path
    into.set(this.bytes, at);
    const { to, from } = this;
    for (let i = 0; i < to.length; i++) into[at + to[i]!] = other[start + from[i]!]!;
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
