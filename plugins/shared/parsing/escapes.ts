const simple: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\u0007',
  '"': '"',
  "'": "'",
  '/': '/',
  '\\': '\\',
};

/** Resolves C's one-letter escapes (`\n`, `\"`, `\\`); others stay as they stand. */
export function unescapeText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([\s\S])/g, (whole, letter: string) =>
    Object.hasOwn(simple, letter) ? simple[letter]! : whole,
  );
}

/** As `unescapeText`, with `\u12ab`, `\x7f` and octal `\177` as well. */
export function unescapeUnicode(text: string): string {
  if (!text.includes('\\')) return text;
  const pattern = /\\(?:u([\da-f]{4})|x([\da-f]{1,2})|([0-7]{1,3})|([\s\S]))/gi;
  return text.replace(pattern, (whole, unicode, hex, octal, letter) => {
    if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode, 16));
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    return Object.hasOwn(simple, letter) ? simple[letter]! : whole;
  });
}

const mysql: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\u001a',
};

/** Takes a text out of MySQL's quotes and escapes; undefined when it is not quoted.
 *  Source: MySQL reference manual, "String Literals". */
export function unquoteMysql(text: string): string | undefined {
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || !text.endsWith(quote))
    return undefined;
  return text.slice(1, -1).replace(/\\([\s\S])|''|""/g, (whole, letter: string | undefined) => {
    if (letter !== undefined) return mysql[letter] ?? letter;
    return whole[0] === quote ? quote : whole;
  });
}
