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
