import { messageOf, SluiceError } from '../../core/errors/sluice_error.ts';
import { findAgent } from '../agent_client.ts';
import type { Command } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { loadPipeline } from '../pipeline_config.ts';
import { usageError } from '../usage_error.ts';

/** More than any grace that makes sense: the agent itself ends the drain in time. */
const answerTimeoutMs = 600_000;

/** `sluice drain FILE...`: what a preStop hook runs. */
export const drain: Command = {
  name: 'drain',
  summary: 'Has the running agent of these files deliver what is under way, and end.',
  usage: 'sluice drain FILE...',
  options: {},
  async run(call) {
    if (call.positionals.length === 0) {
      return usageError(call, drain, 'name the pipeline files of the agent');
    }
    const loaded = await loadPipeline(call.positionals);
    if (!loaded.ok) {
      call.stderr.write(loaded.text);
      return exitCode.configuration;
    }
    const path = loaded.pipeline.config.service.storagePath;
    const place = await findAgent(path);
    if (place === undefined) {
      throw new SluiceError(
        'SLUICE_OPTION_INVALID',
        `No agent with an HTTP interface keeps its data in ${path}: set http_server in its service section.`,
      );
    }
    call.stdout.write(await ask(place.url, place.token));
    return exitCode.ok;
  },
};

async function ask(url: string, token: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(new URL('/api/v2/drain', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
  } catch (cause) {
    const text = `The agent at ${url} did not answer (${messageOf(cause)}): it may have ended already.`;
    throw new SluiceError('SLUICE_OPTION_INVALID', text, { cause });
  }
  const text = await response.text();
  if (response.ok) return text;
  throw new SluiceError('SLUICE_OPTION_INVALID', `The agent at ${url} refused: ${text.trim()}`);
}
