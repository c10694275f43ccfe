import { markByte, markDigits } from '../corpus/line_template.ts';

/** Finds records' numbers in bodies that come in parts: a mark may be cut anywhere. */
export class MarkScanner {
  private readonly found: (number: number) => void;
  private readonly rest = Buffer.alloc(2 * markDigits);
  private restLength = 0;

  constructor(found: (number: number) => void) {
    this.found = found;
  }

  // hot path
  part(bytes: Buffer): void {
    if (this.restLength > 0) this.completeRest(bytes);
    const last = bytes.length - markDigits - 1;
    let at = bytes.indexOf(markByte, 0);
    while (at >= 0) {
      if (at > last) {
        this.restLength = bytes.copy(this.rest, 0, at);
        return;
      }
      const number = readMark(bytes, at);
      if (number >= 0) this.found(number);
      at = bytes.indexOf(markByte, at + (number >= 0 ? markDigits + 1 : 1));
    }
  }

  /** Ends a body: a mark that was cut there is none. */
  end(): void {
    this.restLength = 0;
  }

  private completeRest(bytes: Buffer): void {
    const length = this.restLength;
    const added = bytes.copy(this.rest, length, 0, markDigits + 1 - length);
    if (length + added < markDigits + 1) {
      this.restLength = length + added;
      return;
    }
    this.restLength = 0;
    const number = readMark(this.rest, 0);
    if (number >= 0) this.found(number);
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
