/** How pairs are told apart. */
export interface PairSyntax {
  /** Characters between pairs, and between a key and its value. */
  readonly fieldSplit: string;
  readonly valueSplit: string;
  readonly brackets: boolean;
  /** Blanks around `valueSplit` are passed over. */
  readonly lenient: boolean;
}

const closers: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '(': ')',
  '[': ']',
  '<': '>',
};

/** Walks over the `key=value` pairs of a text, in time linear in its length; words that are no
 *  pair are passed over. */
export class PairScanner {
  key = '';
  value = '';
  private readonly syntax: PairSyntax;
  private text = '';
  private at = 0;
  /** Before this position a value that needs the closing character does not end: no part of the
   *  text is searched twice for it. */
  private readonly openUntil = new Map<string, number>();

  constructor(syntax: PairSyntax) {
    this.syntax = syntax;
  }

  start(text: string): void {
    this.text = text;
    this.at = 0;
    this.openUntil.clear();
  }

  next(): boolean {
    const { text } = this;
    const { fieldSplit } = this.syntax;
    for (;;) {
      while (this.at < text.length && fieldSplit.includes(text[this.at]!)) this.at++;
      if (this.at >= text.length) return false;
      const keyStart = this.at;
      const keyEnd = this.wordEnd(keyStart);
      const split = this.lenientSpace(keyEnd);
      if (keyEnd === keyStart || !this.isValueSplit(split)) {
        // A lone separator has no key.
        this.at = Math.max(keyEnd, keyStart + (this.isValueSplit(keyStart) ? 1 : 0));
        continue;
      }
      this.key = text.slice(keyStart, keyEnd);
      this.readValue(split + 1);
      return true;
    }
  }

  private readValue(from: number): void {
    const start = this.valueStart(from);
    const close = this.closing(start);
    if (close >= 0) {
      this.value = this.text.slice(start + 1, close);
      this.at = close + 1;
      return;
    }
    const end = this.fieldEnd(start);
    this.value = this.text.slice(start, end);
    this.at = end;
  }

  /** Where a value begins. Blanks before it count only when no other pair begins behind them. */
  private valueStart(from: number): number {
    const start = this.lenientSpace(from);
    if (start === from || start >= this.text.length) return from;
    if (closers[this.text[start]!] !== undefined) return start;
    return this.isValueSplit(this.lenientSpace(this.wordEnd(start))) ? from : start;
  }

  /** Position of what closes the quote or bracket at `start`, with a separator or the end behind
   *  it; -1 when there is none. */
  private closing(start: number): number {
    const open = this.text[start];
    const closer = open === undefined ? undefined : closers[open];
    if (closer === undefined || start < (this.openUntil.get(closer) ?? 0)) return -1;
    const quotes = open === closer;
    if (!quotes && !this.syntax.brackets) return -1;
    for (let at = start + 1; at < this.text.length; at++) {
      if (quotes && this.text[at] === '\\') at++;
      else if (this.text[at] === closer) {
        if (this.isFieldEnd(at + 1)) return at;
        this.openUntil.set(closer, at);
        return -1;
      }
    }
    this.openUntil.set(closer, this.text.length);
    return -1;
  }

  private wordEnd(from: number): number {
    let at = from;
    while (!this.isFieldEnd(at) && !this.isValueSplit(at)) at++;
    return at;
  }

  private fieldEnd(from: number): number {
    let at = from;
    while (!this.isFieldEnd(at)) at++;
    return at;
  }

  private isFieldEnd(at: number): boolean {
    return at >= this.text.length || this.syntax.fieldSplit.includes(this.text[at]!);
  }

  private isValueSplit(at: number): boolean {
    return at < this.text.length && this.syntax.valueSplit.includes(this.text[at]!);
  }

  private lenientSpace(from: number): number {
    let at = from;
    if (this.syntax.lenient) while (this.text[at] === ' ') at++;
    return at;
  }
}
