import type { Command } from './command.ts';
import { buffer } from './commands/buffer.ts';
import { check } from './commands/check.ts';
import { dlq } from './commands/dlq.ts';
import { docs } from './commands/docs.ts';
import { grok } from './commands/grok.ts';
import { parse } from './commands/parse.ts';
import { plugins } from './commands/plugins.ts';
import { query } from './commands/query.ts';
import { quickstart } from './commands/quickstart.ts';
import { run } from './commands/run.ts';
import { schema } from './commands/schema.ts';
import { version } from './commands/version.ts';

/** Every subcommand, in the order in which help lists them. */
export const commands: readonly Command[] = [
  run,
  check,
  quickstart,
  query,
  grok,
  parse,
  dlq,
  buffer,
  plugins,
  docs,
  schema,
  version,
];
