import { shortText } from '../../../core/sdk/index.ts';

/** Bytes of a line that make its head: what `shortText` decodes at once. */
const headBytes = 24;

/** One line as bytes, and as a string for whoever asks. Reused from line to line. */
export class LineText {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** It has no line feed inside. */
  isOneLine = false;
  private known: string | undefined;
  private knownHead: string | undefined;
  private hasHead = false;

  set(bytes: Buffer, start: number, end: number, isOneLine: boolean): void {
    // hot path
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.isOneLine = isOneLine;
    this.known = undefined;
    this.hasHead = false;
  }

  setText(text: string): void {
    this.bytes = none;
    this.start = 0;
    this.end = 0;
    this.known = text;
  }

  /** False when there is the string only. */
  get hasBytes(): boolean {
    return this.bytes !== none;
  }

  get text(): string {
    this.known ??= this.bytes.utf8Slice(this.start, this.end);
    return this.known;
  }

  /** What the line begins with; undefined when that is not ASCII. */
  get head(): string | undefined {
    // hot path
    if (this.hasHead) return this.knownHead;
    this.hasHead = true;
    this.knownHead = undefined;
    const { bytes, start } = this;
    const end = Math.min(this.end, start + headBytes);
    for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return undefined;
    this.knownHead = shortText(bytes, start, end);
    return this.knownHead;
  }
}

const none = Buffer.alloc(0);
