import { SluiceError } from '../../../core/sdk/index.ts';

/** A ClickHouse type as it is written: `Array(Nullable(UInt8))`. */
export interface TypeNode {
  readonly name: string;
  readonly parameters: readonly TypeParameter[];
}

/** An inner type, a number, a quoted text, or an entry of an enum. */
export type TypeParameter = TypeNode | number | string | EnumEntry;

export interface EnumEntry {
  readonly text: string;
  readonly value: number;
}

const textLengthMax = 16_384;
const depthMax = 16;

/** Parses a type. Errors: SLUICE_OPTION_INVALID. Limits: 16,384 characters, 16 types deep. */
export function parseTypeText(text: string): TypeNode {
  if (text.length > textLengthMax) throw typeError(text, 'it is too long');
  const parser = new TypeParser(text);
  const node = parser.type(0);
  parser.end();
  return node;
}

/** Writes a type as a server writes its own: the entries of an enum by their numbers, counted where
 *  the text leaves them out. A header with another order is taken for another type. */
export function canonicalType(node: TypeNode): string {
  if (node.parameters.length === 0) return node.name;
  const isEnum = /^Enum(?:8|16)?$/.test(node.name);
  const parameters = isEnum
    ? enumEntries(node.parameters).sort((a, b) => a.value - b.value)
    : node.parameters;
  return `${node.name}(${parameters.map(parameterText).join(', ')})`;
}

/** The entries of an enum. One without a number counts on from the one before, the first from 1.
 *  What is no entry is left out. */
export function enumEntries(parameters: readonly TypeParameter[]): EnumEntry[] {
  let next = 1;
  return parameters.flatMap((parameter) => {
    if (typeof parameter === 'number') return [];
    if (typeof parameter === 'object' && 'name' in parameter) return [];
    const entry = typeof parameter === 'string' ? { text: parameter, value: next } : parameter;
    next = entry.value + 1;
    return [entry];
  });
}

function parameterText(parameter: TypeParameter): string {
  if (typeof parameter === 'number') return String(parameter);
  if (typeof parameter === 'string') return quoted(parameter);
  return 'name' in parameter
    ? canonicalType(parameter)
    : `${quoted(parameter.text)} = ${parameter.value}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

export function typeError(text: string, problem: string): SluiceError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new SluiceError(
    'SLUICE_OPTION_INVALID',
    `The column type ${JSON.stringify(shown)} cannot be used: ${problem}.`,
  );
}

class TypeParser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  type(depth: number): TypeNode {
    if (depth > depthMax) throw typeError(this.text, `it is more than ${depthMax} types deep`);
    const name = this.match(/[A-Za-z_]\w*/y);
    if (name === undefined) throw this.unexpected('the name of a type');
    if (!this.takes('(')) return { name, parameters: [] };
    const parameters: TypeParameter[] = [];
    do parameters.push(this.parameter(depth + 1));
    while (this.takes(','));
    if (!this.takes(')')) throw this.unexpected('")"');
    return { name, parameters };
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) throw this.unexpected('the end');
  }

  private parameter(depth: number): TypeParameter {
    this.space();
    if (this.text[this.at] === "'") {
      const text = this.quoted();
      if (!this.takes('=')) return text;
      const value = this.match(/-?\d+/y);
      if (value === undefined) throw this.unexpected('a number');
      return { text, value: Number(value) };
    }
    const number = this.match(/-?\d+/y);
    return number === undefined ? this.type(depth) : Number(number);
  }

  private quoted(): string {
    let value = '';
    for (let at = this.at + 1; at < this.text.length; at++) {
      const character = this.text[at]!;
      if (character === "'") {
        this.at = at + 1;
        return value;
      }
      if (character === '\\' && at + 1 < this.text.length) at++;
      value += this.text[at]!;
    }
    throw this.unexpected("a closing '");
  }

  private match(pattern: RegExp): string | undefined {
    this.space();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private takes(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private unexpected(wanted: string): SluiceError {
    return typeError(this.text, `${wanted} is expected at its character ${this.at + 1}`);
  }
}
