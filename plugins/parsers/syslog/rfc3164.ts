import type { ParsedFields } from '../../../core/sdk/index.ts';

/** Times as senders write them: RFC 3164's `Oct  1 22:14:15`, with a year before or behind it, a
 *  fraction, and ISO 8601 as rsyslog has it. */
const clock = String.raw`\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?`;
const timePattern = new RegExp(
  [
    String.raw`[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?${clock}(?: \d{4}(?=[ :]))?`,
    String.raw`\d{4} [A-Z][a-z]{2} {1,2}\d{1,2} ${clock}`,
    String.raw`\d{4}-\d\d-\d\d[T ]${clock}(?:Z|[+-]\d\d:?\d\d)?`,
  ].join('|'),
  'y',
);

/** Formats of those times, for the date reader. */
export const rfc3164TimeFormats: readonly string[] = [
  '%b %d %H:%M:%S',
  'ISO8601',
  '%b %d %H:%M:%S.%L',
  '%b %d %Y %H:%M:%S',
  '%b %d %Y %H:%M:%S.%L',
  '%b %d %H:%M:%S %Y',
  '%b %d %H:%M:%S.%L %Y',
  '%Y %b %d %H:%M:%S',
  '%Y %b %d %H:%M:%S.%L',
];

/** Cisco: a counter before the time (`29: `), perhaps empty, and the name of the device. */
const sequencePattern = /(?:(\d{1,10})?: ?)?(?:([A-Za-z][\w.-]{0,254}): )?/y;
/** Cisco: an asterisk or dot before a time that is not synchronised; a zone behind it. */
const unsyncedPattern = /[*.]?/y;
const zonePattern = /(?: ([A-Z]{2,5}))?:/y;
const ciscoPattern = /(?::? *)(%[A-Z0-9_]+(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+): ?/y;
const hostPattern = /([^\s:[\]]{1,255}|[\da-fA-F:.]{2,45}) (?=.)/sy;
/** What a message without a host begins with; the blank tells it from an IPv6 address. */
const localIdentPattern = /([^\s:[\]]{1,255})(?:\[([^\]\s]{0,64})\])?:(?: |$)/y;
const identPattern = /([^\s:[\]]{1,255})(?:\[([^\]\s]{0,64})\])?: ?/y;

/** Reads what follows the priority (or a whole text without one): `TIME HOST IDENT[PID]: MESSAGE`,
 *  and what Cisco's devices make of it. Without a time, all of it is the message (RFC 3164
 *  section 4.3.3), but only behind a priority. */
export function readRfc3164(
  text: string,
  at: number,
  hasPriority: boolean,
  into: ParsedFields,
): boolean {
  const time = readTime(text, at, into);
  if (time < 0) {
    if (!hasPriority) return false;
    into.set('message', text.slice(at));
    return true;
  }
  at = time;
  const device = matchAt(ciscoPattern, text, at);
  if (device !== null) return setCisco(text, device, into);
  while (text[at] === ' ') at++;
  const host = matchAt(hostPattern, text, at);
  const ident = matchAt(localIdentPattern, text, at);
  // Local messages have no host: what stands there ends in a colon.
  if (ident === null && host !== null) {
    into.set('host', host[1]);
    at += host[0].length;
    while (text[at] === ' ') at++;
    const behindHost = matchAt(ciscoPattern, text, at);
    if (behindHost !== null) return setCisco(text, behindHost, into);
  }
  const tag = ident ?? matchAt(identPattern, text, at);
  if (tag !== null) {
    into.set('ident', tag[1]);
    if (tag[2] !== undefined) into.set('pid', tag[2]);
    at += tag[0].length;
  }
  into.set('message', text.slice(at));
  return true;
}

/** Reads the time and what Cisco puts around it; gives the position behind, or -1 without a time. */
function readTime(text: string, at: number, into: ParsedFields): number {
  let before: RegExpExecArray | null = null;
  let start = at + matchAt(unsyncedPattern, text, at)![0].length;
  let time = matchAt(timePattern, text, start);
  if (time === null) {
    before = matchAt(sequencePattern, text, at)!;
    start = at + before[0].length;
    start += matchAt(unsyncedPattern, text, start)![0].length;
    time = matchAt(timePattern, text, start);
    if (time === null) return -1;
  }
  const end = start + time[0].length;
  const zone = matchAt(zonePattern, text, end);
  const zoneName = zone?.[1];
  into.set('time', zoneName === undefined ? time[0] : `${time[0]} ${zoneName}`);
  if (before?.[1] !== undefined) into.set('sequence', Number(before[1]));
  if (before?.[2] !== undefined) into.set('host', before[2]);
  return end + (zone?.[0].length ?? 0);
}

function setCisco(text: string, found: RegExpExecArray, into: ParsedFields): boolean {
  into.set('ident', found[1]);
  into.set('message', text.slice(found.index + found[0].length));
  return true;
}

/** Matches a sticky expression at a position. */
function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
