import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SluiceError } from '../core/errors/sluice_error.ts';
import type { QueryResult } from '../core/sdk/contracts.ts';
import { agentFileName } from './agent_file.ts';

/** Where a running agent answers. */
export interface AgentPlace {
  readonly url: string;
  readonly token: string;
}

const answerTimeoutMs = 120_000;

/** What an agent left under its `storage.path`; undefined when there is nothing readable. The
 *  agent may be gone since. */
export async function findAgent(storagePath: string): Promise<AgentPlace | undefined> {
  try {
    // Checked field by field below.
    const place = JSON.parse(await readFile(join(storagePath, agentFileName), 'utf8')) as {
      url?: unknown;
      token?: unknown;
    };
    if (typeof place.url !== 'string' || typeof place.token !== 'string') return undefined;
    return { url: place.url, token: place.token };
  } catch {
    return undefined;
  }
}

/** Has an agent run a query; undefined when nothing answers at that address, or nothing there
 *  takes the token. Errors: SLUICE_OPTION_INVALID with the agent's words. */
export async function queryAgent(
  place: AgentPlace,
  sql: string,
  output?: string,
): Promise<QueryResult | undefined> {
  let response: Response;
  try {
    response = await fetch(new URL('/api/v1/query', place.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${place.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sql, ...(output === undefined ? {} : { output }) }),
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
  } catch (error) {
    if (messageOf(error) === 'fetch failed') return undefined;
    throw new SluiceError(
      'SLUICE_OPTION_INVALID',
      `The agent did not answer: ${messageOf(error)}.`,
    );
  }
  // Another program may have the port since.
  if (response.status === 401 || response.status === 404 || response.status === 405) {
    const refusal = await errorOf(response);
    if (refusal === undefined) return undefined;
    throw new SluiceError('SLUICE_OPTION_INVALID', refusal);
  }
  if (!response.ok) {
    const text = (await errorOf(response)) ?? `the agent answered ${response.status}`;
    throw new SluiceError('SLUICE_OPTION_INVALID', text);
  }
  // What the agent's query route answers.
  return (await response.json()) as QueryResult;
}

async function errorOf(response: Response): Promise<string | undefined> {
  try {
    // Looked at before it is used.
    const body = (await response.json()) as { error?: unknown };
    return typeof body.error === 'string' ? body.error : undefined;
  } catch {
    return undefined;
  }
}
