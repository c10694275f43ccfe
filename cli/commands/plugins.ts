import type { PluginEntry } from '../../core/sdk/define.ts';
import type { Command } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { builtInParsers, catalogue } from '../plugin_set.ts';
import { TextOutput } from '../text_output.ts';
import { textOption, usageError } from '../usage_error.ts';

const kinds = ['input', 'parser', 'filter', 'output'] as const;

/** `sluice plugins`: what a pipeline file can name. */
export const plugins: Command = {
  name: 'plugins',
  summary: 'Lists the plugins that a pipeline file can name.',
  usage: 'sluice plugins [--format text|json]',
  options: { format: { type: 'string', help: 'Form of the list: text (default) or json.' } },
  async run(call) {
    const format = textOption(call, 'format') ?? 'text';
    if (format !== 'text' && format !== 'json') {
      return usageError(call, plugins, `there is no format "${format}"`);
    }
    const out = new TextOutput(call.stdout);
    const sorted = [...catalogue].sort((a, b) => (a.name < b.name ? -1 : 1));
    if (format === 'json') await out.write(`${JSON.stringify(sorted.map(facts), null, 2)}\n`);
    else await out.write(listText(sorted));
    await out.finish();
    return exitCode.ok;
  },
};

function facts({ kind, name, aliases, summary, stability }: PluginEntry) {
  return { kind, name, aliases: aliases ?? [], summary, stability };
}

function listText(all: readonly PluginEntry[]): string {
  const width = Math.max(...all.map((one) => namesOf(one).length)) + 2;
  const sections = kinds.map((kind) => {
    const lines = all
      .filter((one) => one.kind === kind)
      .map((one) => `  ${namesOf(one).padEnd(width)}${one.summary}`);
    return `${kind}s\n${lines.join('\n')}\n`;
  });
  const builtIn = Object.keys(builtInParsers).join(', ');
  return `${sections.join('\n')}\nparsers that need no definition: ${builtIn}\n\n"sluice docs PLUGIN" says more of each.\n`;
}

function namesOf({ name, aliases }: PluginEntry): string {
  return [name, ...(aliases ?? [])].join(', ');
}
