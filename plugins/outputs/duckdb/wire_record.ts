/** Behind every record. JSON text cannot hold it, while it can hold newlines (RFC 7464). */
export const recordSeparator = 0x1e;

/** Member that the encoder adds with the event's time. */
export const timeWireKey = '_sluice_time';

/** With an id column a record is `{"i":"ID","r":{...}}`, and otherwise the event itself. */
const idBefore = '{"i":"';
const idAfter = '","r":';
export const idParts = { before: Buffer.from(idBefore), after: Buffer.from(idAfter) };

/** Where the event's object begins in the record at `start`. */
export function objectStart(bytes: Buffer, start: number, hasId: boolean): number {
  if (!hasId) return start;
  return bytes.indexOf(idAfter, start + idBefore.length, 'latin1') + idAfter.length;
}

/** What follows the event's object: the separator, and with an id a brace before it. */
export function suffixBytes(hasId: boolean): number {
  return hasId ? 2 : 1;
}

/** The event's own JSON: without the time that the encoder added as its last member. */
export function eventJson(record: Buffer, hasId: boolean): string {
  const start = objectStart(record, 0, hasId);
  const text = record.toString('utf8', start, record.length - suffixBytes(hasId));
  return text.replace(/(^\{|,)"_sluice_time":"[0-9TZ:.-]{20,35}"\}$/, (_, before: string) =>
    before === '{' ? '{}' : '}',
  );
}
