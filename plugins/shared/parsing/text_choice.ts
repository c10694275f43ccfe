import {
  type Batch,
  type Field,
  isJsonObject,
  ParsedFields,
  type Parser,
  runInTurn,
} from '../../../core/sdk/index.ts';
import type { ParserHints } from './field_parser.ts';

/** What one text may cost a parser before it counts as not fitting. */
export const regexTimeoutMs = 20;

/** A text of an event, and what became of it. Reused from text to text. */
export class TextChoice {
  index = 0;
  field!: Field;
  text = '';
  /** Where the text stands in the batch's bytes; -1 when it does not. */
  start = -1;
  end = -1;
  /** Position of the parser that took the text, or the number of parsers when none did. */
  parser = 0;
  /** What the parser found, unless it takes whole objects. */
  readonly fields = new ParsedFields();
  /** The text was a header. */
  consumed = false;

  /** Moves to what the batch has located. */
  moveTo(batch: Batch, index: number, field: Field, firstParser: number): void {
    this.index = index;
    this.field = field;
    this.parser = firstParser;
    this.consumed = false;
    const inPlace = batch.foundKind === 1 && batch.foundBytes === batch.bytes;
    this.start = inPlace ? batch.foundStart : -1;
    this.end = inPlace ? batch.foundEnd : -1;
    this.text = batch.foundText();
  }
}

/** Finds the parser that takes a text. */
export class TextChooser {
  private readonly parsers: readonly (Parser & ParserHints)[];
  private readonly guarded: readonly (Parser & ParserHints)[];

  constructor(parsers: readonly Parser[]) {
    this.parsers = parsers;
    this.guarded = this.parsers.filter(({ needsGuard }) => needsGuard !== undefined);
  }

  /** Some parser may have to be watched. */
  get mayNeedGuard(): boolean {
    return this.guarded.length > 0;
  }

  /** Tries the parsers from `choice.parser` on; each watches its own time. */
  choose(batch: Batch, choice: TextChoice): void {
    this.tryFrom(batch, choice, false);
  }

  /** As `choose`, for many texts whose time is watched together: that costs less. */
  chooseAll(batch: Batch, choices: readonly TextChoice[], count: number): void {
    if (!this.needGuard(choices, count)) {
      for (let i = 0; i < count; i++) this.tryFrom(batch, choices[i]!, true);
      return;
    }
    // A step that is cut short goes on with the parser that it was at.
    const step = (i: number) => this.tryFrom(batch, choices[i]!, true);
    const isRisky = (i: number) => this.mayRunAwayOn(choices[i]!.text.length);
    const { timedOut } = runInTurn({ count, progress: 0, step }, regexTimeoutMs, isRisky);
    for (const i of timedOut) {
      choices[i]!.parser++;
      this.tryFrom(batch, choices[i]!, false);
    }
  }

  private needGuard(choices: readonly TextChoice[], count: number): boolean {
    let longest = 0;
    for (let i = 0; i < count; i++) longest = Math.max(longest, choices[i]!.text.length);
    return this.mayRunAwayOn(longest);
  }

  private mayRunAwayOn(length: number): boolean {
    return this.guarded.some((parser) => parser.needsGuard!(length));
  }

  private tryFrom(batch: Batch, choice: TextChoice, isWatched: boolean): void {
    // hot path
    for (; choice.parser < this.parsers.length; choice.parser++) {
      const parser = this.parsers[choice.parser]!;
      if (parser.wholeObject === true) {
        if (isObject(batch, choice)) return;
      } else if (
        isWatched && parser.parseUnguarded !== undefined
          ? parser.parseUnguarded(choice.text, choice.fields)
          : parser.parse(choice.text, choice.fields)
      ) {
        choice.consumed = parser.consumed === true;
        return;
      }
    }
  }
}

function isObject(batch: Batch, choice: TextChoice): boolean {
  if (choice.start >= 0) return isJsonObject(batch.bytes, choice.start, choice.end);
  const bytes = Buffer.from(choice.text);
  return isJsonObject(bytes, 0, bytes.length);
}
