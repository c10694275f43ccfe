import { digitsRelaxed, hasDigits, withoutDigits } from './digit_free.ts';
import { DigitPositions } from './digit_positions.ts';

/** What a list of rules makes of all agents that differ in digits alone. */
export interface ListShape {
  /** Rules that depend on digits, before `rule`: they are tried on each agent that has one of
   *  their literals, or on all when there are none. */
  readonly tried: readonly { readonly rule: number; readonly literals: readonly string[] }[];
  /** The first rule that matches of those that do not depend on digits; -1 for none. */
  readonly rule: number;
}

export interface Found {
  readonly rule: number;
  readonly match: RegExpExecArray;
}

/** Tells which of many literals a text has. A table of the text's three-letter pieces answers for
 *  nearly all that it does not have. Literals have three letters at least. */
export class LiteralSearch {
  private readonly literals: readonly string[];
  private readonly places: readonly number[];
  private text = '';
  private round = 0;
  /** Round in which the text had a piece of this hash. */
  private readonly pieces = new Int32Array(pieceTableSize);

  constructor(literals: readonly string[]) {
    this.literals = literals;
    this.places = literals.map((literal) => pieceHash(literal, 0));
  }

  begin(text: string): void {
    this.text = text;
    this.round++;
    for (let at = 0; at + 2 < text.length; at++) this.pieces[pieceHash(text, at)] = this.round;
  }

  hasOneOf(numbers: readonly number[]): boolean {
    for (let i = 0; i < numbers.length; i++) {
      const literal = numbers[i]!;
      if (this.pieces[this.places[literal]!] !== this.round) continue;
      if (this.text.includes(this.literals[literal]!)) return true;
    }
    return false;
  }
}

const pieceTableSize = 8192;

function pieceHash(text: string, at: number): number {
  const a = text.charCodeAt(at);
  const b = text.charCodeAt(at + 1);
  const c = text.charCodeAt(at + 2);
  return (a ^ (b << 4) ^ (c << 8) ^ (b >>> 2)) & (pieceTableSize - 1);
}

/** Rules in order. Expressions are compiled when an agent first needs them. */
export class RuleList {
  private readonly rules: readonly (readonly [string, readonly number[], unknown, ...unknown[]])[];
  private readonly regexes: (RegExp | undefined)[];
  private readonly literals: readonly string[];
  /** Of rules of digits: what takes all digits alike and matches where they do; null for none. */
  private readonly relaxed: (RegExp | null | undefined)[] = [];
  /** Of rules of digits: which digits of a text they may tell from others; null when unknown. */
  private readonly positions: (DigitPositions | null | undefined)[] = [];
  /** Whether digits other than by their class play a part in a rule. */
  private readonly isOfDigits: readonly boolean[];

  constructor(rules: RuleList['rules'], literals: readonly string[]) {
    this.rules = rules;
    this.regexes = rules.map(() => undefined);
    this.literals = literals;
    this.isOfDigits = rules.map(([source]) => hasDigits(source));
  }

  /** `search` has begun with the text. */
  find(text: string, search: LiteralSearch): Found | undefined {
    for (let rule = 0; rule < this.rules.length; rule++) {
      const literals = this.rules[rule]![1];
      if (literals.length > 0 && !search.hasOneOf(literals)) continue;
      const match = this.exec(rule, text);
      if (match !== null) return { rule, match };
    }
    return undefined;
  }

  /** What holds for all texts that differ from this one in digits alone. */
  shapeOf(text: string, lower: string, search: LiteralSearch): ListShape {
    const masked = withoutDigits(lower);
    const tried: { rule: number; literals: string[] }[] = [];
    for (let rule = 0; rule < this.rules.length; rule++) {
      const literals = this.rules[rule]![1];
      if (this.isOfDigits[rule]!) {
        const own = literals
          .map((literal) => this.literals[literal]!)
          .filter((literal) => masked.includes(withoutDigits(literal)));
        if (literals.length > 0 && own.length === 0) continue;
        if (this.isRuledOut(rule, text)) continue;
        const isSure = own.some((literal) => !/[0-9]/.test(literal));
        tried.push({ rule, literals: isSure ? [] : own });
        continue;
      }
      if (literals.length > 0 && !search.hasOneOf(literals)) continue;
      if (this.exec(rule, text) !== null) return { tried, rule };
    }
    return { tried, rule: -1 };
  }

  /** As `find`, for a text of this shape. */
  findIn(shape: ListShape, text: string, lower: string): Found | undefined {
    // hot path
    for (let i = 0; i < shape.tried.length; i++) {
      const { rule, literals } = shape.tried[i]!;
      if (literals.length > 0 && !hasOneOf(lower, literals)) continue;
      const match = this.exec(rule, text);
      if (match !== null) return { rule, match };
    }
    if (shape.rule < 0) return undefined;
    const match = this.exec(shape.rule, text);
    return match === null ? undefined : { rule: shape.rule, match };
  }

  /** Adds the positions of digits that the shape's rules of digits may tell from others to `into`;
   *  false when they cannot be told. */
  addDecidingDigits({ tried }: ListShape, text: string, into: Set<number>): boolean {
    for (const { rule } of tried) {
      let positions = this.positions[rule];
      if (positions === undefined) {
        const [source, , flags] = this.rules[rule]!;
        positions = DigitPositions.of(source, typeof flags === 'string' ? flags : '') ?? null;
        this.positions[rule] = positions;
      }
      if (positions === null) return false;
      positions.addTo(into, text);
    }
    return true;
  }

  /** The match of a rule with the places of its groups. */
  placesOf(rule: number, text: string): RegExpExecArray | null {
    const [source, , flags] = this.rules[rule]!;
    return new RegExp(source, typeof flags === 'string' ? `${flags}d` : 'd').exec(text);
  }

  /** True when a rule of digits matches no text that differs from this one in digits alone. */
  private isRuledOut(rule: number, text: string): boolean {
    const [source, , flags] = this.rules[rule]!;
    let relaxed = this.relaxed[rule];
    if (relaxed === undefined) {
      const wider = digitsRelaxed(source);
      relaxed =
        wider === undefined ? null : new RegExp(wider, typeof flags === 'string' ? flags : '');
      this.relaxed[rule] = relaxed;
    }
    return relaxed !== null && !relaxed.test(text);
  }

  private exec(rule: number, text: string): RegExpExecArray | null {
    const [source, , flags] = this.rules[rule]!;
    this.regexes[rule] ??= new RegExp(source, typeof flags === 'string' ? flags : '');
    return this.regexes[rule]!.exec(text);
  }
}

function hasOneOf(text: string, literals: readonly string[]): boolean {
  for (let i = 0; i < literals.length; i++) if (text.includes(literals[i]!)) return true;
  return false;
}
