import { type FieldPath, scanFieldPath } from '../config/field_path.ts';
import { SourceError } from '../config/source_error.ts';

/** Limits of one expression. */
export const expressionLimits = { lengthMax: 8192, depthMax: 64, nodesMax: 2000 } as const;

export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly field: FieldPath; offset: number }
  | { readonly kind: 'field'; readonly field: FieldPath; offset: number }
  | { readonly kind: 'string'; readonly value: string; offset: number }
  | { readonly kind: 'number'; readonly value: number; offset: number }
  | { readonly kind: 'regex'; readonly pattern: string; offset: number }
  | { readonly kind: 'operator'; readonly text: string; offset: number }
  | { readonly kind: 'end'; offset: number };

// Longer spellings first: the first that fits is taken.
const operators = [
  ...['==', '!=', '<=', '>=', '=~', '!~', '&&', '||', '=', '<', '>', '!', '+', '-', '*', '/', '%'],
  ...['(', ')', ',', '[', ']'],
];

/** Reads tokens one at a time: what `[` and `/` mean depends on where the parser stands. */
export class TokenReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The token here. `position` says what the grammar allows: an `operand` may be `[a][b]`, a `pattern`
   *  may be `/…/`; a `list` takes `[` as a bracket. */
  next(position: 'operand' | 'operator' | 'pattern' | 'list'): Token {
    this.#skipSpace();
    const offset = this.#at;
    const character = this.#text[offset];
    if (character === undefined) return { kind: 'end', offset };
    if (character === '"' || character === "'") return this.#string(character);
    if (position === 'pattern' && character === '/') return this.#regex();
    const numberStart = character === '.' ? this.#text[offset + 1] : character;
    if (numberStart !== undefined && numberStart >= '0' && numberStart <= '9') {
      return this.#number();
    }
    if (character === '$' || (character === '[' && position === 'operand')) return this.#field();
    if (/[\p{L}_@]/u.test(this.#codePoint())) return this.#word();
    return this.#operator();
  }

  /** Goes back, so that the token at `offset` is read again. */
  rewind(offset: number): void {
    this.#at = offset;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #codePoint(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#at)!);
  }

  #string(quote: string): Token {
    const offset = this.#at;
    let value = '';
    for (let at = offset + 1; at < this.#text.length; at += 1) {
      const character = this.#text[at]!;
      if (character === quote) {
        this.#at = at + 1;
        return { kind: 'string', value, offset };
      }
      if (character !== '\\') {
        value += character;
        continue;
      }
      at += 1;
      value += escapeOf(this.#text, at);
      if (this.#text[at] === 'u') at += 4;
    }
    throw expressionError('A string is not closed.', offset, `${quote} at its end`);
  }

  #regex(): Token {
    const offset = this.#at;
    let pattern = '';
    let inClass = false;
    for (let at = offset + 1; at < this.#text.length; at += 1) {
      const character = this.#text[at]!;
      if (character === '/' && !inClass) {
        this.#at = at + 1;
        return { kind: 'regex', pattern: this.#flags() + pattern, offset };
      }
      if (character === '[') inClass = true;
      if (character === ']') inClass = false;
      if (character === '\\') {
        at += 1;
        const escaped = this.#text[at] ?? '';
        pattern += escaped === '/' ? '/' : `\\${escaped}`;
      } else {
        pattern += character;
      }
    }
    throw expressionError('A regular expression is not closed.', offset, '/ at its end');
  }

  #flags(): string {
    const offset = this.#at;
    while (/\w/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    const flags = this.#text.slice(offset, this.#at);
    if (flags === '') return '';
    if (/^[imx]{1,3}$/.test(flags)) return `(?${flags})`;
    throw expressionError(
      `The regular expression has the unknown flags "${flags}".`,
      offset,
      'i, m or x',
    );
  }

  #number(): Token {
    const offset = this.#at;
    const match = /^(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/.exec(this.#text.slice(offset));
    const text = match![0];
    this.#at = offset + text.length;
    if (/[\p{L}_@.]/u.test(this.#text[this.#at] ?? '')) {
      throw expressionError(
        `A number is followed by ${JSON.stringify(this.#text[this.#at])}.`,
        this.#at,
        'a space or an operator, or quotes around a text',
      );
    }
    return { kind: 'number', value: Number(text), offset };
  }

  #field(): Token {
    const offset = this.#at;
    try {
      const scan = scanFieldPath(this.#text, offset, 'word');
      this.#at = scan.end;
      return { kind: 'field', field: scan.path, offset };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      throw expressionError(error.message, error.column - 1, error.expected);
    }
  }

  #word(): Token {
    const offset = this.#at;
    const scan = scanFieldPath(this.#text, offset, 'word');
    this.#at = scan.end;
    const text = this.#text.slice(offset, scan.end);
    return { kind: 'word', text, field: scan.path, offset };
  }

  #operator(): Token {
    const offset = this.#at;
    const text = operators.find((operator) => this.#text.startsWith(operator, offset));
    if (text === undefined) {
      throw expressionError(
        `The character ${JSON.stringify(this.#codePoint())} has no meaning here.`,
        offset,
        'a field, a value or an operator',
      );
    }
    this.#at = offset + text.length;
    return { kind: 'operator', text, offset };
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

function escapeOf(text: string, at: number): string {
  const character = text[at] ?? '';
  if (character !== 'u') return escapes[character] ?? character;
  const digits = text.slice(at + 1, at + 5);
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
    throw expressionError('A string has a broken \\u escape.', at - 1, 'four hexadecimal digits');
  }
  return String.fromCharCode(Number.parseInt(digits, 16));
}

/** SLUICE_EXPRESSION_INVALID at an offset of the source. */
export function expressionError(message: string, offset: number, expected?: string): SourceError {
  return new SourceError('SLUICE_EXPRESSION_INVALID', message, { column: offset + 1, expected });
}
