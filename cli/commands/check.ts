import { formatDiagnostic } from '../../core/config/diagnostic.ts';
import { SecretMask } from '../../core/config/secret_mask.ts';
import { messageOf } from '../../core/errors/sluice_error.ts';
import { exitCode } from '../exit_codes.ts';
import { loadPipeline } from '../pipeline_config.ts';
import { tryPipeline } from '../try_pipeline.ts';
import type { Command } from '../command.ts';

/** `sluice check FILE...`: OK means that `sluice run` of the same files would start. */
export const check: Command = {
  name: 'check',
  summary: 'Says whether pipeline files are right; OK means that `sluice run` would start.',
  usage: 'sluice check [--probe] [--format text|json] FILE...',
  options: {
    probe: { type: 'boolean', help: 'Also connect to every destination.' },
    format: { type: 'string', help: 'Form of the problems: text (default) or json.' },
  },
  async run({ values, positionals, stdout, stderr }) {
    if (positionals.length === 0) {
      stderr.write('error: name at least one pipeline file: sluice check FILE\n');
      return exitCode.usage;
    }
    const loaded = await loadPipeline(positionals);
    if (!loaded.ok) {
      if (values['format'] === 'json') stdout.write(`${JSON.stringify(loaded.diagnostics)}\n`);
      else stderr.write(loaded.text);
      return exitCode.configuration;
    }
    const { pipeline } = loaded;
    for (const warning of pipeline.warnings) stderr.write(`${formatDiagnostic(warning)}\n`);
    try {
      await tryPipeline(pipeline, values['probe'] === true);
    } catch (error) {
      const mask = new SecretMask();
      mask.learn(pipeline.config);
      stderr.write(`error: ${mask.text(messageOf(error))}\n`);
      return exitCode.configuration;
    }
    const { inputs, filters, outputs } = pipeline.config;
    stdout.write(
      `OK: ${inputs.length} input(s), ${filters.length} filter(s), ${outputs.length} output(s).\n`,
    );
    return exitCode.ok;
  },
};
