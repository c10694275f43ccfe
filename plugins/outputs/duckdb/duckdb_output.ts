import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import {
  checkDirectory,
  type Chunk,
  type Delivery,
  type DeliveryOutcome,
  JsonRecordEncoder,
  messageOf,
  type Output,
  type OutputContext,
  type QueryResult,
  type RejectedRecord,
} from '../../../core/sdk/index.ts';
import type { DuckdbOptions } from './config.ts';
import { type Database, firstLine, openDatabase } from './database.ts';
import { DeliveredChunks } from './delivered_chunks.ts';
import { runQuery } from './query.ts';
import { type ReadyRows, RowReader } from './row_reader.ts';
import { TableColumns } from './table_columns.ts';
import { eventJson, idParts, recordSeparator, timeWireKey } from './wire_record.ts';

/** Stores chunks in a table of a DuckDB file, one transaction a chunk. */
export class DuckdbOutput implements Output {
  readonly encoder: JsonRecordEncoder;
  private readonly options: DuckdbOptions;
  private readonly path: string;
  private readonly columns: TableColumns;
  private readonly reader: RowReader;
  private readonly delivered: DeliveredChunks;
  private database: Database | undefined;
  private connection!: DuckDBConnection;
  private insert: DuckDBPreparedStatement | undefined;
  private working: Promise<unknown> = Promise.resolve();

  constructor(options: DuckdbOptions, context: OutputContext) {
    const hasId = options.id_column !== undefined;
    this.options = options;
    this.path =
      options.path === ':memory:' ? options.path : resolve(context.baseDirectory, options.path);
    this.columns = new TableColumns(options);
    this.reader = new RowReader(this.columns, hasId);
    this.delivered = new DeliveredChunks(context.outputId);
    this.encoder = new JsonRecordEncoder({
      fingerprint: JSON.stringify(['duckdb', hasId]),
      kernel: context.kernel,
      ...(hasId ? { before: idParts.before, afterId: idParts.after } : {}),
      suffix: Buffer.from(hasId ? [0x7d, recordSeparator] : [recordSeparator]),
      time: { key: timeWireKey, format: { form: 'iso8601', digits: 9 } },
      recordJson: (record) => eventJson(record, hasId),
    });
  }

  async open(): Promise<void> {
    const database = await this.openDatabase();
    try {
      this.connection = await database.connect();
      await this.delivered.open(this.connection);
      await this.columns.open(this.connection);
    } catch (error) {
      database.close();
      throw error;
    }
    this.database = database;
    await database.guardFiles();
  }

  /** Opens the file, if it is there, and takes back what that changed in it. */
  async check(): Promise<void> {
    const isThere = existsSync(this.path);
    if (this.path !== ':memory:' && !isThere) await checkDirectory(dirname(this.path));
    const database = await this.openDatabase(isThere ? this.path : ':memory:');
    try {
      const connection = await database.connect();
      await connection.run('BEGIN TRANSACTION');
      await this.delivered.open(connection);
      await this.columns.open(connection);
      await connection.run('ROLLBACK');
      connection.closeSync();
    } finally {
      database.close();
    }
  }

  async probe(): Promise<void> {
    // `check` has opened it, and that is all there is to it.
  }

  /** One chunk at a time: the connection has one transaction. */
  deliver(chunk: Chunk, delivery: Delivery): Promise<DeliveryOutcome> {
    const done = this.working.then(() => this.store(chunk, delivery));
    this.working = done.catch(() => undefined);
    return done;
  }

  query(sql: string): Promise<QueryResult> {
    if (this.database === undefined) return Promise.reject(new Error('the database is not open'));
    const { query_rows_max: rowsMax, query_timeout: timeoutMs } = this.options;
    return runQuery(this.database, sql, { rowsMax, timeoutMs });
  }

  async close(): Promise<void> {
    await this.working;
    const database = this.database;
    this.database = undefined;
    if (database === undefined) return;
    this.insert?.destroySync();
    this.connection.closeSync();
    database.close();
  }

  private openDatabase(path = this.path): Promise<Database> {
    return openDatabase({
      path,
      memoryBytes: this.options.memory_limit,
      threads: this.options.threads,
      isReadOnly: false,
    });
  }

  private async store(chunk: Chunk, delivery: Delivery): Promise<DeliveryOutcome> {
    const interrupt = () => this.connection.interrupt();
    delivery.signal.addEventListener('abort', interrupt, { once: true });
    try {
      const fields = this.reader.survey(chunk);
      if (fields.size > 0) {
        await this.columns.add(this.connection, fields);
        this.forgetInsert();
      }
      const rows = this.reader.rows(chunk);
      const refused = await this.storeRows(chunk.id, rows, 0, rows.count);
      await this.delivered.cut(this.connection);
      await this.database!.guardFiles();
      const rejected = [...rows.rejected, ...refused].sort((a, b) => a.index - b.index);
      if (rejected.length === 0) return { kind: 'accepted' };
      return { kind: 'partial', retry: [], rejected, reason: rejected[0]!.reason };
    } catch (error) {
      this.forgetInsert();
      const reason = firstLine(messageOf(error));
      const isTooLarge = reason.startsWith('Out of Memory Error');
      return isTooLarge && chunk.count > 1 ? { kind: 'split', reason } : { kind: 'retry', reason };
    } finally {
      delivery.signal.removeEventListener('abort', interrupt);
    }
  }

  /** Stores rows in one transaction. When DuckDB refuses one, halves are tried, down to the row
   *  that is to blame; each part is remembered by a name of its own. */
  private async storeRows(
    id: string,
    rows: ReadyRows,
    from: number,
    to: number,
  ): Promise<RejectedRecord[]> {
    if (from === to || (await this.delivered.has(this.connection, id))) return [];
    try {
      await this.storePart(id, rows, from, to);
      return [];
    } catch (error) {
      const reason = firstLine(messageOf(error));
      if (!isRowError(reason)) throw error;
      if (to - from === 1) return [{ index: rows.indices[from]!, reason }];
    }
    const middle = (from + to) >> 1;
    const first = await this.storeRows(`${id}/${from}-${middle}`, rows, from, middle);
    const second = await this.storeRows(`${id}/${middle}-${to}`, rows, middle, to);
    return [...first, ...second];
  }

  private async storePart(id: string, rows: ReadyRows, from: number, to: number): Promise<void> {
    const start = from === 0 ? 0 : rows.ends[from - 1]!;
    this.insert ??= await this.connection.prepare(this.columns.insertSql());
    await this.connection.run('BEGIN TRANSACTION');
    try {
      this.insert.bindBlob(1, rows.bytes.subarray(start, rows.ends[to - 1]!));
      await this.insert.run();
      await this.delivered.add(this.connection, id);
      await this.connection.run('COMMIT');
    } catch (error) {
      await this.connection.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  private forgetInsert(): void {
    this.insert?.destroySync();
    this.insert = undefined;
  }
}

/** True for errors that blame the data; all others may pass. */
function isRowError(reason: string): boolean {
  return /^(?:Conversion|Invalid Input|Out of Range|Constraint|Invalid unicode) Error/i.test(
    reason,
  );
}
