import type { Koffi } from '../../../shared/windows_native/load_koffi.ts';
import { cimDateTime } from '../cim_date_time.ts';
import type { ComCalls, Pointer } from './com_calls.ts';

/** VARIANT's types (wtypes.h) and CIM's (wbemcli.h). */
const vtArray = 0x2000;
const cimTypeMask = 0x1fff;
const cimUint16 = 18;
const cimUint32 = 19;
const cimSint64 = 20;
const cimUint64 = 21;
const cimDate = 101;
const cimSint8 = 16;
const cimChar16 = 103;
const elementsMax = 100_000;

export const variantBytes = 24;

/** Writes what VARIANTs hold as JSON. Sizes are those of 64 bits. */
export class VariantJson {
  private readonly koffi: Koffi;
  private readonly com: ComCalls;

  constructor(koffi: Koffi, com: ComCalls) {
    this.koffi = koffi;
    this.com = com;
  }

  /** `cim` is the property's CIM type: a VARIANT alone has no unsigned numbers, no 64 bits and no
   *  times. Embedded objects are null. */
  json(variant: Buffer, cim: number): string {
    const type = variant.readUInt16LE(0);
    const kind = cim & cimTypeMask;
    if ((type & vtArray) === 0) return this.scalar(type, kind, variant, 8);
    return this.array(variant.readBigUInt64LE(8), type & ~vtArray, kind);
  }

  /** The text of a BSTR. */
  text(pointer: Pointer): string {
    if (!pointer) return '';
    const characters = this.com.textLength(pointer);
    if (characters === 0) return '';
    return Buffer.from(this.koffi.view(pointer, characters * 2)).toString('utf16le');
  }

  private array(array: bigint, type: number, kind: number): string {
    if (array === 0n) return 'null';
    const { com } = this;
    const lower = [0];
    const upper = [-1];
    const data: Pointer[] = [null];
    com.lowerBound(array, 1, lower);
    com.upperBound(array, 1, upper);
    const count = Math.min(upper[0]! - lower[0]! + 1, elementsMax);
    if (count <= 0) return '[]';
    if (com.accessData(array, data) < 0 || !data[0]) return 'null';
    try {
      const bytes = com.elementBytes(array);
      const view = Buffer.from(this.koffi.view(data[0], count * bytes));
      const texts = Array.from({ length: count }, (_, at) =>
        this.scalar(type, kind, view, at * bytes),
      );
      return `[${texts.join(',')}]`;
    } finally {
      com.unaccessData(array);
    }
  }

  private scalar(type: number, kind: number, bytes: Buffer, at: number): string {
    switch (type) {
      case 2:
        return integer(bytes.readInt16LE(at), kind);
      case 3:
      case 22:
        return integer(bytes.readInt32LE(at), kind);
      case 4:
        return real(Number(bytes.readFloatLE(at).toPrecision(7)));
      case 5:
        return real(bytes.readDoubleLE(at));
      case 8:
        return textJson(this.text(bytes.readBigUInt64LE(at)), kind);
      case 11:
        return bytes.readInt16LE(at) === 0 ? 'false' : 'true';
      case 16:
        return String(bytes.readInt8(at));
      case 17:
        return integer(bytes.readUInt8(at), kind);
      case 18:
        return String(bytes.readUInt16LE(at));
      case 19:
      case 23:
        return String(bytes.readUInt32LE(at));
      case 20:
        return String(bytes.readBigInt64LE(at));
      case 21:
        return String(bytes.readBigUInt64LE(at));
      default:
        return 'null';
    }
  }
}

/** WMI puts unsigned numbers into signed VARIANTs. */
function integer(value: number, kind: number): string {
  if (kind === cimUint32) return String(value >>> 0);
  // Wine leaves the upper half of a 16-bit element unset.
  if (kind === cimUint16) return String(value & 0xffff);
  if (kind === cimSint8) return String((value << 24) >> 24);
  if (kind === cimChar16) return JSON.stringify(String.fromCharCode(value & 0xffff));
  return String(value);
}

function real(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

/** 64-bit numbers come as texts. */
function textJson(text: string, kind: number): string {
  if ((kind === cimSint64 || kind === cimUint64) && /^(?:0|-?[1-9]\d{0,19})$/.test(text)) {
    return text;
  }
  return JSON.stringify(kind === cimDate ? cimDateTime(text) : text);
}
