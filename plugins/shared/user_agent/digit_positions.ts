import { digitsRelaxed, hasDigits } from './digit_free.ts';

/** Parts of an expression that stand one behind the other in every match that has any of them. */
interface Run {
  /** Takes all digits alike; sticky. */
  readonly regex: RegExp;
  readonly length: number;
  /** Which of its characters tell one digit from another. */
  readonly deciding: readonly number[];
}

/** Finds the digits of a text that an expression may tell from others: two texts that differ in
 *  other digits alone have the same match. For whatever it matches, each of its characters stands in
 *  a run, and a run stands only where it fits the text with all digits taken alike, within the
 *  longest match there may be. */
export class DigitPositions {
  private readonly whole: RegExp;
  private readonly runs: readonly Run[];
  /** Of the longest match. */
  private readonly width: number;

  /** Undefined for an expression that is not simple enough. */
  static of(source: string, flags: string): DigitPositions | undefined {
    const relaxed = digitsRelaxed(source);
    if (relaxed === undefined) return undefined;
    const reader = new RunReader(source, flags);
    const width = reader.alternatives();
    if (!reader.isAtEnd()) return undefined;
    return new DigitPositions(new RegExp(relaxed, `${flags}y`), reader.runs, width);
  }

  private constructor(whole: RegExp, runs: readonly Run[], width: number) {
    this.whole = whole;
    this.runs = runs;
    this.width = width;
  }

  /** Adds the positions to `into`. */
  addTo(into: Set<number>, text: string): void {
    let windowEnd = 0;
    for (let at = 0; at < text.length; at++) {
      this.whole.lastIndex = at;
      if (this.whole.test(text)) windowEnd = Math.max(windowEnd, at + this.width);
      if (at >= windowEnd) continue;
      for (const { regex, length, deciding } of this.runs) {
        regex.lastIndex = at;
        if (at + length > windowEnd || !regex.test(text)) continue;
        for (const character of deciding) into.add(at + character);
      }
    }
  }
}

/** Reads what `digitsRelaxed` takes. */
class RunReader {
  readonly runs: Run[] = [];
  private readonly source: string;
  private readonly flags: string;
  private at = 0;
  private parts: string[] = [];
  private deciding: number[] = [];

  constructor(source: string, flags: string) {
    this.source = source;
    this.flags = flags;
  }

  isAtEnd(): boolean {
    return this.at === this.source.length;
  }

  /** Alternatives up to a bracket or the end; returns the most characters that they take. */
  alternatives(): number {
    let most = 0;
    do {
      most = Math.max(most, this.sequence());
      this.endRun();
    } while (this.take('|'));
    return most;
  }

  private sequence(): number {
    let width = 0;
    while (!this.isAtEnd() && this.letter() !== '|' && this.letter() !== ')') {
      if (this.letter() === '(') width += this.group();
      else if (this.take('^') || this.take('$') || this.take('\\b') || this.take('\\B')) {
        this.endRun();
      } else width += this.character();
    }
    return width;
  }

  private group(): number {
    this.endRun();
    this.at++;
    // What is looked for ahead may stand behind the match.
    const isAhead = this.take('?=');
    this.take('?:');
    const inner = this.alternatives();
    this.take(')');
    const times = this.quantifier() ?? 1;
    if (isAhead) return Number.POSITIVE_INFINITY;
    return inner === 0 ? 0 : inner * times;
  }

  private character(): number {
    const part = this.part();
    const isDeciding = hasDigits(part);
    const times = this.quantifier();
    if (times !== undefined) this.endRun();
    if (isDeciding) this.deciding.push(this.parts.length);
    this.parts.push(isDeciding ? digitsRelaxed(part)! : part);
    if (times !== undefined) this.endRun();
    return times ?? 1;
  }

  private part(): string {
    const start = this.at;
    if (this.letter() === '\\') this.at += 2;
    else if (this.letter() === '[') {
      this.at++;
      while (!this.isAtEnd() && this.letter() !== ']') this.at += this.letter() === '\\' ? 2 : 1;
      this.at++;
    } else this.at++;
    return this.source.slice(start, this.at);
  }

  /** How often the part before may come at most; undefined when nothing says so. */
  private quantifier(): number | undefined {
    const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.source.slice(this.at));
    if (found === null) return undefined;
    this.at += found[0].length;
    const [, sign, least, comma, most] = found;
    if (sign !== undefined) return sign === '?' ? 1 : Number.POSITIVE_INFINITY;
    if (comma === undefined) return Number(least);
    return most === '' ? Number.POSITIVE_INFINITY : Number(most);
  }

  private endRun(): void {
    if (this.deciding.length > 0) {
      const regex = new RegExp(this.parts.join(''), `${this.flags}y`);
      this.runs.push({ regex, length: this.parts.length, deciding: this.deciding });
    }
    this.parts = [];
    this.deciding = [];
  }

  private letter(): string {
    return this.source[this.at]!;
  }

  private take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }
}
