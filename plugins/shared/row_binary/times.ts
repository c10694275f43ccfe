import {
  type ByteWriter,
  type Cell,
  cellForms,
  compileDateFormat,
  type DateParser,
  iso8601BytesMax,
  writeIso8601,
} from '../../../core/sdk/index.ts';
import { type ColumnCodec, plainCell, ValueMisfit } from './column_codec.ts';
import { writeBigInt } from './numbers.ts';
import type { RowReader } from './row_reader.ts';

const secondsPerDay = 86_400;
/** 1900-01-01 and the end of 2299, which ClickHouse names as the ends of Date32 and DateTime64. */
const earliest = -2_208_988_800;
const latest = 10_413_791_999;

/** Date (16 bits of days) and Date32 (days before 1970 too). A time of day is cut off, in UTC. */
export class DateCodec implements ColumnCodec {
  readonly nestable = true;
  readonly cell: Cell;
  private readonly isWide: boolean;
  private readonly reader = new InstantReader('UTC');

  constructor(isWide: boolean) {
    this.isWide = isWide;
    this.cell = plainCell(cellForms.date, isWide ? 4 : 2, true);
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    if (!quoted) throw new ValueMisfit('it is no date');
    this.reader.read(text, false);
    this.writeTime(this.reader.seconds, 0, out);
  }

  writeTime(seconds: number, _nanos: number, out: ByteWriter): void {
    const days = Math.floor(seconds / secondsPerDay);
    out.reserve(4);
    if (!this.isWide) {
      if (days < 0 || days > 0xffff) throw new ValueMisfit('it is not from 1970 to 2149');
      out.length = out.buffer.writeUInt16LE(days, out.length);
      return;
    }
    if (seconds < earliest || seconds > latest) throw notInCenturies();
    out.length = out.buffer.writeInt32LE(days, out.length);
  }

  writeDefault(out: ByteWriter): void {
    for (let i = 0; i < (this.isWide ? 4 : 2); i++) out.byte(0);
  }

  readJson(reader: RowReader): string {
    const days = Number(reader.integer(this.isWide ? 4 : 2, this.isWide));
    return `"${new Date(days * secondsPerDay * 1000).toISOString().slice(0, 10)}"`;
  }
}

/** DateTime: 32 bits of Unix seconds. A fraction is cut off. */
export class DateTimeCodec implements ColumnCodec {
  readonly nestable = true;
  readonly cell: Cell;
  private readonly reader: InstantReader;

  /** Texts without a zone are in `timezone`. */
  constructor(timezone: string) {
    this.reader = new InstantReader(timezone);
    this.cell = plainCell(cellForms.dateTime, 4, timezone === 'UTC');
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    this.reader.read(text, !quoted);
    this.writeTime(this.reader.seconds, this.reader.nanos, out);
  }

  writeTime(seconds: number, _nanos: number, out: ByteWriter): void {
    if (seconds < 0 || seconds > 0xffff_ffff) throw new ValueMisfit('it is not from 1970 to 2106');
    out.reserve(4);
    out.length = out.buffer.writeUInt32LE(seconds, out.length);
  }

  writeDefault(out: ByteWriter): void {
    for (let i = 0; i < 4; i++) out.byte(0);
  }

  readJson(reader: RowReader): string {
    return `"${isoText(Number(reader.integer(4, false)), 0, 0)}"`;
  }
}

/** DateTime64(P): 64 bits of 10^-P seconds. Finer digits are cut off. */
export class DateTime64Codec implements ColumnCodec {
  readonly nestable = true;
  readonly cell: Cell;
  private readonly reader: InstantReader;
  private readonly perSecond: bigint;
  private readonly nanosPerTick: bigint;

  constructor(precision: number, timezone: string) {
    this.reader = new InstantReader(timezone);
    this.cell = plainCell(cellForms.dateTime64, precision, timezone === 'UTC');
    this.perSecond = 10n ** BigInt(precision);
    this.nanosPerTick = 10n ** BigInt(9 - precision);
  }

  write(text: string, quoted: boolean, out: ByteWriter): void {
    this.reader.read(text, !quoted);
    this.writeTime(this.reader.seconds, this.reader.nanos, out);
  }

  writeTime(seconds: number, nanos: number, out: ByteWriter): void {
    if (seconds < earliest || seconds > latest) throw notInCenturies();
    const ticks = BigInt(seconds) * this.perSecond + BigInt(nanos) / this.nanosPerTick;
    if (ticks > 0x7fff_ffff_ffff_ffffn) throw new ValueMisfit('it is after 2262-04-11');
    writeBigInt(out, ticks, 8);
  }

  writeDefault(out: ByteWriter): void {
    writeBigInt(out, 0n, 8);
  }

  readJson(reader: RowReader): string {
    const ticks = reader.integer(8, true);
    const rest = ((ticks % this.perSecond) + this.perSecond) % this.perSecond;
    const seconds = Number((ticks - rest) / this.perSecond);
    return `"${isoText(seconds, Number(rest * this.nanosPerTick), 9)}"`;
  }
}

/** Writes an instant as ISO 8601 in UTC. */
export function isoText(seconds: number, nanos: number, digits: 0 | 9): string {
  const bytes = Buffer.alloc(iso8601BytesMax);
  return bytes.toString('latin1', 0, writeIso8601(bytes, 0, seconds, nanos, digits));
}

function notInCenturies(): ValueMisfit {
  return new ValueMisfit('it is not from 1900 to 2299');
}

/** Reads ISO 8601 texts, and Unix seconds with or without a fraction. */
class InstantReader {
  seconds = 0;
  nanos = 0;
  private readonly iso: DateParser;

  constructor(timezone: string) {
    this.iso = compileDateFormat('ISO8601', { timezone });
  }

  read(text: string, numbersOnly: boolean): void {
    if (/^-?\d+(?:\.\d*)?$/.test(text) && text.length <= 40) {
      this.readEpoch(text);
      return;
    }
    if (numbersOnly || !this.iso.parse(text)) throw new ValueMisfit('it is no time');
    this.seconds = this.iso.seconds;
    this.nanos = this.iso.nanos;
  }

  private readEpoch(text: string): void {
    const dot = text.indexOf('.');
    const whole = Number(dot < 0 ? text : text.slice(0, dot));
    const fraction = dot < 0 ? 0 : Number(text.slice(dot + 1, dot + 10).padEnd(9, '0'));
    const isNegative = text.startsWith('-') && fraction > 0;
    this.seconds = isNegative ? whole - 1 : whole;
    this.nanos = isNegative ? 1_000_000_000 - fraction : fraction;
  }
}
