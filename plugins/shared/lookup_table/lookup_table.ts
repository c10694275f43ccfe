import { csvRows } from './csv_rows.ts';

export interface LookupTableOptions {
  readonly format: 'csv' | 'json';
  /** Column that is looked up; the first one when absent. */
  readonly keyColumn?: string;
  /** Columns that a look-up gives; all others but the key when absent. */
  readonly columns?: readonly string[];
}

/** Values by key, each as JSON. */
export type LookupTable = ReadonlyMap<string, string>;

const rowsMax = 1_000_000;

/** Reads a table. Shapes: CSV with a line of column names; a JSON object whose members are the keys;
 *  a JSON array of objects, which are rows. A row of one value column gives that value, of several
 *  an object. Of a key that comes twice the last row counts. Limit: 1,000,000 rows.
 *  Throws what is wrong as a sentence. */
export function readLookupTable(bytes: Buffer, options: LookupTableOptions): LookupTable {
  const text = bytes.toString();
  if (options.format === 'csv') return tableOfCsv(text, options);
  const json: unknown = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  if (Array.isArray(json)) return tableOfRows(json, options);
  if (typeof json === 'object' && json !== null) return tableOfObject(json, options);
  throw new Error('It holds neither a JSON object nor an array of objects.');
}

function tableOfCsv(text: string, options: LookupTableOptions): LookupTable {
  const [header, ...rows] = csvRows(text);
  if (header === undefined) throw new Error('It has no line of column names.');
  refuseTooMany(rows.length);
  const key = columnIndex(header, options.keyColumn ?? header[0]!);
  const names = options.columns ?? header.filter((_, i) => i !== key);
  const picked = names.map((name) => columnIndex(header, name));
  const table = new Map<string, string>();
  for (const row of rows) {
    const value = rowValue(names, (i) => row[picked[i]!]);
    if (row[key] !== undefined && value !== undefined) table.set(row[key], value);
  }
  return table;
}

function columnIndex(header: readonly string[], name: string): number {
  const index = header.indexOf(name);
  if (index < 0) throw new Error(`It has no column ${name}, only ${header.join(', ')}.`);
  return index;
}

function tableOfRows(rows: readonly unknown[], options: LookupTableOptions): LookupTable {
  refuseTooMany(rows.length);
  const table = new Map<string, string>();
  for (const [i, row] of rows.entries()) {
    if (!isObject(row)) throw new Error(`Element ${i} is no object.`);
    const keyColumn = options.keyColumn ?? Object.keys(row)[0] ?? '';
    const key = row[keyColumn];
    if (typeof key !== 'string' && typeof key !== 'number') {
      throw new Error(`Element ${i} has no text or number under ${keyColumn}.`);
    }
    const names = options.columns ?? Object.keys(row).filter((name) => name !== keyColumn);
    const value = rowValue(names, (column) => own(row, names[column]!));
    if (value !== undefined) table.set(String(key), value);
  }
  return table;
}

function tableOfObject(object: object, options: LookupTableOptions): LookupTable {
  const entries = Object.entries(object) as [string, unknown][];
  refuseTooMany(entries.length);
  const table = new Map<string, string>();
  const { columns } = options;
  for (const [key, member] of entries) {
    const value =
      columns !== undefined && isObject(member)
        ? rowValue(columns, (column) => own(member, columns[column]!))
        : JSON.stringify(member);
    if (value !== undefined) table.set(key, value);
  }
  return table;
}

/** JSON of a row's value columns; columns without a value are left out. */
function rowValue(names: readonly string[], read: (column: number) => unknown): string | undefined {
  if (names.length === 1) return JSON.stringify(read(0));
  const members: string[] = [];
  for (let i = 0; i < names.length; i++) {
    const json = JSON.stringify(read(i));
    if (json !== undefined) members.push(`${JSON.stringify(names[i])}:${json}`);
  }
  return members.length === 0 ? undefined : `{${members.join(',')}}`;
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuseTooMany(rows: number): void {
  if (rows > rowsMax) throw new Error(`It has more than ${rowsMax} rows.`);
}
