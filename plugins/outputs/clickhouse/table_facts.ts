import { type ClickHouseOptions, columnList } from './config.ts';
import { quoteName, quoteText } from './table_name.ts';

/** The statement that makes a table out of the declared columns. */
export function createTableQuery(options: ClickHouseOptions, table: string): string {
  const columns = columnList(options).map(({ name, type }) => `${quoteName(name)} ${type}`);
  const hasTime = columnList(options).some(({ name }) => name === options.time_key);
  const orderBy = options.order_by ?? (hasTime ? quoteName(options.time_key) : 'tuple()');
  const remembers = isPlainMergeTree(options.engine) && options.deduplication_window > 0;
  return [
    `CREATE TABLE IF NOT EXISTS ${quoteName(options.database)}.${quoteName(table)}`,
    `(${columns.join(', ')})`,
    `ENGINE = ${options.engine}`,
    ...(options.partition_by === undefined ? [] : [`PARTITION BY ${options.partition_by}`]),
    // A list of columns wants the brackets; around anything else they change nothing.
    `ORDER BY (${orderBy})`,
    ...(remembers
      ? [`SETTINGS non_replicated_deduplication_window = ${options.deduplication_window}`]
      : []),
  ].join(' ');
}

export function createDatabaseQuery(options: ClickHouseOptions): string {
  return `CREATE DATABASE IF NOT EXISTS ${quoteName(options.database)}`;
}

export function tableFactsQuery(options: ClickHouseOptions, table: string): string {
  return [
    'SELECT engine, engine_full FROM system.tables',
    `WHERE database = ${quoteText(options.database)} AND name = ${quoteText(table)}`,
    'FORMAT JSONEachRow',
  ].join(' ');
}

/** Says what an insert that is sent twice leads to. `facts` is the answer to `tableFactsQuery`. */
export function deduplicationOf(facts: string): 'once' | 'at least once' {
  // The query above asks for these two columns.
  const { engine, engine_full: full } = JSON.parse(facts) as Record<
    'engine' | 'engine_full',
    string
  >;
  // Replicated tables remember 10,000 inserts unless told otherwise (ClickHouse: MergeTreeSettings).
  const setting = isPlainMergeTree(engine)
    ? (/\bnon_replicated_deduplication_window = (\d+)/.exec(full)?.[1] ?? '0')
    : (/\breplicated_deduplication_window = (\d+)/.exec(full)?.[1] ?? '10000');
  return engine.includes('MergeTree') && setting !== '0' ? 'once' : 'at least once';
}

function isPlainMergeTree(engine: string): boolean {
  return /MergeTree/.test(engine) && !/^(?:Replicated|Shared)/.test(engine);
}
