/** One line as bytes, and as a string for whoever asks. Reused from line to line. */
export class LineText {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** It has no line feed inside. */
  isOneLine = false;
  private known: string | undefined;

  set(bytes: Buffer, start: number, end: number, isOneLine: boolean): void {
    // hot path
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.isOneLine = isOneLine;
    this.known = undefined;
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

  beginsWith(head: Uint8Array): boolean {
    // hot path
    const { bytes, start } = this;
    const { length } = head;
    if (this.end - start < length) return false;
    let i = 0;
    while (i < length && bytes[start + i] === head[i]) i++;
    return i === length;
  }

  get text(): string {
    this.known ??= this.bytes.utf8Slice(this.start, this.end);
    return this.known;
  }
}

const none = Buffer.alloc(0);
