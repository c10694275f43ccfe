/** Splits one CSV record into its cells (RFC 4180): quoted cells may hold separators, line breaks
 *  and doubled quotes. A quote inside an unquoted cell stands for itself.
 *  Gives false when a quote is not closed, when text follows a closed one, or past `cellsMax`.
 *  `quote` is one character or empty; `cells` is filled from its start and cut to length. */
export function readCells(
  text: string,
  separator: string,
  quote: string,
  cellsMax: number,
  cells: string[],
): boolean {
  const end = endWithoutLineBreak(text);
  let count = 0;
  let at = 0;
  for (;;) {
    if (count === cellsMax) return false;
    if (quote !== '' && text[at] === quote && at < end) {
      const close = closingQuote(text, at + 1, end, quote);
      if (close < 0) return false;
      const inside = text.slice(at + 1, close);
      cells[count++] = inside.includes(quote) ? inside.replaceAll(quote + quote, quote) : inside;
      at = close + 1;
      if (at === end) break;
      if (!text.startsWith(separator, at)) return false;
      at += separator.length;
      continue;
    }
    const next = text.indexOf(separator, at);
    if (next < 0 || next >= end) {
      cells[count++] = text.slice(at, end);
      break;
    }
    cells[count++] = text.slice(at, next);
    at = next + separator.length;
  }
  cells.length = count;
  return true;
}

function closingQuote(text: string, from: number, end: number, quote: string): number {
  let at = from;
  for (;;) {
    at = text.indexOf(quote, at);
    if (at < 0 || at >= end) return -1;
    if (text[at + 1] !== quote || at + 1 >= end) return at;
    at += 2;
  }
}

/** The record's own end: one line break behind it does not count. */
function endWithoutLineBreak(text: string): number {
  let end = text.length;
  if (text.charCodeAt(end - 1) === 0x0a) end--;
  if (text.charCodeAt(end - 1) === 0x0d) end--;
  return end;
}
