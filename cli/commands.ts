import type { Command } from './command.ts';
import { check } from './commands/check.ts';
import { run } from './commands/run.ts';

/** Every subcommand, in the order in which help lists them. */
export const commands: readonly Command[] = [run, check];
