const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;

/** Indents a JSON text by two spaces a level, as `JSON.stringify` does, and changes no value: numbers
 *  keep all their digits, texts their escapes. The text has to be valid JSON. */
export function indentedJson(json: string): string {
  let text = '';
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code <= space) continue;
    const sign = json[at]!;
    if (code === quote) {
      const end = endOfText(json, at);
      text += json.slice(at, end);
      at = end - 1;
    } else if (sign === '{' || sign === '[') {
      const next = firstBehind(json, at + 1);
      const isEmpty = json[next] === (sign === '{' ? '}' : ']');
      if (isEmpty) at = next;
      text += isEmpty ? sign + json[next]! : sign + lineAt(++depth);
    } else if (sign === '}' || sign === ']') text += lineAt(--depth) + sign;
    else if (sign === ',') text += sign + lineAt(depth);
    else text += sign === ':' ? ': ' : sign;
  }
  return text;
}

function lineAt(depth: number): string {
  return `\n${'  '.repeat(depth)}`;
}

/** The position behind the quote that ends a text. */
function endOfText(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json.charCodeAt(at) !== quote) {
    at += json.charCodeAt(at) === backslash ? 2 : 1;
  }
  return at + 1;
}

function firstBehind(json: string, from: number): number {
  let at = from;
  while (at < json.length && json.charCodeAt(at) <= space) at++;
  return at;
}
