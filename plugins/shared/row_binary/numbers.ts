import { type ByteWriter, type Cell, cellForms } from '../../../core/sdk/index.ts';
import { type ColumnCodec, plainCell, ValueMisfit } from './column_codec.ts';
import type { RowReader } from './row_reader.ts';

/** Int8 to Int256 and UInt8 to UInt256. ClickHouse wraps what is out of range in silence; here it
 *  is a misfit. */
export function integerCodec(bits: number, signed: boolean): ColumnCodec {
  return bits <= 32 ? new SmallInteger(bits, signed) : new LargeInteger(bits, signed);
}

class SmallInteger implements ColumnCodec {
  readonly nestable = true;
  readonly cell: Cell;
  private readonly bytes: number;
  private readonly signed: boolean;
  private readonly least: number;
  private readonly most: number;

  constructor(bits: number, signed: boolean) {
    this.bytes = bits / 8;
    this.signed = signed;
    this.cell = plainCell(signed ? cellForms.signed : cellForms.unsigned, this.bytes);
    this.least = signed ? -(2 ** (bits - 1)) : 0;
    this.most = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    // hot path
    const value = wholeNumber(text, quoted);
    if (value < this.least || value > this.most) throw outOfRange(this.least, this.most);
    this.put(value, out);
  }

  writeDefault(out: ByteWriter): void {
    this.put(0, out);
  }

  readJson(reader: RowReader): string {
    return String(reader.integer(this.bytes, this.signed));
  }

  private put(value: number, out: ByteWriter): void {
    out.reserve(this.bytes);
    let rest = value;
    for (let i = 0; i < this.bytes; i++) {
      out.buffer[out.length++] = rest & 0xff;
      rest = Math.floor(rest / 256);
    }
  }
}

class LargeInteger implements ColumnCodec {
  readonly nestable = true;
  readonly cell?: Cell;
  private readonly bytes: number;
  private readonly signed: boolean;
  private readonly least: bigint;
  private readonly most: bigint;

  constructor(bits: number, signed: boolean) {
    this.bytes = bits / 8;
    this.signed = signed;
    const form = signed ? cellForms.signed : cellForms.unsigned;
    if (bits === 64) this.cell = plainCell(form, this.bytes);
    this.least = signed ? -(1n << BigInt(bits - 1)) : 0n;
    this.most = (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    const value = largeNumber(text, quoted);
    if (value < this.least || value > this.most) throw outOfRange(this.least, this.most);
    writeBigInt(out, value, this.bytes);
  }

  writeDefault(out: ByteWriter): void {
    writeBigInt(out, 0n, this.bytes);
  }

  readJson(reader: RowReader): string {
    return String(reader.integer(this.bytes, this.signed));
  }
}

/** Decimal(P, S): a whole number of 10^-S. Digits behind the scale are cut off, as ClickHouse does. */
export class DecimalCodec implements ColumnCodec {
  readonly nestable = true;
  private readonly scale: number;
  private readonly bytes: number;
  private readonly most: bigint;

  constructor(precision: number, scale: number) {
    this.scale = scale;
    this.bytes = precision <= 9 ? 4 : precision <= 18 ? 8 : precision <= 38 ? 16 : 32;
    this.most = 10n ** BigInt(precision) - 1n;
  }

  write(text: string, _quoted: boolean, out: ByteWriter): void {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
    if (match === null || `${match[2]}${match[3] ?? ''}` === '') throw noNumber();
    const fraction = match[3] ?? '';
    const digits = BigInt(`${match[2]}${fraction}`);
    const shift = this.scale - fraction.length + Number(match[4] ?? 0);
    const size = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
    if (size > this.most) throw new ValueMisfit('it has too many digits');
    writeBigInt(out, match[1] === '-' ? -size : size, this.bytes);
  }

  writeDefault(out: ByteWriter): void {
    writeBigInt(out, 0n, this.bytes);
  }

  readJson(reader: RowReader): string {
    const value = reader.integer(this.bytes, true);
    const digits = String(value < 0n ? -value : value).padStart(this.scale + 1, '0');
    const whole = digits.slice(0, digits.length - this.scale);
    const fraction = this.scale === 0 ? '' : `.${digits.slice(digits.length - this.scale)}`;
    return `${value < 0n ? '-' : ''}${whole}${fraction}`;
  }
}

export class FloatCodec implements ColumnCodec {
  readonly nestable = true;
  readonly cell: Cell;
  private readonly bits: 32 | 64;

