/** Texts of typed values, as Windows writes them into an event's XML. */

/** `{8-4-4-4-12}` in capital hex digits. Reads 16 bytes. */
export function guidText(bytes: Buffer, at: number): string {
  const hex = (from: number, to: number) => bytes.toString('hex', at + from, at + to);
  const first = bytes.readUInt32LE(at).toString(16).padStart(8, '0');
  const second = bytes
    .readUInt16LE(at + 4)
    .toString(16)
    .padStart(4, '0');
  const third = bytes
    .readUInt16LE(at + 6)
    .toString(16)
    .padStart(4, '0');
  return `{${first}-${second}-${third}-${hex(8, 10)}-${hex(10, 16)}}`.toUpperCase();
}

/** `S-1-5-...`, or undefined where `size` bytes hold no SID ([MS-DTYP] 2.4.2). */
export function sidText(bytes: Buffer, at: number, size: number): string | undefined {
  if (size < 8) return undefined;
  const count = bytes[at + 1]!;
  if (count > 15 || size < 8 + 4 * count) return undefined;
  const authority = bytes.readUIntBE(at + 2, 6);
  // An authority above 32 bits is written in hex.
  const head = authority >= 2 ** 32 ? `0x${authority.toString(16).padStart(12, '0')}` : authority;
  let text = `S-${bytes[at]}-${head}`;
  for (let i = 0; i < count; i++) text += `-${bytes.readUInt32LE(at + 8 + 4 * i)}`;
  return text;
}

/** `2024-01-31T12:00:00.1234567Z` of a FILETIME: 100 ns since 1601. */
export function fileTimeText(ticks: bigint): string {
  const seconds = Number(ticks / 10_000_000n) - fileTimeEpochSeconds;
  const fraction = String(ticks % 10_000_000n).padStart(7, '0');
  return `${secondsText(seconds)}.${fraction}Z`;
}

/** `2024-01-31T12:00:00.123Z` of a SYSTEMTIME: eight 16-bit numbers. */
export function systemTimeText(bytes: Buffer, at: number): string {
  const part = (index: number, digits: number) =>
    String(bytes.readUInt16LE(at + 2 * index)).padStart(digits, '0');
  const date = `${part(0, 4)}-${part(1, 2)}-${part(3, 2)}`;
  return `${date}T${part(4, 2)}:${part(5, 2)}:${part(6, 2)}.${part(7, 3)}Z`;
}

/** Seconds from 1601 to 1970. */
export const fileTimeEpochSeconds = 11_644_473_600;

/** Largest second that a date of ECMAScript can say; a FILETIME reaches beyond. */
const secondsMax = 8_640_000_000_000;

/** `2024-01-31T12:00:00` in UTC. Years beyond 9999 have more digits. */
export function secondsText(seconds: number): string {
  const text = new Date(Math.min(seconds, secondsMax) * 1000).toISOString();
  return text.replace(/^\+0?/, '').slice(0, -5);
}

/** Time of an event from its `SystemTime`; undefined where that is no time. */
export function parseSystemTime(text: string): EventTime | undefined {
  return windowsTime(text) ?? anySystemTime(text);
}

/** The form that Windows writes, `2024-01-31T12:00:00.1234567Z`, with any number of decimals; undefined
 *  for all else. */
function windowsTime(text: string): EventTime | undefined {
  const decimals = text.length - 21;
  if (decimals < 1 || decimals > 9 || !hasMarks(text)) return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  const fraction = digits(text, 20, 20 + decimals);
  // The last days of months, and years before 100, are left to the calendar.
  const isPlain = year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 28;
  if (!isPlain || !(hour < 24 && minute < 60 && second < 60 && fraction >= 0)) return undefined;
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
  return { seconds: milliseconds / 1000, nanos: fraction * 10 ** (9 - decimals) };
}

function hasMarks(text: string): boolean {
  return (
    text.charCodeAt(4) === 0x2d &&
    text.charCodeAt(7) === 0x2d &&
    text.charCodeAt(10) === 0x54 &&
    text.charCodeAt(13) === 0x3a &&
    text.charCodeAt(16) === 0x3a &&
    text.charCodeAt(19) === 0x2e &&
    text.charCodeAt(text.length - 1) === 0x5a
  );
}

/** A number of decimal digits; NaN where one is none. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function anySystemTime(text: string): EventTime | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z?$/.exec(text);
  if (match === null) return undefined;
  const milliseconds = Date.parse(`${match[1]}Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  return { seconds: milliseconds / 1000, nanos: Number((match[2] ?? '').padEnd(9, '0')) };
}

/** Unix seconds (whole) and nanoseconds. */
export interface EventTime {
  readonly seconds: number;
  readonly nanos: number;
}
