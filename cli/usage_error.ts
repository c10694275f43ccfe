import type { Command, CommandCall } from './command.ts';
import { exitCode } from './exit_codes.ts';

/** Says that a command was called wrongly and how it is called. */
export function usageError(
  call: Pick<CommandCall, 'stderr'>,
  command: Pick<Command, 'usage'>,
  problem: string,
): number {
  call.stderr.write(`error: ${problem}\nusage: ${command.usage}\n`);
  return exitCode.usage;
}

/** An option that takes a value, as text. */
export function textOption(call: CommandCall, name: string): string | undefined {
  const value = call.values[name];
  return typeof value === 'string' ? value : undefined;
}

/** An option that may be given several times. */
export function listOption(call: CommandCall, name: string): string[] {
  const value = call.values[name];
  return (Array.isArray(value) ? value : []).map(String);
}
