import { fileTimeEpochSeconds } from '../../shared/windows_event/value_text.ts';
import { wellFormed } from '../../shared/windows_event/well_formed.ts';
import { valueTypes } from './binary_nodes.ts';
import type { JsonSink } from './json_sink.ts';
import { fixedSizes, valueText } from './value_texts.ts';

/** Writes one value as the inside of a JSON string, byte by byte where it is a common one. Equals
 *  `valueText`, which it leaves the rest to. Errors: Damage.
 *  `size` must have been checked to lie within `bytes`. */
export function writeValue(
  out: JsonSink,
  bytes: Buffer,
  type: number,
  start: number,
  size: number,
): void {
  // hot path
  if (type === valueTypes.string) {
    writeString(out, bytes, start, size);
    return;
  }
  const fixed = fixedSizes[type];
  if (fixed === undefined || fixed === size) {
    switch (type) {
      case valueTypes.null:
        return;
      case valueTypes.uint8:
        out.integer(bytes[start]!);
        return;
      case valueTypes.uint16:
        out.integer(bytes.readUInt16LE(start));
        return;
      case valueTypes.uint32:
        out.integer(bytes.readUInt32LE(start));
        return;
      case valueTypes.int32:
        out.integer(bytes.readInt32LE(start));
        return;
      case valueTypes.uint64:
        if (bytes.readUInt32LE(start + 4) < 2 ** 21) {
          out.integer(bytes.readUInt32LE(start) + bytes.readUInt32LE(start + 4) * 2 ** 32);
          return;
        }
        break;
      case valueTypes.guid:
        out.guid(bytes, start);
        return;
      case valueTypes.hexInt32:
        out.hex64(0, bytes.readUInt32LE(start));
        return;
      case valueTypes.hexInt64:
        out.hex64(bytes.readUInt32LE(start + 4), bytes.readUInt32LE(start));
        return;
      case valueTypes.binary:
        out.hexBytes(bytes, start, start + size);
        return;
      case valueTypes.sid:
        if (writeSid(out, bytes, start, size)) return;
        break;
      case valueTypes.fileTime:
        if (writeFileTime(out, bytes, start)) return;
        break;
    }
  }
  out.text(JSON.stringify(wellFormed(valueText(bytes, { type, start, size }))).slice(1, -1));
}

/** Length of a string without its terminators. */
export function stringEnd(bytes: Buffer, start: number, size: number): number {
  let end = start + (size & ~1);
  while (end > start && bytes[end - 1] === 0 && bytes[end - 2] === 0) end -= 2;
  return end;
}

function writeString(out: JsonSink, bytes: Buffer, start: number, size: number): void {
  out.utf16(bytes, start, stringEnd(bytes, start, size));
}

function writeSid(out: JsonSink, bytes: Buffer, start: number, size: number): boolean {
  // hot path
  const count = bytes[start + 1]!;
  // Authorities above 16 bits are not in use.
  const isPlain =
    size >= 8 && count <= 15 && size >= 8 + 4 * count && bytes.readUInt32BE(start + 2) === 0;
  if (!isPlain) return false;
  out.byte(0x53);
  out.byte(0x2d);
  out.integer(bytes[start]!);
  out.byte(0x2d);
  out.integer(bytes.readUInt16BE(start + 6));
  for (let i = 0; i < count; i++) {
    out.byte(0x2d);
    out.integer(bytes.readUInt32LE(start + 8 + 4 * i));
  }
  return true;
}

/** Writes a FILETIME; false for one outside 1970 to 9999. */
export function writeFileTime(out: JsonSink, bytes: Buffer, start: number): boolean {
  // hot path
  const seconds = fileTimeSeconds(bytes, start);
  if (!(seconds >= 0 && seconds < 253_402_300_800)) return false;
  out.time(seconds, fileTimeTicks(bytes, start));
  return true;
}

// 2^32 ticks of 100 ns are 429 s and 4,967,296 ticks: so no part leaves the exact range of doubles.

/** Unix seconds of a FILETIME, rounded down; NaN beyond the year 15,000. */
export function fileTimeSeconds(bytes: Buffer, start: number): number {
  const high = bytes.readUInt32LE(start + 4);
  if (high >= 2 ** 30) return Number.NaN;
  const rest = high * 4_967_296 + bytes.readUInt32LE(start);
  return high * 429 + Math.floor(rest / 10_000_000) - fileTimeEpochSeconds;
}

/** Units of 100 ns within that second. */
export function fileTimeTicks(bytes: Buffer, start: number): number {
  const rest = bytes.readUInt32LE(start + 4) * 4_967_296 + bytes.readUInt32LE(start);
  return rest % 10_000_000;
}
