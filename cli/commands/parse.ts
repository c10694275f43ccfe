import { messageOf, SluiceError } from '../../core/errors/sluice_error.ts';
import type { Parser } from '../../core/sdk/contracts.ts';
import { parseLine } from '../../plugins/shared/parsing/parse_line.ts';
import type { Command, CommandCall } from '../command.ts';
import { exitCode } from '../exit_codes.ts';
import { isoTime } from '../iso_time.ts';
import { readLines } from '../line_input.ts';
import { configWithParser, makeParser } from '../parser_source.ts';
import { loadPipeline } from '../pipeline_config.ts';
import { builtInParsers, entriesOfParsers, importPlugins, ownPlugins } from '../plugin_set.ts';
import { TextOutput } from '../text_output.ts';
import { listOption, usageError } from '../usage_error.ts';

/** `sluice parse PARSER`: what a parser makes of lines. */
export const parse: Command = {
  name: 'parse',
  summary: 'Reads lines from standard input and prints what a parser makes of them, as JSON.',
  usage: 'sluice parse [--file FILE]... [--option KEY=VALUE]... [--time] PARSER',
  options: {
    file: {
      type: 'string',
      multiple: true,
      help: 'Pipeline file whose parsers can be named too.',
    },
    option: {
      type: 'string',
      multiple: true,
      help: 'Option for a format that is named as the parser, as regex="^(?<a>.*)$".',
    },
    time: { type: 'boolean', help: 'Print {"time": ..., "record": ...}, with the time it found.' },
  },
  async run(call) {
    const [name] = call.positionals;
    if (name === undefined || call.positionals.length > 1) {
      return usageError(call, parse, 'name one parser');
    }
    let parser: Parser;
    try {
      parser = await findParser(call, name);
    } catch (error) {
      call.stderr.write(`error: ${messageOf(error)}\n`);
      return exitCode.configuration;
    }
    await parseLines(parser, call);
    return exitCode.ok;
  },
};

async function findParser(call: CommandCall, name: string): Promise<Parser> {
  const files = listOption(call, 'file');
  if (files.length > 0) {
    const loaded = await loadPipeline(files);
    if (!loaded.ok) throw new SluiceError('SLUICE_CONFIG_INVALID', loaded.text.trimEnd());
    const { config, plugins, baseDirectory } = loaded.pipeline;
    // The file's components need not refer to the parser.
    const builtIn = await importPlugins(entriesOfParsers([name]));
    const all = { ...plugins, plugins: [...plugins.plugins, ...builtIn] };
    return makeParser(name, config, all, baseDirectory);
  }
  const options = listOption(call, 'option').map((text): [string, string] => {
    const at = text.indexOf('=');
    return at < 1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  });
  const set = await ownPlugins();
  const isFormat = set.plugins.some(
    (plugin) =>
      plugin.kind === 'parser' && (plugin.name === name || plugin.aliases?.includes(name) === true),
  );
  const needsDefinition = isFormat && (options.length > 0 || !(name in builtInParsers));
  const config = needsDefinition
    ? configWithParser(name, Object.fromEntries(options), set)
    : configWithParser('json', {}, set);
  return makeParser(name, config, set, process.cwd());
}

async function parseLines(parser: Parser, call: CommandCall): Promise<void> {
  const out = new TextOutput(call.stdout);
  const withTime = call.values['time'] === true;
  for await (const lines of readLines(call.stdin)) {
    let text = '';
    for (const line of lines) {
      const parsed = parseLine(parser, line);
      if (parsed === null) text += 'null\n';
      else if (!withTime) text += `${parsed.json}\n`;
      else text += `{"time":${timeText(parsed.time)},"record":${parsed.json}}\n`;
    }
    await out.write(text);
    if (out.isClosed) break;
  }
  await out.finish();
}

function timeText(time: Parameters<typeof isoTime>[0] | undefined): string {
  return time === undefined ? 'null' : `"${isoTime(time)}"`;
}
