import type { OptionProblem } from '../../../core/sdk/index.ts';
import type { LaneName } from '../../shared/collect/lanes.ts';
import type { CommandOptions, ExecOptions } from './config.ts';

/** One program that is run again and again. */
export interface Command {
  /** Label of its metrics; takes the place of `*` in the tag. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number | undefined;
  readonly lane: LaneName;
}

/** The programs that the options name; `id` is the name of the one of `command`. */
export function commandsOf(options: ExecOptions, id: string): Command[] {
  const { command, commands, interval, timeout, priority } = options;
  const own: CommandOptions[] = command === undefined ? [] : [{ name: id, command }];
  return [...own, ...commands].map((one) => ({
    name: one.name,
    argv: one.command,
    intervalMs: one.interval ?? interval,
    timeoutMs: one.timeout ?? timeout,
    lane: one.priority ?? priority,
  }));
}

/** What the schema cannot say. */
export function checkCommands({ command, commands }: ExecOptions): OptionProblem[] {
  if ((command === undefined) === (commands.length === 0)) {
    const message = 'Name what is run: either one `command`, or several `commands`.';
    return [{ path: [command === undefined ? 'command' : 'commands'], message }];
  }
  const names = new Set<string>();
  return commands.flatMap(({ name }, at) => {
    if (!names.has(name)) {
      names.add(name);
      return [];
    }
    const path = ['commands', String(at), 'name'];
    return [{ path, message: `Two commands are called ${name}.` }];
  });
}
