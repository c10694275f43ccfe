import { markByte, markDigits } from '../corpus/line_template.ts';

const nothing = Buffer.alloc(0);

/** Finds records' numbers in bodies that come in parts: a mark may be cut anywhere. */
export class MarkScanner {
  private readonly found: (number: number) => void;
  private rest = nothing;

  constructor(found: (number: number) => void) {
    this.found = found;
  }

  // hot path
  part(bytes: Buffer): void {
    if (this.rest.length > 0) {
      const { rest } = this;
      this.rest = nothing;
      if (bytes.length < markDigits) {
        this.part(Buffer.concat([rest, bytes]));
        return;
      }
      // Marks that begin in the rest end within the next ten bytes.
      this.scan(Buffer.concat([rest, bytes.subarray(0, markDigits)]));
    }
    const cutAt = this.scan(bytes);
    // The part is the reader's only until the next one.
    if (cutAt >= 0) this.rest = Buffer.from(bytes.subarray(cutAt));
  }

  /** Ends a body: a mark that was cut there is none. */
  end(): void {
    this.rest = nothing;
  }

  /** Gives the place of the first mark that the end cuts, or -1. */
  private scan(bytes: Buffer): number {
    const last = bytes.length - markDigits - 1;
    let at = bytes.indexOf(markByte, 0);
    while (at >= 0) {
      if (at > last) return at;
      const number = readMark(bytes, at);
      if (number >= 0) this.found(number);
      at = bytes.indexOf(markByte, at + (number >= 0 ? markDigits + 1 : 1));
    }
    return -1;
  }
}

/** The number behind the mark's first byte at `at`, or -1 when no digits stand there. */
function readMark(bytes: Buffer, at: number): number {
  let number = 0;
  for (let i = at + 1; i <= at + markDigits; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
