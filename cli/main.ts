#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { messageOf } from '../core/errors/sluice_error.ts';
import { helperCommand } from '../plugins/shared/windows_native/helper_program.ts';
import type { Command, CommandOption } from './command.ts';
import { commands } from './commands.ts';
import { exitCode } from './exit_codes.ts';
import { keepYoungGenerationSmall } from './young_generation.ts';

// Not awaited here: the single executable is a script, which cannot wait at its top.
if (isMainThread) {
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
} else void import('./worker.ts');

async function main(argv: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (name === 'help' || name === '--help' || name === '-h') return await help(rest[0]);
  // The single executable, started by itself; no command for people.
  if (name === helperCommand && process.connected) return await serveAs(rest[0]);
  const wanted = name === '--version' || name === '-v' ? 'version' : name;
  // Before anything else is loaded, or the space has grown by then.
  if (wanted === 'run') keepYoungGenerationSmall();
  const command = await commandNamed(wanted);
  if (command === undefined) {
    process.stderr.write(`error: there is no command "${name}"; "sluice help" lists them.\n`);
    return exitCode.usage;
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: { ...parserOptions(command.options), help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (values['help'] === true) return await help(command.name);
    return await command.run({
      values,
      positionals,
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
    });
  } catch (error) {
    process.stderr.write(`error: ${messageOf(error)}\n`);
    const isUsage = String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
    if (isUsage) process.stderr.write(`usage: ${command.usage}\n`);
    return isUsage ? exitCode.usage : exitCode.failure;
  }
}

async function serveAs(name: string | undefined): Promise<number> {
  return await (await import('./helper.ts')).serveAs(name);
}

function parserOptions(options: Readonly<Record<string, CommandOption>>) {
  return Object.fromEntries(
    Object.entries(options).map(([key, { type, multiple, short }]) => [
      key,
      { type, ...(multiple ? { multiple } : {}), ...(short === undefined ? {} : { short }) },
    ]),
  );
}

async function commandNamed(name: string | undefined): Promise<Command | undefined> {
  if (name === undefined || !Object.hasOwn(commands, name)) return undefined;
  return await commands[name]!();
}

async function help(name: string | undefined): Promise<number> {
  const command = await commandNamed(name);
  process.stdout.write(command === undefined ? await overview() : commandHelp(command));
  return exitCode.ok;
}

async function overview(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const width = Math.max(...all.map((command) => command.name.length)) + 2;
  const lines = all.map((command) => `  ${command.name.padEnd(width)}${command.summary}`);
  return `sluice: an observability agent\n\nusage: sluice COMMAND [OPTION...]\n\n${lines.join('\n')}\n\n"sluice help COMMAND" says more.\n`;
}

function commandHelp(command: Command): string {
  const options = Object.entries(command.options);
  const lines = options.map(
    ([name, option]) =>
      `  --${name}${option.type === 'string' ? ' VALUE' : ''}`.padEnd(28) + option.help,
  );
  const section = lines.length > 0 ? `\n\noptions:\n${lines.join('\n')}` : '';
  return `${command.summary}\n\nusage: ${command.usage}${section}\n`;
}
