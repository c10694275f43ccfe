/** Reads CSV (RFC 4180): fields in quotes may hold commas, line ends and doubled quotes; lines end
 *  with LF or CRLF; empty lines are skipped. Throws for a quote that is not closed or has text
 *  behind it, naming the line. */
export function csvRows(text: string, separator = ','): string[][] {
  const rows: string[][] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const row: string[] = [];
    const startLine = line;
    for (;;) {
      let field: string;
      if (text[at] === '"') {
        const end = closingQuote(text, at, startLine);
        field = text.slice(at + 1, end).replaceAll('""', '"');
        line += field.split('\n').length - 1;
        at = end + 1;
      } else {
        const end = fieldEnd(text, at, separator);
        field = text.slice(at, end);
        at = end;
      }
      row.push(field);
      if (text[at] !== separator) break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (at < text.length && text[at] !== '\n') {
      throw new Error(`Line ${line} has text behind a closing quote.`);
    }
    at++;
    line++;
    if (row.length > 1 || row[0] !== '') rows.push(row);
  }
  return rows;
}

function closingQuote(text: string, open: number, line: number): number {
  for (let at = open + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0) throw new Error(`The quote that line ${line} opens is not closed.`);
    if (text[at + 1] !== '"') return at;
  }
}

/** Where a field without quotes ends: at a separator, a line end or the end. */
function fieldEnd(text: string, from: number, separator: string): number {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === separator || character === '\n') return at;
    if (character === '\r' && (at + 1 === text.length || text[at + 1] === '\n')) return at;
  }
  return text.length;
}
