import { defineInput } from '../../../core/sdk/index.ts';
import { checkCommands } from './commands.ts';
import { type ExecOptions, schema } from './config.ts';
import { ExecInput } from './exec_input.ts';

/** Runs programs at intervals; what they write becomes records. */
export const plugin = defineInput<ExecOptions>({
  name: 'exec',
  summary: 'Runs programs at intervals, and makes records of what they write.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: exec
      tag: uptime
      command: [uptime]
      interval: 60s
      timeout: 5s
  outputs:
    - name: stdout
      match: uptime
`,
  check: checkCommands,
  isFinite: (options) => options.oneshot,
  create: (options, context) => new ExecInput(options, context),
});
