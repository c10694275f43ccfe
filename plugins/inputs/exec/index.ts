import { defineInput } from '../../../core/sdk/index.ts';
import { type ExecOptions, schema } from './config.ts';
import { ExecInput } from './exec_input.ts';

/** Runs a program at an interval; what it writes becomes records. */
export const plugin = defineInput<ExecOptions>({
  name: 'exec',
  summary: 'Runs a program at an interval, and makes records of what it writes.',
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
  isFinite: (options) => options.oneshot,
  create: (options, context) => new ExecInput(options, context),
});
