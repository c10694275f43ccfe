import type { DuckDBValue } from '@duckdb/node-api';
import { messageOf, type QueryResult, SluiceError } from '../../../core/sdk/index.ts';
import { type Database, firstLine } from './database.ts';

export interface QueryLimits {
  readonly rowsMax: number;
  readonly timeoutMs: number;
}

export interface LimitedResult extends QueryResult {
  /** There were more rows than the limit. */
  readonly isCut: boolean;
}

/** Runs one statement that only reads, on a connection of its own and in a transaction that
 *  refuses to write. Errors: SLUICE_OPTION_INVALID with DuckDB's words. */
export async function runQuery(
  database: Database,
  sql: string,
  limits: QueryLimits,
): Promise<LimitedResult> {
  const connection = await database.connect();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.interrupt();
  }, limits.timeoutMs);
  try {
    await connection.run('BEGIN TRANSACTION READ ONLY');
    const extracted = await connection.extractStatements(sql);
    if (extracted.count !== 1) throw refusal('Give one statement at a time.');
    const statement = await extracted.prepare(0);
    const { StatementType } = database.library;
    const type = statement.statementType;
    if (type !== StatementType.SELECT && type !== StatementType.EXPLAIN) {
      throw refusal(
        'Queries only read: SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE and EXPLAIN are taken.',
      );
    }
    const result = await statement.stream();
    const columns = result.columnNames();
    const isJson = result.columnTypes().map((one) => one.alias === 'JSON');
    const rows: unknown[][] = [];
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return { columns, rows, isCut: false };
      for (const row of chunk.getRows()) {
        if (rows.length === limits.rowsMax) return { columns, rows, isCut: true };
        rows.push(row.map((value, index) => plainValue(value, isJson[index]!, database)));
      }
    }
  } catch (error) {
    if (isLate) throw refusal(`The query took longer than ${limits.timeoutMs / 1000} s.`);
    if (error instanceof SluiceError) throw error;
    const text = messageOf(error);
    throw refusal(text === 'Error in native callback' ? 'The query is empty.' : shortened(text));
  } finally {
    clearTimeout(timer);
    connection.closeSync();
  }
}

function refusal(text: string): SluiceError {
  return new SluiceError('SLUICE_OPTION_INVALID', text);
}

/** DuckDB's message without the drawing below it, but with its "Did you mean". */
function shortened(text: string): string {
  const hint = /^(?:Candidate bindings|Did you mean).*$/m.exec(text)?.[0];
  return hint === undefined ? firstLine(text) : `${firstLine(text)} ${hint}`;
}

/** A value as JSON can have it. */
function plainValue(value: DuckDBValue, isJson: boolean, database: Database): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return isJson ? parsedOr(value) : value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') {
    const isSafe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    return isSafe ? Number(value) : String(value);
  }
  const { DuckDBListValue, DuckDBArrayValue, DuckDBStructValue, DuckDBDecimalValue } =
    database.library;
  if (value instanceof DuckDBDecimalValue) return value.toDouble();
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    return value.items.map((item) => plainValue(item, false, database));
  }
  if (value instanceof DuckDBStructValue) {
    const members = Object.entries(value.entries);
    return Object.fromEntries(
      members.map(([key, member]) => [key, plainValue(member, false, database)]),
    );
  }
  return String(value);
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
