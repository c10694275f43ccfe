import {
  type CompiledRegex,
  compileRegex,
  type ParsedFields,
  RegexBudgetError,
  runInTurn,
  topLevel,
} from '../../../core/sdk/index.ts';
import { regexTimeoutMs } from '../../shared/parsing/text_choice.ts';
import { FieldParser } from '../../shared/parsing/field_parser.ts';
import type { ParserContext } from '../../shared/parsing/parser_options.ts';
import type { Options } from './config.ts';

/** Compiles an expression, which may stand between slashes with option letters behind it.
 *  Errors: SLUICE_REGEX_INVALID. */
export function compileWritten(written: string): CompiledRegex {
  const framed = /^\/([\s\S]*)\/([imxo]*)$/.exec(written);
  if (framed === null) return compileRegex(written);
  const letters = framed[2]!;
  return compileRegex(framed[1]!, {
    ignoreCase: letters.includes('i'),
    rubyMultiline: letters.includes('m'),
    extended: letters.includes('x'),
  });
}

/** Makes a field of each named group of a regular expression. */
export class RegexParser extends FieldParser {
  readonly fixedKeys = true;
  private readonly regex: CompiledRegex;
  private readonly names: readonly string[];
  /** Per name, where its groups stand in a match; the last that took part wins. */
  private readonly slots: readonly (readonly number[])[];
  private isGuarded = false;

  constructor(options: Options, context: ParserContext) {
    super(options, context);
    this.regex = compileWritten(options.regex);
    this.names = this.regex.groupNames;
    for (const name of this.names) context.declare(topLevel(name));
    this.slots = this.regex.groupsByName.map((groups) =>
      groups.map((group) => this.regex.captureSlots[group - 1]!),
    );
  }

  needsGuard(length: number): boolean {
    return this.regex.needsGuard(length);
  }

  parseUnguarded(text: string, into: ParsedFields): boolean {
    this.isGuarded = true;
    try {
      return this.parse(text, into);
    } finally {
      this.isGuarded = false;
    }
  }

  protected override read(text: string, into: ParsedFields): boolean {
    const needsGuard = !this.isGuarded && this.regex.needsGuard(text.length);
    const match = needsGuard ? this.guarded(text) : this.match(text);
    if (match === null) return false;
    for (let i = 0; i < this.names.length; i++) {
      const slots = this.slots[i]!;
      for (let last = slots.length - 1; last >= 0; last--) {
        const value = match[slots[last]!];
        if (value === undefined) continue;
        into.set(this.names[i]!, value);
        break;
      }
    }
    return true;
  }

  private match(text: string): ArrayLike<string | undefined> | null {
    try {
      return this.regex.execRaw(text);
    } catch (error) {
      // The text would take too long: it does not fit.
      if (error instanceof RegexBudgetError) return null;
      throw error;
    }
  }

  private guarded(text: string): ArrayLike<string | undefined> | null {
    let found: ArrayLike<string | undefined> | null = null;
    const step = () => {
      found = this.regex.execRaw(text);
    };
    const { timedOut } = runInTurn({ count: 1, progress: 0, step }, regexTimeoutMs);
    return timedOut.length > 0 ? null : found;
  }
}
