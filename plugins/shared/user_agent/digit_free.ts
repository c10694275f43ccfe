/** True when an expression may tell one digit from another: it has a digit outside of a quantifier
 *  and of `0-9` in a class. What is left (`\\d`, `\\w`, `.`, other classes) takes all digits alike. */
export function hasDigits(source: string): boolean {
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const letter = source[at]!;
    if (letter === '\\') {
      if (isDigit(source, at + 1)) return true;
      at++;
    } else if (inClass) {
      if (letter === ']') inClass = false;
      else if (source.startsWith('0-9', at)) at += 2;
      else if (isDigit(source, at)) return true;
    } else if (letter === '[') inClass = true;
    else if (letter === '{') {
      const quantifier = /^\{\d+(?:,\d*)?\}/.exec(source.slice(at));
      if (quantifier !== null) at += quantifier[0].length - 1;
    } else if (isDigit(source, at)) return true;
  }
  return false;
}

/** The text with every digit 0. */
export function withoutDigits(text: string): string {
  return text.replace(/[0-9]/g, '0');
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

/** An expression that matches wherever this one does and takes all digits alike; undefined when
 *  there is none that is simple to make. */
export function digitsRelaxed(source: string): string | undefined {
  // What is wider inside of these makes the whole narrower; names of groups may have digits.
  if (source.includes('(?!') || source.includes('(?<')) return undefined;
  let relaxed = '';
  for (let at = 0; at < source.length; at++) {
    const letter = source[at]!;
    let part = letter;
    if (letter === '\\') {
      if (!/[bBdDfnrsStvwW]|[^0-9A-Za-z]/.test(source[at + 1] ?? 'x')) return undefined;
      part = source.slice(at, at + 2);
    } else if (letter === '[') {
      const end = classEnd(source, at);
      if (end < 0) return undefined;
      part = source.slice(at, end);
      if (hasDigits(part)) part = part[1] === '^' ? `(?:[0-9]|${part})` : `[0-9${part.slice(1)}`;
      at = end - 1;
      relaxed += part;
      continue;
    } else if (letter === '{') {
      part = /^\{\d+(?:,\d*)?\}/.exec(source.slice(at))?.[0] ?? letter;
    } else if (isDigit(source, at)) {
      relaxed += '[0-9]';
      continue;
    }
    relaxed += part;
    at += part.length - 1;
  }
  return relaxed;
}

/** Position behind the class that begins at `at`; -1 for one with escapes that stand for codes. */
function classEnd(source: string, at: number): number {
  for (let end = at + 1; end < source.length; end++) {
    if (source[end] === ']') return end + 1;
    if (source[end] !== '\\') continue;
    end++;
    if (!/[bdDfnrsStvwW]|[^0-9A-Za-z]/.test(source[end] ?? 'x')) return -1;
  }
  return -1;
}
