import type { DuckDBConnection } from '@duckdb/node-api';

const chunksTable = '_sluice_chunks';
/** How many delivered chunks are remembered: far more than can be under way. */
const chunksKept = 4096;

/** Remembers, in the database itself, which chunks were stored: a chunk's rows and its name are
 *  one transaction, so that a chunk that comes again (after a crash, out of the disk buffer; or
 *  after a commit whose outcome was not learnt) is stored once. */
export class DeliveredChunks {
  private readonly outputId: string;
  private sinceCut = 0;

  constructor(outputId: string) {
    this.outputId = outputId;
  }

  async open(connection: DuckDBConnection): Promise<void> {
    await connection.run(
      `CREATE TABLE IF NOT EXISTS ${chunksTable} (output VARCHAR, id VARCHAR, stored_at TIMESTAMP)`,
    );
  }

  async has(connection: DuckDBConnection, id: string): Promise<boolean> {
    const sql = `SELECT 1 FROM ${chunksTable} WHERE output = $1 AND id = $2 LIMIT 1`;
    const reader = await connection.runAndReadAll(sql, [this.outputId, id]);
    return reader.currentRowCount > 0;
  }

  /** Within the transaction that stores the chunk's rows. */
  async add(connection: DuckDBConnection, id: string): Promise<void> {
    const sql = `INSERT INTO ${chunksTable} VALUES ($1, $2, now()::TIMESTAMP)`;
    await connection.run(sql, [this.outputId, id]);
  }

  /** Forgets the oldest, now and then. */
  async cut(connection: DuckDBConnection): Promise<void> {
    if (++this.sinceCut < chunksKept) return;
    this.sinceCut = 0;
    await connection.run(
      `DELETE FROM ${chunksTable} WHERE output = $1 AND rowid NOT IN
       (SELECT rowid FROM ${chunksTable} WHERE output = $1 ORDER BY rowid DESC LIMIT ${chunksKept})`,
      [this.outputId],
    );
  }
}
