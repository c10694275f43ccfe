import { SluiceError } from '../errors/sluice_error.ts';
import type { RegexNode } from './ast.ts';
import { BacktrackingMatcher, RegexBudgetError } from './backtracking_matcher.ts';
import { costDegree } from './cost.ts';
import { countedWayBits } from './counted_ways.ts';
import { FactTable, someNode } from './facts.ts';
import { compileProgram } from './matcher_program.ts';
import { type ParsedRegex, type ParseOptions, parseRegex } from './parser.ts';
import { hasInOrder, requiredTexts } from './required_texts.ts';
import { simplifyRegex } from './simplify.ts';
import { translateRegex, whyNotTranslatable } from './translate.ts';

export { RegexBudgetError } from './backtracking_matcher.ts';

export interface RegexOptions {
  readonly ignoreCase?: boolean;
  /** Ruby's `x`: blanks and comments in the expression are skipped. */
  readonly extended?: boolean;
  /** Ruby's `m`: `.` also matches a line feed. */
  readonly rubyMultiline?: boolean;
  /** Steps that the backtracking matcher may take for one search. Default 2,000,000 (about 30 ms). */
  readonly stepBudget?: number;
  /** Runs on the backtracking matcher even where JavaScript's engine would do. */
  readonly engine?: 'auto' | 'matcher';
}

/** A match. Group values are undefined where the group took no part. */
export interface MatchResult {
  readonly index: number;
  /** Position after the match. */
  readonly end: number;
  /** Values in the order of `groupNames`; of a name used twice, the last group that took part. */
  readonly groups: readonly (string | undefined)[];
  /** Values of all capturing groups: element 0 is group 1. */
  readonly captures: readonly (string | undefined)[];
}

/** The match as the engine has it: read group n at `captureSlots[n - 1]`, the whole match at 0. */
export interface RawMatch extends ArrayLike<string | undefined> {
  readonly index: number;
}

export interface CompiledRegex {
  readonly source: string;
  /** Names in order of first appearance, each once. */
  readonly groupNames: readonly string[];
  /** Numbers of the groups of each name, in the order of `groupNames`. */
  readonly groupsByName: readonly (readonly number[])[];
  readonly groupCount: number;
  readonly captureSlots: readonly number[];
  readonly engine: 'native' | 'matcher';
  /** Exponent n of the worst time length^n of a failing search; Infinity when exponential. */
  readonly costDegree: number;
  /** True when a search can take much longer than its text is long: cubic or worse, or as often as
   *  a few thousand ways to divide it by counted loops. */
  readonly mayRunAway: boolean;
  /** True when a search in a text of this length could take more than about 20 ms: use the guard. */
  needsGuard(length: number): boolean;
  /** Searches from `from`. Errors: RegexBudgetError. */
  exec(text: string, from?: number): MatchResult | null;
  /** Like `exec` without building a result. `plain` says that the text is ASCII without a line feed. */
  execRaw(text: string, from?: number, plain?: boolean): RawMatch | null;
  test(text: string, from?: number): boolean;
  /** False when a text lacks something that every match has: found out at once, whatever the
   *  expression would take. */
  mayMatch(text: string): boolean;
  /** Replaces every match, left to right. */
  replaceAll(text: string, replacement: (match: MatchResult) => string): string;
}

const stepBudgetDefault = 2_000_000;
/** Steps of JavaScript's engine in about 20 ms. */
const guardStepsMin = 2_000_000;
/** Steps of the matcher in about 3 ms: it stops itself, but many texts may take all its steps. */
const matcherGuardStepsMin = 200_000;
const runawayDegreeMin = 3;
const runawayWayBitsMin = 12;
/** So many are common in expressions that are harmless, such as one of an address. */
const wayBitsFree = 8;
/** Five ways for each of so many characters are tried in no time. */
const harmlessLength = 8;

/** Compiles an expression in Oniguruma's Ruby syntax. Runs it on JavaScript's engine where that gives
 *  the same result, else on the backtracking matcher. Errors: SLUICE_REGEX_INVALID with the position. */
