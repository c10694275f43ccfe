/** A text made from parts of another, which knows where each character came from. */
export class TracedText {
  readonly text: string;
  /** Position in the original, per character; -1 for one that did not come from there. */
  readonly origins: readonly number[];

  private constructor(text: string, origins: readonly number[]) {
    this.text = text;
    this.origins = origins;
  }

  /** A text that does not come from the original. */
  static of(text: string): TracedText {
    return new TracedText(text, new Array<number>(text.length).fill(-1));
  }

  /** A piece of the original, from `start` on. */
  static from(text: string, start: number): TracedText {
    return new TracedText(
      text,
      Array.from({ length: text.length }, (_, i) => start + i),
    );
  }

  static joined(parts: readonly TracedText[]): TracedText {
    return new TracedText(
      parts.map(({ text }) => text).join(''),
      parts.flatMap(({ origins }) => origins),
    );
  }

  trimmed(): TracedText {
    const begin = this.text.length - this.text.trimStart().length;
    const { length } = this.text.trim();
    return new TracedText(
      this.text.slice(begin, begin + length),
      this.origins.slice(begin, begin + length),
    );
  }

  /** As a JSON string with its quotes. */
  quoted(): TracedText {
    const quote = TracedText.of('"');
    const letters = this.text.split('').map((letter, i) => {
      const escaped = JSON.stringify(letter).slice(1, -1);
      return escaped === letter
        ? new TracedText(letter, [this.origins[i]!])
        : TracedText.of(escaped);
    });
    return TracedText.joined([quote, ...letters, quote]);
  }
}
