/** The part of a match that replacements read. */
interface Match {
  readonly index: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
  readonly captures: readonly (string | undefined)[];
}

/** Makes what takes a match's place in `text`. */
export type Replacement = (match: Match, text: string) => string;

/** Compiles a replacement in Ruby's notation: `\1` to `\9`, `\0` or `\&` for the whole match,
 *  `\k<name>`, `\\` for a backslash. Groups that took no part are empty. */
export function compileReplacement(source: string, groupNames: readonly string[]): Replacement {
  if (!source.includes('\\')) return () => source;
  const pieces: Replacement[] = [];
  let literal = '';
  const flush = () => {
    const text = literal;
    if (text !== '') pieces.push(() => text);
    literal = '';
  };
  for (let at = 0; at < source.length; at++) {
    const piece = source[at] === '\\' ? readEscape(source, at, groupNames) : undefined;
    if (piece === undefined) {
      literal += source[at];
    } else if (typeof piece.value === 'string') {
      literal += piece.value;
      at = piece.end - 1;
    } else {
      flush();
      pieces.push(piece.value);
      at = piece.end - 1;
    }
  }
  flush();
  return (match, text) => {
    let out = '';
    for (const piece of pieces) out += piece(match, text);
    return out;
  };
}

/** Reads the escape at `at`; undefined when the backslash is only a backslash. */
function readEscape(
  source: string,
  at: number,
  groupNames: readonly string[],
): { value: string | Replacement; end: number } | undefined {
  const next = source[at + 1];
  if (next === '\\') return { value: '\\', end: at + 2 };
  if (next === '&' || next === '0') {
    return { value: (match, text) => text.slice(match.index, match.end), end: at + 2 };
  }
  if (next !== undefined && next >= '1' && next <= '9') {
    const group = Number(next) - 1;
    return { value: (match) => match.captures[group] ?? '', end: at + 2 };
  }
  const named = /^k<([^>]+)>/.exec(source.slice(at + 1));
  if (named === null) return undefined;
  const group = groupNames.indexOf(named[1]!);
  return { value: (match) => match.groups[group] ?? '', end: at + 1 + named[0].length };
}