export function compileRegex(source: string, options: RegexOptions = {}): CompiledRegex {
  const parseOptions: ParseOptions = options;
  return compileParsed(source, parseRegex(source, parseOptions), options);
}

/** Compiles what `parseRegex` returned. */
export function compileParsed(
  source: string,
  parsed: ParsedRegex,
  options: Pick<RegexOptions, 'stepBudget' | 'engine'> = {},
): CompiledRegex {
  const root = simplifyRegex(parsed.root);
  const facts = new FactTable();
  const shape = describe(source, parsed, root, facts);
  if (options.engine !== 'matcher' && whyNotTranslatable(root, facts) === undefined) {
    const native = tryNative(root, facts, shape);
    if (native !== undefined) return native;
  }
  return new MatcherRegex(shape, parsed.root, options.stepBudget ?? stepBudgetDefault);
}

interface Shape {
  readonly source: string;
  readonly captures: readonly (string | undefined)[];
  readonly groupNames: readonly string[];
  readonly groupsByName: readonly (readonly number[])[];
  /** Found out when first asked for: a pattern that the kernel runs alone never is. */
  costDegree(): number;
  countedWayBits(): number;
  requiredTexts(): readonly string[];
}

function describe(source: string, parsed: ParsedRegex, root: RegexNode, facts: FactTable): Shape {
  const byName = new Map<string, number[]>();
  for (const [index, name] of parsed.captures.entries()) {
    if (name === undefined) continue;
    const groups = byName.get(name) ?? [];
    groups.push(index + 1);
    byName.set(name, groups);
  }
  return {
    source,
    captures: parsed.captures,
    groupNames: [...byName.keys()],
    groupsByName: [...byName.values()],
    costDegree: () => costDegree(root, facts),
    countedWayBits: () => countedWayBits(root, facts),
    requiredTexts: () => requiredTexts(root),
  };
}

abstract class BaseRegex implements CompiledRegex {
  readonly source: string;
  readonly groupNames: readonly string[];
  readonly groupsByName: readonly (readonly number[])[];
  readonly groupCount: number;
  readonly #shape: Shape;
  #costDegree: number | undefined;
  #countedWayBits: number | undefined;
  #requiredTexts: readonly string[] | undefined;
  abstract readonly engine: 'native' | 'matcher';
  abstract readonly captureSlots: readonly number[];

  constructor(shape: Shape) {
    this.source = shape.source;
    this.groupNames = shape.groupNames;
    this.groupsByName = shape.groupsByName;
    this.groupCount = shape.captures.length;
    this.#shape = shape;
  }

  get costDegree(): number {
    this.#costDegree ??= this.#shape.costDegree();
    return this.#costDegree;
  }

  protected get countedWayBits(): number {
    this.#countedWayBits ??= this.#shape.countedWayBits();
    return this.#countedWayBits;
  }

  get mayRunAway(): boolean {
    return this.costDegree >= runawayDegreeMin || this.countedWayBits >= runawayWayBitsMin;
  }

