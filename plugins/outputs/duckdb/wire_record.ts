/** Behind every record. JSON text cannot hold it, while it can hold newlines (RFC 7464). */
export const recordSeparator = 0x1e;

/** Member that the encoder adds with the event's time. */
export const timeWireKey = '_sluice_time';

/** With an id column a record is `{"i":"ID","r":{...}}`, and otherwise the event itself. */
const idBefore = '{"i":"';
const idAfter = '","r":';
export const idParts = { before: Buffer.from(idBefore), after: Buffer.from(idAfter) };

/** Where the event's object stands in a record. The separator, and with an id a brace, follow. */
export function recordSpan(record: Buffer, hasId: boolean): { start: number; end: number } {
  if (!hasId) return { start: 0, end: record.length - 1 };
  const start = record.indexOf(idAfter, idBefore.length, 'latin1') + idAfter.length;
  return { start, end: record.length - 2 };
}

/** The event's own JSON: without the time that the encoder added as its last member. */
export function eventJson(record: Buffer, hasId: boolean): string {
  const { start, end } = recordSpan(record, hasId);
  const text = record.toString('utf8', start, end);
  return text.replace(/(^\{|,)"_sluice_time":"[0-9TZ:.-]{20,35}"\}$/, (_, before: string) =>
    before === '{' ? '{}' : '}',
  );
}
