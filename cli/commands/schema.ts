import { buildComponentSchema, buildFileSchema } from '../../core/config/schema.ts';
import type { Command } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { findPlugins } from '../find_plugins.ts';
import { schemaOf } from '../../core/config/schema_of.ts';
import { ownPlugins } from '../plugin_set.ts';
import { TextOutput } from '../text_output.ts';
import { textOption } from '../usage_error.ts';

/** `sluice schema`: the JSON Schema of pipeline files. */
export const schema: Command = {
  name: 'schema',
  summary: 'Prints the JSON Schema of pipeline files, or of one plugin.',
  usage: 'sluice schema [--plugin NAME]',
  options: {
    plugin: {
      type: 'string',
      help: 'Only the plugin of that name, as KIND/NAME where it is not alone.',
    },
  },
  async run(call) {
    const name = textOption(call, 'plugin');
    let printed: unknown;
    if (name === undefined) {
      printed = buildFileSchema((await ownPlugins()).plugins.map(schemaOf));
    } else {
      const found = await findPlugins(name);
      if (typeof found === 'string') {
        call.stderr.write(`error: ${found}\n`);
        return exitCode.failure;
      }
      printed = buildComponentSchema(schemaOf(found[0]!), 'editor');
    }
    const out = new TextOutput(call.stdout);
    await out.write(`${JSON.stringify(printed, null, 2)}\n`);
    await out.finish();
    return exitCode.ok;
  },
};
