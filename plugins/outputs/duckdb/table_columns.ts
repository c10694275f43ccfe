import type { DuckDBConnection } from '@duckdb/node-api';
import { compileFieldPath, SluiceError } from '../../../core/sdk/index.ts';
import {
  type Column,
  type ColumnType,
  columnTypes,
  quoteName,
  quoteText,
  transformType,
} from './column.ts';
import type { DuckdbOptions } from './config.ts';
import { recordSeparator, timeWireKey } from './wire_record.ts';

/** Member under which a rewritten record holds what has no column. */
export const extraWireKey = '_sluice_extra';

const keyLengthMax = 200;

/** The table as it stands and the columns that records fill. Columns only come, never go. */
export class TableColumns {
  readonly nested: Column[] = [];
  private readonly options: DuckdbOptions;
  private readonly columns: Column[] = [];
  private readonly byKey = new Map<string, Column>();
  /** Names in use, as DuckDB compares them: without regard to case. */
  private readonly names = new Set<string>();

  constructor(options: DuckdbOptions) {
    this.options = options;
    this.include(columnOf(options.time_column, 'TIMESTAMP_NS', [timeWireKey], false));
    this.include(columnOf(options.extra_column, 'JSON', [extraWireKey], false));
    if (options.id_column !== undefined) this.names.add(options.id_column.toLowerCase());
    for (const { name, type, field } of options.columns ?? []) {
      const keys = field === undefined ? [name] : compileFieldPath(field).keys;
      this.include(columnOf(name, type, keys, true));
    }
  }

  /** The column of a top-level member. */
  find(key: string): Column | undefined {
    return this.byKey.get(key);
  }

  /** Whether a field can get a column by itself, while those of `pending` names are about to. */
  canAdd(key: string, pending: ReadonlySet<string>): boolean {
    return (
      this.options.columns === undefined &&
      this.byKey.size + pending.size < this.options.columns_max + 2 &&
      key.length > 0 &&
      key.length <= keyLengthMax &&
      !/\p{Cc}/u.test(key) &&
      !this.names.has(key.toLowerCase()) &&
      !pending.has(key.toLowerCase())
    );
  }

  /** Makes the table when it is missing and learns the columns that it has.
   *  Errors: SLUICE_OPTION_INVALID when it has a column of another type than declared. */
  async open(connection: DuckDBConnection): Promise<void> {
    const { table, id_column: idColumn } = this.options;
    const found = await existingColumns(connection, table);
    const wanted = this.columns.map((column) => [column.name, column.type] as const);
    const all = idColumn === undefined ? wanted : [...wanted, [idColumn, 'VARCHAR'] as const];
    if (found.size === 0) {
      const list = all.map(([name, type]) => `${quoteName(name)} ${type}`).join(', ');
      await connection.run(`CREATE TABLE IF NOT EXISTS ${quoteName(table)} (${list})`);
      return;
    }
    for (const [name, type] of all) {
      const existing = found.get(name);
      if (existing === undefined) await this.alter(connection, name, type);
      else if (existing !== type) {
        throw new SluiceError(
          'SLUICE_OPTION_INVALID',
          `The table "${table}" has a column "${name}" of type ${existing}, not ${type}: use another table, or declare it so.`,
        );
      }
    }
    if (this.options.columns !== undefined) return;
    for (const [name, type] of found) {
      if (this.names.has(name.toLowerCase()) || !isKnownType(type)) continue;
      const inferable = ['VARCHAR', 'BIGINT', 'DOUBLE', 'BOOLEAN', 'JSON'].includes(type);
      this.include(columnOf(name, type, [name], !inferable));
    }
  }

  /** Adds columns for fields that came up. */
  async add(connection: DuckDBConnection, fields: ReadonlyMap<string, ColumnType>): Promise<void> {
    for (const [key, type] of fields) {
      await this.alter(connection, key, type);
      this.include(columnOf(key, type, [key], false));
    }
  }

  /** The statement that stores the rows in $1, a blob of records. */
  insertSql(): string {
    const { table, id_column: idColumn } = this.options;
    const members = this.columns.map((column) => [column.wireKey, transformType(column.type)]);
    const event = Object.fromEntries(members) as Record<string, string>;
    const spec = idColumn === undefined ? event : { i: 'VARCHAR', r: event };
    const path = idColumn === undefined ? 'r' : 'r.r';
    const names = this.columns.map((column) => quoteName(column.name));
    const values = this.columns.map(
      ({ wireKey, type }) => `CAST(${path}.${quoteName(wireKey)} AS ${type})`,
    );
    if (idColumn !== undefined) {
      names.push(quoteName(idColumn));
      values.push('r.i');
    }
    const lines = `SELECT unnest(string_split(decode($1), chr(${recordSeparator}))) AS line`;
    return `INSERT INTO ${quoteName(table)} (${names.join(', ')})
SELECT ${values.join(', ')}
FROM (SELECT json_transform(line, ${quoteText(JSON.stringify(spec))}) AS r FROM (${lines}) WHERE line <> '')`;
  }

  private async alter(connection: DuckDBConnection, name: string, type: string): Promise<void> {
    const table = quoteName(this.options.table);
    await connection.run(`ALTER TABLE ${table} ADD COLUMN ${quoteName(name)} ${type}`);
  }

  private include(column: Column): void {
    this.columns.push(column);
    this.names.add(column.name.toLowerCase());
    if (column.keys.length > 1) this.nested.push(column);
    else this.byKey.set(column.wireKey, column);
  }
}

function columnOf(
  name: string,
  type: ColumnType,
  keys: readonly string[],
  declared: boolean,
): Column {
  const wireKey = keys.length === 1 ? keys[0]! : `_sluice_column_${name}`;
  return { name, type, keys, wireKey, wireKeyBytes: Buffer.from(wireKey), declared };
}

function isKnownType(type: string): type is ColumnType {
  return (columnTypes as readonly string[]).includes(type);
}

async function existingColumns(
  connection: DuckDBConnection,
  table: string,
): Promise<Map<string, string>> {
  const reader = await connection.runAndReadAll(
    `SELECT column_name, data_type FROM duckdb_columns()
     WHERE database_name = current_database() AND schema_name = current_schema() AND table_name = ?
     ORDER BY column_index`,
    [table],
  );
  return new Map(reader.getRows().map(([name, type]) => [String(name), String(type)]));
}
