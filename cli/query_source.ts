import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SluiceError } from '../core/errors/sluice_error.ts';
import type { QueryResult } from '../core/sdk/contracts.ts';
import { parseByteSize } from '../core/time/byte_size.ts';
import { openDatabase } from '../plugins/outputs/duckdb/database.ts';
import { runQuery } from '../plugins/outputs/duckdb/query.ts';
import { type AgentPlace, findAgent, queryAgent } from './agent_client.ts';
import { loadPipeline } from './pipeline_config.ts';
import { quickstartDatabase } from './quickstart_place.ts';

/** What `sluice query` was told about where the records are. */
export interface QueryTarget {
  readonly files: readonly string[];
  readonly database: string | undefined;
  readonly agent: string | undefined;
  readonly token: string | undefined;
  readonly output: string | undefined;
}

export interface QueryAnswer extends QueryResult {
  readonly isCut?: boolean;
}

export const queryRowsMax = 10_000;
const queryTimeoutMs = 300_000;
const queryMemoryBytes = parseByteSize('256MB');

/** Runs a query where it can be: by a running agent when it has the file open, otherwise in the
 *  file. Errors: SluiceError. */
export async function answerQuery(target: QueryTarget, sql: string): Promise<QueryAnswer> {
  if (target.agent !== undefined) return await askNamedAgent(target, sql);
  if (target.database !== undefined) return await queryFile(resolve(target.database), sql);
  if (target.files.length > 0) return await queryPipeline(target, sql);
  const database = quickstartDatabase();
  if (!existsSync(database)) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      'There is nothing to query yet: name a pipeline file or --file DATABASE, or run "npm run quickstart" first.',
    );
  }
  return await queryFile(database, sql);
}

async function askNamedAgent(target: QueryTarget, sql: string): Promise<QueryAnswer> {
  const place: AgentPlace = { url: target.agent!, token: target.token ?? '' };
  const answer = URL.canParse(place.url) ? await queryAgent(place, sql, target.output) : undefined;
  if (answer !== undefined) return answer;
  throw new SluiceError(
    'SLUICE_OPTION_INVALID',
    `No agent that takes this token answers at ${place.url}: check --agent and --token (service.http_token).`,
  );
}

async function queryPipeline(target: QueryTarget, sql: string): Promise<QueryAnswer> {
  const loaded = await loadPipeline(target.files);
  if (!loaded.ok) throw new SluiceError('SLUICE_CONFIG_INVALID', loaded.text.trimEnd());
  const { config, baseDirectory } = loaded.pipeline;
  const place = await findAgent(config.service.storagePath);
  const answer = place === undefined ? undefined : await queryAgent(place, sql, target.output);
  if (answer !== undefined) return answer;
  const output = config.outputs.find(
    ({ plugin, id }) =>
      plugin === 'duckdb' && (target.output === undefined || target.output === id),
  );
  if (output === undefined) {
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `No duckdb output${target.output === undefined ? '' : ` "${target.output}"`} is in ${target.files.join(', ')}.`,
    );
  }
  // The schema says that it is text.
  const path = output.options['path'] as string;
  return await queryFile(resolve(baseDirectory, path), sql);
}

async function queryFile(path: string, sql: string): Promise<QueryAnswer> {
  const options = { path, memoryBytes: queryMemoryBytes, threads: 2, isReadOnly: true };
  const database = await openDatabase(options).catch((error) => {
    if (!(error instanceof SluiceError) || error.code !== 'SLUICE_STORAGE_LOCKED') throw error;
    throw new SluiceError(
      'SLUICE_STORAGE_LOCKED',
      `${error.message} If that is an agent, set "http_server: on" in its service and name its pipeline file, or --agent URL and --token, so that it is asked.`,
      { cause: error },
    );
  });
  try {
    return await runQuery(database, sql, { rowsMax: queryRowsMax, timeoutMs: queryTimeoutMs });
  } finally {
    database.close();
  }
}
