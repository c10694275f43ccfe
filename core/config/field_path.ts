import { SourceError } from './source_error.ts';

/** The way to a field of a record.
 *  `keys` lead from the top into objects; a key of digits also indexes an array.
 *  `literal` is set for `a.b`: a top-level key spelled exactly so wins over the path. */
export interface FieldPath {
  readonly keys: readonly string[];
  readonly literal?: string;
}

const keysMax = 32;
const textLengthMax = 1024;

/** Parses a field reference: `name`, `a.b`, `$a['b']['c']`, `$a[0]`, `[a][b]`.
 *  Errors: SLUICE_OPTION_INVALID, as a SourceError with the column. Limits: 1,024 characters, 32 keys. */
export function compileFieldPath(text: string): FieldPath {
  if (text.length > textLengthMax) {
    throw fieldError(
      `The field reference is longer than ${textLengthMax} characters.`,
      textLengthMax,
    );
  }
  const scan = scanFieldPath(text, 0, 'whole');
  if (scan.end !== text.length) {
    throw fieldError(
      `The field reference has ${JSON.stringify(text.slice(scan.end))} after its end.`,
      scan.end,
      'the end, or another ["key"]',
    );
  }
  return scan.path;
}

/** Writes a field reference so that compiling it again gives the same path. */
export function formatFieldPath(path: FieldPath): string {
  if (path.literal !== undefined) return path.literal;
  const [first] = path.keys;
  if (path.keys.length === 1 && first !== undefined && /^[\w@-]+$/.test(first)) return first;
  if (path.keys.every((key) => key !== '' && !/[[\]\p{Cc}]/u.test(key))) {
    return path.keys.map((key) => `[${key}]`).join('');
  }
  return `$${path.keys.map((key) => `['${key.replace(/['\\]/g, '\\$&')}']`).join('')}`;
}

export interface FieldPathScan {
  readonly path: FieldPath;
  /** Offset just after the reference. */
  readonly end: number;
}

/** How a bare name ends: `whole` text is one name; `word` stops at what is no word character (expressions,
 *  dots belong to it); `segment` stops at a dot too (templates, where `$tool.out` is a field and a text). */
export type BareName = 'whole' | 'word' | 'segment';

/** Reads one field reference that starts at `start`, for languages that embed them. */
export function scanFieldPath(text: string, start: number, bare: BareName): FieldPathScan {
  const first = text[start];
  if (first === '[') return scanBracketed(text, start);
  if (first !== '$') return scanBare(text, start, start, bare);
  if (text[start + 1] === '[') return scanSubscripts(text, start + 1, []);
  const head = scanBare(text, start + 1, start, bare === 'whole' ? 'word' : bare);
  if (text[head.end] !== '[') return head;
  return scanSubscripts(text, head.end, head.path.keys);
}

function scanBare(text: string, start: number, origin: number, bare: BareName): FieldPathScan {
  const end = bareEnd(text, start, bare);
  const name = text.slice(start, end);
  if (name === '')
    throw fieldError('The field reference has no name.', origin, 'the name of a field');
  const bad = /[[\]\p{Cc}]/u.exec(name);
  if (bad !== null) {
    throw fieldError(
      `The field reference has ${JSON.stringify(bad[0])} inside a plain name.`,
      start + bad.index,
      "$a['b'] or [a][b] for a nested field",
    );
  }
  const keys = name.split('.');
  if (keys.length === 1 || keys.includes('')) return { path: { keys: [name] }, end };
  checkCount(keys, start);
  return { path: { keys, literal: name }, end };
}

const wordCharacter = /[\p{L}\p{N}_@]/u;

function bareEnd(text: string, start: number, bare: BareName): number {
  if (bare === 'whole') return text.length;
  let end = start;
  while (end < text.length) {
    const character = String.fromCodePoint(text.codePointAt(end)!);
    const dotInside =
      bare === 'word' && character === '.' && wordCharacter.test(text[end + 1] ?? '');
    if (!wordCharacter.test(character) && !dotInside) break;
    end += character.length;
  }
  return end;
}

function scanBracketed(text: string, start: number): FieldPathScan {
  const keys: string[] = [];
  let at = start;
  while (text[at] === '[') {
    let end = at + 1;
    while (end < text.length && text[end] !== ']' && text[end] !== '[') end += 1;
    if (text[end] !== ']') {
      throw fieldError('The field reference has a [ without its ].', at, '] after the key');
    }
    const key = text.slice(at + 1, end);
    if (key === '') throw fieldError('The field reference has an empty [].', at + 1, 'a key');
    keys.push(key);
    at = end + 1;
  }
  checkCount(keys, start);
  return { path: { keys }, end: at };
}

function scanSubscripts(text: string, start: number, head: readonly string[]): FieldPathScan {
  const keys = [...head];
  let at = start;
  while (text[at] === '[') {
    const quote = text[at + 1];
    const scan =
      quote === "'" || quote === '"' ? scanQuoted(text, at + 1) : scanIndex(text, at + 1);
    if (text[scan.end] !== ']') {
      throw fieldError('The field reference has a [ without its ].', at, '] after the key');
    }
    keys.push(scan.key);
    at = scan.end + 1;
  }
  checkCount(keys, start);
  return { path: { keys }, end: at };
}

function scanQuoted(text: string, start: number): { key: string; end: number } {
  const quote = text[start];
  let key = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === quote) return { key, end: at + 1 };
    if (character === '\\' && at + 1 < text.length) at += 1;
    key += text[at]!;
  }
  throw fieldError(
    'The field reference has a quote that is not closed.',
    start,
    `${quote} after the key`,
  );
}

function scanIndex(text: string, start: number): { key: string; end: number } {
  let end = start;
  while (end < text.length && text[end]! >= '0' && text[end]! <= '9') end += 1;
  if (end === start) {
    throw fieldError(
      'The field reference has a key without quotes.',
      start,
      "a quoted key such as ['b']",
    );
  }
  return { key: text.slice(start, end), end };
}

function checkCount(keys: readonly string[], start: number): void {
  if (keys.length > keysMax) {
    throw fieldError(`The field reference goes deeper than ${keysMax} keys.`, start);
  }
}

function fieldError(message: string, offset: number, expected?: string): SourceError {
  return new SourceError('SLUICE_OPTION_INVALID', message, { column: offset + 1, expected });
}
