import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { importDriver, makeDirectories, messageOf, SluiceError } from '../../../core/sdk/index.ts';

export type DuckdbLibrary = typeof import('@duckdb/node-api');

/** Loads DuckDB. Errors: SLUICE_DRIVER_MISSING. */
export function loadDuckdb(): Promise<DuckdbLibrary> {
  return importDriver('@duckdb/node-api', () => import('@duckdb/node-api'));
}

export interface DatabaseOptions {
  /** A file, or `:memory:`. */
  readonly path: string;
  readonly memoryBytes: number;
  readonly threads: number;
  readonly isReadOnly: boolean;
}

/** An open database. Other files, the network and extensions are out of its reach: queries come
 *  from people, and records from anywhere. */
export interface Database {
  readonly library: DuckdbLibrary;
  readonly path: string;
  connect(): Promise<DuckDBConnection>;
  /** Lets only the owner read the files, also the log that DuckDB writes beside the database. */
  guardFiles(): Promise<void>;
  close(): void;
}

/** Opens a database file; makes it when it may be written to.
 *  Errors: SLUICE_DRIVER_MISSING; SLUICE_STORAGE_LOCKED when another process has it open;
 *  SLUICE_STORAGE_FAILED. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { path, isReadOnly } = options;
  const library = await loadDuckdb();
  const isFile = path !== ':memory:';
  if (isReadOnly && !existsSync(path)) {
    throw new SluiceError('SLUICE_STORAGE_FAILED', `There is no database ${path}.`);
  }
  let instance: DuckDBInstance;
  try {
    if (isFile && !isReadOnly) await makeDirectories(dirname(path), 0o700);
    instance = await openInstance(library, options);
  } catch (cause) {
    throw openError(path, cause);
  }
  const database: Database = {
    library,
    path,
    connect: () => instance.connect(),
    async guardFiles() {
      if (!isFile || isReadOnly) return;
      for (const file of [path, `${path}.wal`]) await chmod(file, 0o600).catch(() => undefined);
    },
    close: () => instance.closeSync(),
  };
  await database.guardFiles();
  return database;
}

function openInstance(library: DuckdbLibrary, options: DatabaseOptions): Promise<DuckDBInstance> {
  const settings = {
    access_mode: options.isReadOnly ? 'READ_ONLY' : 'READ_WRITE',
    memory_limit: `${options.memoryBytes}B`,
    threads: String(options.threads),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    enable_external_access: 'false',
    lock_configuration: 'true',
  };
  if (options.path === ':memory:') {
    return library.DuckDBInstance.create(':memory:', { ...settings, access_mode: 'AUTOMATIC' });
  }
  // DuckDB opens a file once a process: outputs that write to the same one share it.
  return library.DuckDBInstance.fromCache(options.path, settings);
}

function openError(path: string, cause: unknown): SluiceError {
  const text = firstLine(messageOf(cause));
  if (!text.includes('lock on file')) {
    return new SluiceError(
      'SLUICE_STORAGE_FAILED',
      `The database ${path} cannot be opened: ${text}`,
      {
        cause,
      },
    );
  }
  const process = /PID (\d+)/.exec(text)?.[1];
  return new SluiceError(
    'SLUICE_STORAGE_LOCKED',
    `The database ${path} is in use by ${process === undefined ? 'another process' : `process ${process}`}: DuckDB lets one process at a time open a file.`,
    { cause },
  );
}

/** DuckDB adds the statement and a marker below its messages. */
export function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return (end < 0 ? text : text.slice(0, end)).trim().slice(0, 500);
}
