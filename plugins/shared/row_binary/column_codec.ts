import type { ByteWriter, Cell } from '../../../core/sdk/index.ts';
import type { RowReader } from './row_reader.ts';

/** Writes and reads the values of one column type in RowBinary. Source: ClickHouse's documentation
 *  of the formats RowBinary and RowBinaryWithNamesAndTypes. */
export interface ColumnCodec {
  /** Writes a value. `text` is a string's own characters when `quoted`, else a JSON token as it
   *  stands, so that no digit of a number is lost. Throws ValueMisfit. What was written before the
   *  throw is for the caller to take back. */
  write(text: string, quoted: boolean, out: ByteWriter): void;
  /** Writes the value of a missing field: NULL where the type has it, else the type's default. */
  writeDefault(out: ByteWriter): void;
  /** Writes a time without the way over text; types of dates and times have it. */
  writeTime?(seconds: number, nanos: number, out: ByteWriter): void;
  /** Reads a value and gives it as JSON. */
  readJson(reader: RowReader): string;
  /** How the kernel may write values; it leaves those that it does not know to `write`. */
  readonly cell?: Cell;
  /** True for types that a `Nullable` can be around of. */
  readonly nestable: boolean;
}

/** A value that its column type does not hold. The message says why, in a few words. */
export class ValueMisfit extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'ValueMisfit';
  }
}

/** Writes a length as LEB128, which ClickHouse calls VarUInt. */
export function writeVarUint(out: ByteWriter, value: number): void {
  out.reserve(8);
  let rest = value;
  while (rest >= 0x80) {
    out.buffer[out.length++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  out.buffer[out.length++] = rest;
}

/** Writes a string with its length before it. */
export function writeVarText(out: ByteWriter, text: string): void {
  const bytes = Buffer.byteLength(text);
  writeVarUint(out, bytes);
  out.reserve(bytes);
  out.length += out.buffer.write(text, out.length, 'utf8');
}

/** The cell of a type that knows no NULL. */
export function plainCell(form: Cell['form'], size: number, isUtc = false): Cell {
  return { form, size, isNullable: false, isUtc };
}