  mayMatch(text: string): boolean {
    this.#requiredTexts ??= this.#shape.requiredTexts();
    return hasInOrder(text, this.#requiredTexts);
  }

  abstract execRaw(text: string, from?: number, plain?: boolean): RawMatch | null;

  needsGuard(length: number): boolean {
    return this.mayTake(length, guardStepsMin);
  }

  protected mayTake(length: number, steps: number): boolean {
    if (length <= harmlessLength) return false;
    if (this.costDegree === Number.POSITIVE_INFINITY) return true;
    const ways = 2 ** Math.max(0, this.countedWayBits - wayBitsFree);
    return length ** this.costDegree * ways > steps;
  }

  test(text: string, from = 0): boolean {
    return this.execRaw(text, from) !== null;
  }

  exec(text: string, from = 0): MatchResult | null {
    const raw = this.execRaw(text, from);
    if (raw === null) return null;
    const captures = this.captureSlots.map((slot) => raw[slot]);
    const groups = this.groupsByName.map((numbers) => {
      for (let i = numbers.length - 1; i >= 0; i--) {
        const value = captures[numbers[i]! - 1];
        if (value !== undefined) return value;
      }
      return undefined;
    });
    return { index: raw.index, end: raw.index + raw[0]!.length, groups, captures };
  }

  replaceAll(text: string, replacement: (match: MatchResult) => string): string {
    let out = '';
    let copied = 0;
    let from = 0;
    while (from <= text.length) {
      const match = this.exec(text, from);
      if (match === null) break;
      out += text.slice(copied, match.index) + replacement(match);
      copied = match.end;
      from = match.end > match.index ? match.end : match.end + codePointWidth(text, match.end);
    }
    return out + text.slice(copied);
  }
}

function codePointWidth(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** True for ASCII text without a line feed. Both tests run in native code. */
export function isPlainText(text: string): boolean {
  return Buffer.byteLength(text) === text.length && !text.includes('\n');
}

function tryNative(root: RegexNode, facts: FactTable, shape: Shape): CompiledRegex | undefined {
  const { plain, general, slots } = translateRegex(root, facts, shape.captures.length);
  try {
    const expression = new RegExp(plain, 'g');
    // The engine compiles at the first use, and only then finds an expression too large.
    expression.test('');
    return new NativeRegex(shape, expression, general, slots);
  } catch {
    // The engine limits the size of an expression; the matcher does not.
    return undefined;
  }
}

class NativeRegex extends BaseRegex {
  readonly engine = 'native';
  readonly captureSlots: readonly number[];
  readonly #plain: RegExp;
  readonly #generalSource: string;
  /** Compiled when the first text needs it. */
  #general: RegExp | undefined;

  constructor(shape: Shape, plain: RegExp, generalSource: string, slots: readonly number[]) {
    super(shape);
    this.#plain = plain;
    this.#generalSource = generalSource;
    this.captureSlots = slots;
  }

  // hot path
  override execRaw(text: string, from = 0, plain = isPlainText(text)): RawMatch | null {
    let expression = this.#plain;
    if (!plain) {
      this.#general ??= new RegExp(this.#generalSource, 'gu');
      expression = this.#general;
    }
    expression.lastIndex = from;
    try {
      return expression.exec(text);
    } catch (error) {
      // The engine ran out of room for going back.
      if (error instanceof RangeError || error instanceof SyntaxError)
        throw new RegexBudgetError(0);
      throw error;
    }
  }
}

class MatcherRegex extends BaseRegex {
  readonly engine = 'matcher';
  readonly captureSlots: readonly number[];
  readonly #matcher: BacktrackingMatcher;

  constructor(shape: Shape, root: RegexNode, stepBudget: number) {
    super(shape);
    const facts = new FactTable();
    refuseLongLookBehind(shape.source, root, facts);
    const first = facts.nullable(root) ? undefined : facts.of(root).first;
    const program = compileProgram(root, facts, this.groupCount);
    this.#matcher = new BacktrackingMatcher(program, first, stepBudget);
    this.captureSlots = shape.captures.map((_, index) => index + 1);
  }

  override needsGuard(length: number): boolean {
    return this.mayTake(length, matcherGuardStepsMin);
  }

  override execRaw(text: string, from = 0): RawMatch | null {
    const slots = this.#matcher.search(text, from);
    if (slots === null) return null;
    const values: (string | undefined)[] = [];
    for (let group = 0; group <= this.groupCount; group++) {
      const start = slots[group * 2]!;
      const end = slots[group * 2 + 1]!;
      values.push(start < 0 || end < 0 ? undefined : text.slice(start, end));
    }
    return Object.assign(values, { index: slots[0]! });
  }
}

function refuseLongLookBehind(source: string, root: RegexNode, facts: FactTable): void {
  const found = someNode(root, (node) => {
    if (node.kind !== 'look' || !node.behind) return false;
    const { minLength, maxLength } = facts.of(node.body);
    return maxLength - minLength > 255;
  });
  if (found) {
    throw new SluiceError(
      'SLUICE_REGEX_INVALID',
      `Regular expression /${source.slice(0, 120)}/ has a look-behind of unlimited length: give it a bound.`,
    );
  }
}
