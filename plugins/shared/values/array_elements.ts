/** The texts of the elements of a JSON array, as they stand; undefined when the JSON is no array.
 *  The text was validated before. */
export function arrayElements(json: string): string[] | undefined {
  if (json.charCodeAt(0) !== openBracket) return undefined;
  const elements: string[] = [];
  let start = 1;
  let depth = 0;
  for (let at = 1; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === quote) at = endOfString(json, at);
    else if (code === openBracket || code === openBrace) depth++;
    else if (code === comma && depth === 0) {
      elements.push(json.slice(start, at).trim());
      start = at + 1;
    } else if (code === closeBracket || code === closeBrace) {
      if (depth-- > 0) continue;
      const last = json.slice(start, at).trim();
      if (last !== '') elements.push(last);
      break;
    }
  }
  return elements;
}

/** Where the closing quote of the string stands that opens at `at`. */
function endOfString(json: string, at: number): number {
  for (at++; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) at++;
  }
  return at;
}

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
