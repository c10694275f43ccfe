import { SluiceError } from '../errors/sluice_error.ts';

/** A read position in the text of a regular expression. */
export class Scanner {
  readonly source: string;
  position = 0;
  /** Names the text in errors: a pattern's name, or nothing for the expression itself. */
  readonly origin: string | undefined;

  constructor(source: string, origin?: string) {
    this.source = source;
    this.origin = origin;
  }

  get done(): boolean {
    return this.position >= this.source.length;
  }

  peek(): string {
    return this.source.charAt(this.position);
  }

  startsWith(text: string): boolean {
    return this.source.startsWith(text, this.position);
  }

  /** Moves past `text` and says whether it was there. */
  take(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.position += text.length;
    return true;
  }

  /** Reads one whole code point. */
  takeCode(): number {
    const code = this.source.codePointAt(this.position);
    if (code === undefined) return this.fail('the expression ends too early', this.position);
    this.position += code > 0xffff ? 2 : 1;
    return code;
  }

  /** Matches a sticky expression here and moves past it. */
  takeMatch(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.position;
    const match = expression.exec(this.source);
    if (match !== null) this.position += match[0].length;
    return match;
  }

  /** Throws SLUICE_REGEX_INVALID naming the position (1-based). */
  fail(problem: string, position = this.position): never {
    const where = this.origin === undefined ? '' : ` of pattern ${this.origin}`;
    const shown = this.source.length > 120 ? `${this.source.slice(0, 117)}...` : this.source;
    throw new SluiceError(
      'SLUICE_REGEX_INVALID',
      `Regular expression /${shown}/ is invalid at position ${position + 1}${where}: ${problem}.`,
    );
  }
}
