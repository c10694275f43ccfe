import { type DateFields, isDigit, isLetter, twoDigits } from './date_scanner.ts';
import { findTimeZone } from './time_zone.ts';
import { abbreviationOffset } from './zone_abbreviations.ts';

const longestZoneName = 64;

/** Reads a zone at `start`: `Z`, `+02`, `+0200`, `+02:00`, `+02:00:00`, an abbreviation (`CEST`), `GMT+0200`, or an
 *  IANA name (`Europe/Berlin`). Gives the position after it, or -1; an unknown name is no zone. */
export function scanZone(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: DateFields,
): number {
  if (start >= end) return -1;
  if (!isLetter(bytes[start]!)) return scanOffset(bytes, start, end, fields);
  let at = start + 1;
  while (at < end && isLetter(bytes[at]!)) at++;
  if (at < end && (bytes[at] === 47 || bytes[at] === 95))
    return scanName(bytes, start, end, fields);
  const offset = abbreviationOffset(bytes, start, at);
  if (offset === undefined) return scanName(bytes, start, end, fields);
  if (offset === 0 && at - start > 1) {
    // `GMT+0200`, as browsers write it.
    const after = scanOffset(bytes, at, end, fields);
    if (after >= 0) return after;
  }
  fields.hasOffset = true;
  fields.offset = offset;
  return at;
}

/** Reads `+hh`, `+hhmm`, `+hh:mm` or `+hh:mm:ss`, either sign. Gives the position after, or -1. */
function scanOffset(bytes: Uint8Array, start: number, end: number, fields: DateFields): number {
  const sign = bytes[start];
  if (start >= end || (sign !== 43 && sign !== 45)) return -1;
  const hours = twoDigits(bytes, start + 1, end);
  if (hours < 0 || hours > 23) return -1;
  let at = start + 3;
  let minutes = 0;
  let seconds = 0;
  if (at + 1 < end && bytes[at] === 58) {
    minutes = twoDigits(bytes, at + 1, end);
    at += 3;
    if (at + 1 < end && bytes[at] === 58) {
      seconds = twoDigits(bytes, at + 1, end);
      at += 3;
    }
  } else if (at < end && isDigit(bytes[at]!)) {
    minutes = twoDigits(bytes, at, end);
    at += 2;
  }
  if (minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return -1;
  const magnitude = hours * 3600 + minutes * 60 + seconds;
  fields.hasOffset = true;
  fields.offset = sign === 45 ? -magnitude : magnitude;
  return at;
}

/** Reads an IANA name. This path makes a string: names in data are rare, and the memo of the parser spares repeats. */
function scanName(bytes: Uint8Array, start: number, end: number, fields: DateFields): number {
  let at = start;
  let name = '';
  while (at < end && at - start < longestZoneName && isNameCharacter(bytes[at]!)) {
    name += String.fromCharCode(bytes[at]!);
    at++;
  }
  const zone = findTimeZone(name);
  if (zone === undefined) return -1;
  fields.zone = zone;
  return at;
}

function isNameCharacter(code: number): boolean {
  return (
    isLetter(code) || isDigit(code) || code === 47 || code === 95 || code === 43 || code === 45
  );
}
