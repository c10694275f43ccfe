import { type CompiledRegex, compileRegex, SluiceError } from '../../../core/sdk/index.ts';

/** A rule such as `KEY REGEX`, cut at the space behind its first word. */
export interface RuleHead {
  readonly head: string;
  /** What is behind it, without the blanks around. */
  readonly rest: string;
}

/** Takes the first word of a rule: up to a space outside of brackets and quotes, so that
 *  `$a['b c'] x` gives `$a['b c']`. A word in double quotes loses them. */
export function takeWord(text: string): RuleHead {
  const trimmed = text.trim();
  if (trimmed.startsWith('"')) {
    const close = trimmed.indexOf('"', 1);
    if (close > 0) return { head: trimmed.slice(1, close), rest: trimmed.slice(close + 1).trim() };
  }
  const isReference = trimmed.startsWith('$') || trimmed.startsWith('[');
  let quote = '';
  let at = 0;
  for (; at < trimmed.length; at++) {
    const character = trimmed[at]!;
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (isReference && (character === "'" || character === '"')) quote = character;
    else if (/\s/.test(character)) break;
  }
  return { head: trimmed.slice(0, at), rest: trimmed.slice(at).trim() };
}

/** Splits a rule into its first word and the rest; both must be there.
 *  Errors: SLUICE_OPTION_INVALID. `shape` is for the message: `KEY REGEX`. */
export function splitRule(text: string, shape: string): RuleHead {
  const split = takeWord(text);
  if (split.head !== '' && split.rest !== '') return split;
  throw new SluiceError(
    'SLUICE_OPTION_INVALID',
    `"${text.slice(0, 80)}" is no rule: write it as ${shape}.`,
  );
}

/** Takes a text out of double quotes around it. */
export function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** Compiles a regular expression as rules have it: bare, or between slashes with Ruby's options
 *  behind the second (`/error|fatal/i`). Errors: SLUICE_REGEX_INVALID. */
export function compileRuleRegex(text: string): CompiledRegex {
  const slashed = /^\/([\s\S]*)\/([imxo]*)$/.exec(text);
  if (slashed === null) return compileRegex(text);
  const options = slashed[2]!;
  return compileRegex(slashed[1]!, {
    ignoreCase: options.includes('i'),
    extended: options.includes('x'),
    rubyMultiline: options.includes('m'),
  });
}