  constructor(bits: 32 | 64) {
    this.bits = bits;
    this.cell = plainCell(cellForms.float, bits / 8);
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    const value = this.parse(text, quoted);
    this.put(value, out);
  }

  writeDefault(out: ByteWriter): void {
    this.put(0, out);
  }

  readJson(reader: RowReader): string {
    const at = reader.take(this.bits / 8);
    const value = this.bits === 32 ? reader.bytes.readFloatLE(at) : reader.bytes.readDoubleLE(at);
    if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
    if (Number.isNaN(value)) return '"nan"';
    return value > 0 ? '"inf"' : '"-inf"';
  }

  private parse(text: string, quoted: boolean): number {
    if (quoted && /^[+-]?(?:nan|inf|infinity)$/i.test(text)) {
      if (/nan/i.test(text)) return Number.NaN;
      return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    }
    const value = decimalNumber(text, quoted);
    const kept = this.bits === 32 ? Math.fround(value) : value;
    if (!Number.isFinite(kept)) throw new ValueMisfit('it is too large');
    return value;
  }

  private put(value: number, out: ByteWriter): void {
    out.reserve(8);
    if (this.bits === 32) out.length = out.buffer.writeFloatLE(value, out.length);
    else out.length = out.buffer.writeDoubleLE(value, out.length);
  }
}

export class BoolCodec implements ColumnCodec {
  readonly nestable = true;
  readonly cell = plainCell(cellForms.bool, 1);

  write(text: string, _quoted: boolean, out: ByteWriter): void {
    const word = text.toLowerCase();
    if (word === 'true' || word === '1') out.byte(1);
    else if (word === 'false' || word === '0') out.byte(0);
    else throw new ValueMisfit('it is neither true nor false');
  }

  writeDefault(out: ByteWriter): void {
    out.byte(0);
  }

  readJson(reader: RowReader): string {
    return reader.bytes[reader.take(1)] === 0 ? 'false' : 'true';
  }
}

/** Writes a whole number of `bytes` bytes, lowest first, two's complement. */
export function writeBigInt(out: ByteWriter, value: bigint, bytes: number): void {
  out.reserve(bytes);
  for (let at = 0; at < bytes; ) {
    const left = bytes - at;
    if (left >= 8) {
      const part = BigInt.asUintN(64, value >> BigInt(at * 8));
      out.length = out.buffer.writeBigUInt64LE(part, out.length);
      at += 8;
    } else {
      const part = Number(BigInt.asUintN(32, value >> BigInt(at * 8)));
      out.length = out.buffer.writeUInt32LE(part, out.length);
      at += 4;
    }
  }
}

/** A whole number out of `200`, `2e2` or `200.0`; booleans are 1 and 0, as in ClickHouse. */
function wholeNumber(text: string, quoted: boolean): number {
  if (!quoted && (text === 'true' || text === 'false')) return text === 'true' ? 1 : 0;
  const value = decimalNumber(text, quoted);
  if (!Number.isInteger(value)) throw new ValueMisfit('it is no whole number');
  return value;
}

function largeNumber(text: string, quoted: boolean): bigint {
  if (text.length <= 15) return BigInt(wholeNumber(text, quoted));
  if (text.length <= 100 && /^[+-]?\d+$/.test(text)) {
    return BigInt(text.startsWith('+') ? text.slice(1) : text);
  }
  const value = wholeNumber(text, quoted);
  // Beyond 2^53 a number in another spelling has lost digits already.
  if (!Number.isSafeInteger(value)) throw new ValueMisfit('it is no whole number');
  return BigInt(value);
}

/** Only what JSON calls a number, in quotes or not; `Number` takes more. */
function decimalNumber(text: string, quoted: boolean): number {
  if (text.length === 0 || text.length > 400) throw noNumber();
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isDigit = code >= 0x30 && code <= 0x39;
    // + - . and e E
    if (!isDigit && code !== 0x2b && code !== 0x2d && code !== 0x2e && (code | 0x20) !== 0x65) {
      throw noNumber();
    }
  }
  const value = Number(text);
  if (Number.isNaN(value)) throw noNumber();
  if (!quoted && !Number.isFinite(value)) throw new ValueMisfit('it is too large');
  return value;
}

function noNumber(): ValueMisfit {
  return new ValueMisfit('it is no number');
}

function outOfRange(least: number | bigint, most: number | bigint): ValueMisfit {
  return new ValueMisfit(`it is not from ${least} to ${most}`);
}
