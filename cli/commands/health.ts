import { messageOf } from '../../core/errors/sluice_error.ts';
import type { Command } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { textOption } from '../usage_error.ts';

const answerTimeoutMs = 5000;

/** `sluice health`: the exit code is the answer, for health checks that can only run a program. */
export const health: Command = {
  name: 'health',
  summary: 'Asks a running agent whether it is ready; the exit code is 0 when it is.',
  usage: 'sluice health [--url URL] [--live]',
  options: {
    url: { type: 'string', help: 'Where http_server answers: http://127.0.0.1:2020 when absent.' },
    live: { type: 'boolean', help: 'Asks only whether it makes progress (/livez).' },
  },
  async run(call) {
    const { values, stdout, stderr } = call;
    const base = textOption(call, 'url') ?? 'http://127.0.0.1:2020';
    const path = values['live'] === true ? '/livez' : '/readyz';
    try {
      const signal = AbortSignal.timeout(answerTimeoutMs);
      const response = await fetch(new URL(path, base), { signal });
      const text = await response.text();
      (response.ok ? stdout : stderr).write(text);
      return response.ok ? exitCode.ok : exitCode.failure;
    } catch (error) {
      stderr.write(
        `error: nothing answers at ${base} (${messageOf(error)}): set http_server in the service section, or name its address with --url.\n`,
      );
      return exitCode.failure;
    }
  },
};
