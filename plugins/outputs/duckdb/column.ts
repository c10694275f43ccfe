/** Types that a column can be declared with. */
export const columnTypes = [
  'VARCHAR',
  'BIGINT',
  'INTEGER',
  'DOUBLE',
  'BOOLEAN',
  'JSON',
  'TIMESTAMP_NS',
  'TIMESTAMP',
  'DATE',
  'UUID',
] as const;
export type ColumnType = (typeof columnTypes)[number];

/** A column of the table and the member of a record that fills it. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Keys of the member; several for one inside an object. */
  readonly keys: readonly string[];
  /** The member's name in the text that DuckDB reads: the key itself at the top level. */
  readonly wireKey: string;
  readonly wireKeyBytes: Buffer;
  /** Declared by the user: text that says a number will do, and what does not fit is refused. */
  readonly declared: boolean;
}

/** What a JSON value is; `huge` is a whole number beyond 64 bits, or a number beyond a double. */
export type ValueClass = 'text' | 'integer' | 'decimal' | 'huge' | 'boolean' | 'null' | 'nested';

/** Tells what the JSON value in bytes[start, end) is. */
export function classify(bytes: Buffer, start: number, end: number): ValueClass {
  // hot path
  const first = bytes[start]!;
  if (first === 0x22) return 'text';
  if (first === 0x7b || first === 0x5b) return 'nested';
  if (first === 0x74 || first === 0x66) return 'boolean';
  if (first === 0x6e) return 'null';
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    // A point, or an exponent.
    if (byte === 0x2e || byte === 0x65 || byte === 0x45) return decimalClass(bytes, start, end);
  }
  if (end - start <= 18) return 'integer';
  return isInt64(bytes.latin1Slice(start, end)) ? 'integer' : 'huge';
}

function decimalClass(bytes: Buffer, start: number, end: number): ValueClass {
  return Number.isFinite(Number(bytes.latin1Slice(start, end))) ? 'decimal' : 'huge';
}

function isInt64(text: string): boolean {
  return text.length <= 20 && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** The type of a column that is made for a value; undefined for null, which says nothing. */
export function typeFor(value: ValueClass): ColumnType | undefined {
  switch (value) {
    case 'null':
      return undefined;
    case 'integer':
      return 'BIGINT';
    case 'decimal':
      return 'DOUBLE';
    case 'boolean':
      return 'BOOLEAN';
    case 'nested':
      return 'JSON';
    default:
      return 'VARCHAR';
  }
}

/** The type that holds values of both. */
export function widerType(one: ColumnType, other: ColumnType): ColumnType {
  if (one === other) return one;
  const both = [one, other];
  if (both.includes('JSON')) return 'JSON';
  return both.includes('BIGINT') && both.includes('DOUBLE') ? 'DOUBLE' : 'VARCHAR';
}

/** Says whether a value can be stored in a column without losing anything. What cannot be told
 *  from here, such as the 31st of February, DuckDB refuses. */
export function fits(column: Column, bytes: Buffer, start: number, end: number): boolean {
  // hot path
  const { type } = column;
  if (type === 'VARCHAR' || type === 'JSON') return true;
  const value = classify(bytes, start, end);
  if (value === 'null') return true;
  if (value === 'text') {
    if (type === 'TIMESTAMP_NS' && !column.declared) return isNanosecondTime(bytes, start);
    return column.declared && textFits(type, bytes.toString('utf8', start + 1, end - 1));
  }
  switch (type) {
    case 'BIGINT':
      return value === 'integer';
    case 'INTEGER':
      return value === 'integer' && isInt32(bytes.latin1Slice(start, end));
    case 'DOUBLE':
      if (value !== 'integer') return value === 'decimal';
      return end - start <= 15 || column.declared || isExact(bytes.latin1Slice(start, end));
    case 'BOOLEAN':
      return value === 'boolean';
    default:
      return false;
  }
}

function isInt32(text: string): boolean {
  const value = Number(text);
  return value >= -2_147_483_648 && value <= 2_147_483_647;
}

/** A double has room for whole numbers up to 2^53. */
function isExact(text: string): boolean {
  return Number.isSafeInteger(Number(text));
}

/** The engine writes event times as ISO 8601; 64 bits of nanoseconds reach from 1678 to 2261. */
function isNanosecondTime(bytes: Buffer, start: number): boolean {
  const year = Number(bytes.latin1Slice(start + 1, start + 5));
  return year >= 1678 && year <= 2261;
}

const time = String.raw`\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?`;
const timestampText = new RegExp(
  String.raw`^\d{4}-\d\d-\d\d(?:[T ]${time}(?: ?(?:Z|[+-]\d\d(?::?\d\d)?))?)?$`,
);

function textFits(type: ColumnType, text: string): boolean {
  switch (type) {
    case 'BIGINT':
      return /^[+-]?\d{1,19}$/.test(text) && isInt64(text.replace('+', ''));
    case 'INTEGER':
      return /^[+-]?\d{1,10}$/.test(text) && isInt32(text);
    case 'DOUBLE':
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text);
    case 'BOOLEAN':
      return text === 'true' || text === 'false';
    case 'TIMESTAMP':
    case 'TIMESTAMP_NS':
      return timestampText.test(text);
    case 'DATE':
      return /^\d{4}-\d\d-\d\d$/.test(text);
    case 'UUID':
      return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
    default:
      return true;
  }
}

/** How DuckDB reads the member out of the JSON text, before it is cast to the column's type. */
export function transformType(type: ColumnType): string {
  switch (type) {
    case 'BIGINT':
    case 'INTEGER':
      // Wider than the column, so that the cast reports what the reading would make NULL.
      return 'HUGEINT';
    case 'DOUBLE':
      return 'DOUBLE';
    case 'JSON':
      return 'JSON';
    default:
      return 'VARCHAR';
  }
}

/** A name between quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text between quotes. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
