import { isUtf8 } from 'node:buffer';
import type { JournalEntry } from './export_parser.ts';

export interface EntryRecord {
  readonly json: Buffer;
  readonly cursor: string;
  /** Unix microseconds at which the journal took the entry. */
  readonly realtimeMicros: number;
  readonly unit: string;
  readonly cutFields: number;
  readonly invalidFields: number;
}

export interface RecordForm {
  readonly lowercase: boolean;
  readonly stripUnderscores: boolean;
}

/** An entry as a record: its fields as texts, or lists of texts where a name comes several times.
 *  What begins with two underscores is the address of the entry, not its content. */
export function entryRecord(entry: JournalEntry, form: RecordForm): EntryRecord {
  const values = new Map<string, string[]>();
  let cursor = '';
  let realtimeMicros = 0;
  let unit = '';
  let cutFields = 0;
  let invalidFields = 0;
  for (const { name, value, cutBytes } of entry.fields) {
    if (name.startsWith('__')) {
      if (name === '__CURSOR') cursor = value.toString();
      else if (name === '__REALTIME_TIMESTAMP') realtimeMicros = Number(value.toString()) || 0;
      continue;
    }
    if (cutBytes > 0) cutFields++;
    if (!isUtf8(value)) invalidFields++;
    const text = value.toString();
    if (name === '_SYSTEMD_UNIT') unit = text;
    const key = keyOf(name, form);
    const known = values.get(key);
    if (known === undefined) values.set(key, [text]);
    else known.push(text);
  }
  const members = [...values].map(([key, texts]) => {
    const value = texts.length === 1 ? texts[0] : texts;
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  const json = Buffer.from(`{${members.join(',')}}`);
  return { json, cursor, realtimeMicros, unit, cutFields, invalidFields };
}

function keyOf(name: string, form: RecordForm): string {
  const stripped = form.stripUnderscores ? name.replace(/^_+/, '') : name;
  return form.lowercase ? stripped.toLowerCase() : stripped;
}
