import {
  fileTimeText,
  guidText,
  sidText,
  systemTimeText,
} from '../../shared/windows_event/value_text.ts';
import { type BinaryValue, valueTypes } from './binary_nodes.ts';
import { Damage } from './damage.ts';

/** The text of a single value, as Windows writes it into the event's XML. Errors: Damage where the
 *  size does not fit the type. */
export function valueText(bytes: Buffer, { type, start, size }: BinaryValue): string {
  const fixed = fixedSizes[type];
  if (fixed !== undefined && size !== fixed) {
    throw new Damage(`a value of type ${type} with ${size} bytes`, start);
  }
  switch (type) {
    case valueTypes.null:
      return '';
    case valueTypes.string:
    case valueTypes.xml:
      return withoutEnd(bytes.toString('utf16le', start, start + (size & ~1)));
    case valueTypes.ansiString:
      return withoutEnd(windows1252(bytes, start, start + size));
    case valueTypes.int8:
      return String(bytes.readInt8(start));
    case valueTypes.uint8:
      return String(bytes[start]);
    case valueTypes.int16:
      return String(bytes.readInt16LE(start));
    case valueTypes.uint16:
      return String(bytes.readUInt16LE(start));
    case valueTypes.int32:
      return String(bytes.readInt32LE(start));
    case valueTypes.uint32:
      return String(bytes.readUInt32LE(start));
    case valueTypes.int64:
      return String(bytes.readBigInt64LE(start));
    case valueTypes.uint64:
      return String(bytes.readBigUInt64LE(start));
    case valueTypes.real32:
      return real32Text(bytes.readFloatLE(start));
    case valueTypes.real64:
      return String(bytes.readDoubleLE(start));
    case valueTypes.bool:
      return bytes.readUInt32LE(start) === 0 ? 'false' : 'true';
    case valueTypes.guid:
      return guidText(bytes, start);
    case valueTypes.fileTime:
      return fileTimeText(bytes.readBigUInt64LE(start));
    case valueTypes.systemTime:
      return systemTimeText(bytes, start);
    case valueTypes.sid:
      return sidText(bytes, start, size) ?? hex(bytes, start, size);
    case valueTypes.hexInt32:
    case valueTypes.hexInt64:
    case valueTypes.size:
    case valueTypes.handle:
      return hexText(bytes, start, size);
    default:
      // Binary, and types that are not known: their bytes.
      return hex(bytes, start, size);
  }
}

/** The texts of an array's items; an empty array is one empty text. */
export function arrayTexts(bytes: Buffer, value: BinaryValue): string[] {
  const { start, size } = value;
  const type = value.type & ~valueTypes.array;
  if (size === 0) return [''];
  const texts: string[] = [];
  if (type === valueTypes.string || type === valueTypes.ansiString) {
    const unit = type === valueTypes.string ? 2 : 1;
    let from = start;
    const end = start + size - (size % unit);
    for (let at = start; at < end; at += unit) {
      if (bytes[at] !== 0 || (unit === 2 && bytes[at + 1] !== 0)) continue;
      texts.push(valueText(bytes, { type, start: from, size: at - from }));
      from = at + unit;
    }
    if (from < end) texts.push(valueText(bytes, { type, start: from, size: end - from }));
    return texts;
  }
  for (let at = start; at < start + size; ) {
    const item = itemSize(bytes, type, at, size);
    if (item === 0 || at + item > start + size) {
      throw new Damage(`an array of type ${type} with ${size} bytes`, start);
    }
    texts.push(valueText(bytes, { type, start: at, size: item }));
    at += item;
  }
  return texts;
}

/** Bytes of each item of an array of a type; 0 where there are no such arrays. A pointer's size
 *  shows in the descriptor only, so that in arrays it is taken for 64 bits. */
export function itemSize(bytes: Buffer, type: number, at: number, arrayBytes: number): number {
  if (type === valueTypes.sid) return at + 2 <= bytes.length ? 8 + 4 * bytes[at + 1]! : 0;
  if (type === valueTypes.size || type === valueTypes.handle) return arrayBytes % 8 === 0 ? 8 : 4;
  return fixedSizes[type] ?? 0;
}

/** Bytes of a value of each type that has only one size. */
export const fixedSizes: Readonly<Record<number, number>> = {
  [valueTypes.int8]: 1,
  [valueTypes.uint8]: 1,
  [valueTypes.int16]: 2,
  [valueTypes.uint16]: 2,
  [valueTypes.int32]: 4,
  [valueTypes.uint32]: 4,
  [valueTypes.int64]: 8,
  [valueTypes.uint64]: 8,
  [valueTypes.real32]: 4,
  [valueTypes.real64]: 8,
  [valueTypes.bool]: 4,
  [valueTypes.guid]: 16,
  [valueTypes.fileTime]: 8,
  [valueTypes.systemTime]: 16,
  [valueTypes.hexInt32]: 4,
  [valueTypes.hexInt64]: 8,
};

/** `0x1f`: no leading zeros, small letters. */
function hexText(bytes: Buffer, start: number, size: number): string {
  if (size === 4) return `0x${bytes.readUInt32LE(start).toString(16)}`;
  if (size === 8) return `0x${bytes.readBigUInt64LE(start).toString(16)}`;
  throw new Damage(`a pointer with ${size} bytes`, start);
}

function hex(bytes: Buffer, start: number, size: number): string {
  return bytes.toString('hex', start, start + size).toUpperCase();
}

/** The shortest text that means the same single-precision number. */
function real32Text(value: number): string {
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}

/** Strings often bring their terminator along. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

/** The event log does not say which code page an ANSI string has; this is the commonest. */
function windows1252(bytes: Buffer, start: number, end: number): string {
  return new TextDecoder('windows-1252').decode(bytes.subarray(start, end));
}
