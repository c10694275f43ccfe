import type { ByteWriter, Cell } from '../../../core/sdk/index.ts';
import { type ColumnCodec, ValueMisfit, writeVarUint } from './column_codec.ts';
import type { RowReader } from './row_reader.ts';
import type { EnumEntry } from './type_text.ts';

/** Nullable(T): a byte, 1 for NULL, then the value unless it is NULL. */
export class NullableCodec implements ColumnCodec {
  readonly nestable = false;
  readonly cell?: Cell;
  private readonly inner: ColumnCodec;

  constructor(inner: ColumnCodec) {
    this.inner = inner;
    if (inner.cell !== undefined) this.cell = { ...inner.cell, isNullable: true };
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    if (!quoted && text === 'null') {
      out.byte(1);
      return;
    }
    out.byte(0);
    this.inner.write(text, quoted, out);
  }

  writeTime(seconds: number, nanos: number, out: ByteWriter): void {
    out.byte(0);
    writeTimeWith(this.inner, seconds, nanos, out);
  }

  writeDefault(out: ByteWriter): void {
    out.byte(1);
  }

  readJson(reader: RowReader): string {
    return reader.bytes[reader.take(1)] === 1 ? 'null' : this.inner.readJson(reader);
  }
}

/** Array(T): the count, then the values. */
export class ArrayCodec implements ColumnCodec {
  readonly nestable = false;
  private readonly inner: ColumnCodec;

  constructor(inner: ColumnCodec) {
    this.inner = inner;
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    if (quoted || !text.startsWith('[')) throw new ValueMisfit('it is no array');
    const elements: string[] = [];
    new TokenScanner(text).elements((element) => elements.push(element));
    writeVarUint(out, elements.length);
    for (const element of elements) writeToken(this.inner, element, out);
  }

  writeDefault(out: ByteWriter): void {
    out.byte(0);
  }

  readJson(reader: RowReader): string {
    const count = reader.varUint();
    const values: string[] = [];
    for (let i = 0; i < count; i++) values.push(this.inner.readJson(reader));
    return `[${values.join(',')}]`;
  }
}

/** Map(K, V): the count, then keys and values in turn. */
export class MapCodec implements ColumnCodec {
  readonly nestable = false;
  private readonly key: ColumnCodec;
  private readonly value: ColumnCodec;

  constructor(key: ColumnCodec, value: ColumnCodec) {
    this.key = key;
    this.value = value;
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    if (quoted || !text.startsWith('{')) throw new ValueMisfit('it is no object');
    const members: [string, string][] = [];
    new TokenScanner(text).members((key, value) => members.push([key, value]));
    writeVarUint(out, members.length);
    for (const [key, value] of members) {
      this.key.write(textOfString(key), true, out);
      writeToken(this.value, value, out);
    }
  }

  writeDefault(out: ByteWriter): void {
    out.byte(0);
  }

  readJson(reader: RowReader): string {
    const count = reader.varUint();
    const members: string[] = [];
    for (let i = 0; i < count; i++) {
      const key = this.key.readJson(reader);
      members.push(`${key.startsWith('"') ? key : `"${key}"`}:${this.value.readJson(reader)}`);
    }
    return `{${members.join(',')}}`;
  }
}

/** Enum8 and Enum16: the number of one of its names; the number itself is taken too. */
export class EnumCodec implements ColumnCodec {
  readonly nestable = true;
  private readonly bytes: 1 | 2;
  private readonly values = new Map<string, number>();
  private readonly names = new Map<number, string>();
  private readonly least: number;

  constructor(bytes: 1 | 2, entries: readonly EnumEntry[]) {
    this.bytes = bytes;
    for (const { text, value } of entries) {
      this.values.set(text, value);
      this.names.set(value, text);
    }
    // ClickHouse's default is the entry with the smallest number.
    this.least = Math.min(...this.names.keys());
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    let value = quoted ? this.values.get(text) : undefined;
    if (value === undefined && /^-?\d{1,5}$/.test(text) && this.names.has(Number(text))) {
      value = Number(text);
    }
    if (value === undefined) throw new ValueMisfit('it is none of the names');
    this.put(value, out);
  }

  writeDefault(out: ByteWriter): void {
    this.put(this.least, out);
  }

  readJson(reader: RowReader): string {
    return JSON.stringify(this.names.get(Number(reader.integer(this.bytes, true))) ?? '');
  }

  private put(value: number, out: ByteWriter): void {
    out.reserve(2);
    if (this.bytes === 1) out.length = out.buffer.writeInt8(value, out.length);
    else out.length = out.buffer.writeInt16LE(value, out.length);
  }
}

/** Writes a JSON token: a missing value's default for null where there is no NULL. */
export function writeToken(codec: ColumnCodec, token: string, out: ByteWriter): void {
  if (token.charCodeAt(0) === 0x22) codec.write(textOfString(token), true, out);
  else if (token === 'null' && !(codec instanceof NullableCodec)) codec.writeDefault(out);
  else codec.write(token, false, out);
}

/** Writes a time as the type takes it: directly, or as its ISO 8601 text. */
export function writeTimeWith(
  codec: ColumnCodec,
  seconds: number,
  nanos: number,
  out: ByteWriter,
): void {
  if (codec.writeTime !== undefined) codec.writeTime(seconds, nanos, out);
  else {
    const fraction = String(nanos).padStart(9, '0');
    const text = new Date(seconds * 1000).toISOString().replace('.000Z', `.${fraction}Z`);
    codec.write(text, true, out);
  }
}

function textOfString(token: string): string {
  // Validated JSON that starts with a quote is a string.
  return token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
}

/** Cuts the elements and members out of JSON that was validated before, each as its own text. */
class TokenScanner {
  private readonly text: string;
  private at = 1;

  constructor(text: string) {
    this.text = text;
  }

  elements(take: (element: string) => void): void {
    this.space();
    while (this.at < this.text.length && this.text[this.at] !== ']') {
      take(this.token());
      this.comma();
    }
  }

  members(take: (key: string, value: string) => void): void {
    this.space();
    while (this.at < this.text.length && this.text[this.at] !== '}') {
      const key = this.token();
      this.space();
      this.at++;
      this.space();
      take(key, this.token());
      this.comma();
    }
  }

  private token(): string {
    const start = this.at;
    let depth = 0;
    while (this.at < this.text.length) {
      const character = this.text[this.at]!;
      if (character === '"') {
        this.string();
        if (depth === 0) break;
        continue;
      }
      if (character === '{' || character === '[') depth++;
      else if (character === '}' || character === ']') {
        if (depth === 0) break;
        depth--;
        if (depth === 0) {
          this.at++;
          break;
        }
      } else if (depth === 0 && /[,:\s]/.test(character)) break;
      this.at++;
    }
    return this.text.slice(start, this.at);
  }

  private string(): void {
    this.at++;
    while (this.at < this.text.length && this.text[this.at] !== '"') {
      this.at += this.text[this.at] === '\\' ? 2 : 1;
    }
    this.at++;
  }

  private comma(): void {
    this.space();
    if (this.text[this.at] === ',') this.at++;
    this.space();
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.text[this.at] ?? '')) this.at++;
  }
}
