import type { ParsedFields } from '../../../core/sdk/index.ts';
import { readStructuredData } from './structured_data.ts';

/** Fields between the version and the structured data, in order. */
const headerKeys = ['time', 'host', 'ident', 'pid', 'msgid'] as const;

/** True when a version and a time or `-` follow the priority: what no RFC 3164 message has. */
export function looksLikeRfc5424(text: string, at: number): boolean {
  const version = text.charCodeAt(at);
  if (!(version >= 0x31 && version <= 0x39) || text[at + 1] !== ' ') return false;
  return text[at + 2] === '-' || /\d{4}-/y.test(text.slice(at + 2, at + 7));
}

/** Reads what follows the priority: `1 TIME HOST APP PROCID MSGID DATA MESSAGE`. A `-` gives no
 *  field; a byte order mark before the message goes. Source: RFC 5424 section 6. */
export function readRfc5424(text: string, at: number, into: ParsedFields): boolean {
  const versionEnd = text.indexOf(' ', at);
  if (versionEnd < at + 1 || versionEnd > at + 3 || !/^\d+$/.test(text.slice(at, versionEnd))) {
    return false;
  }
  let start = versionEnd + 1;
  for (const key of headerKeys) {
    const end = text.indexOf(' ', start);
    if (end <= start) return false;
    if (end !== start + 1 || text[start] !== '-') into.set(key, text.slice(start, end));
    start = end + 1;
  }
  const data = readStructuredData(text, start);
  if (data === undefined) return false;
  if (data.elements !== undefined) into.set('structured_data', data.elements);
  if (data.end === text.length) return true;
  if (text[data.end] !== ' ') return false;
  const message = text.slice(data.end + 1);
  into.set('message', message.charCodeAt(0) === 0xfeff ? message.slice(1) : message);
  return true;
}
