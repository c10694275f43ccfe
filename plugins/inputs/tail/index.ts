import { defineInput } from '../../../core/sdk/index.ts';
import { schema, type TailOptions } from './config.ts';
import { TailInput } from './tail_input.ts';
import { checkTailOptions, tailSettings } from './tail_settings.ts';

/** Follows text files: every line a record, through rotation, truncation and restarts. */
export const plugin = defineInput<TailOptions>({
  name: 'tail',
  summary: 'Follows text files through rotation, truncation and restarts.',
  description:
    'Reads the files that patterns match, line by line, and those that appear later. A file is known by its inode and its content, not by its name: renaming, copying with truncation and compressing neither lose nor repeat lines. Positions are kept once every output has the records. Multiline parsers put stack traces and container log parts together.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: tail
      path: /var/log/*.log
      read_from_head: true
      path_key: file
  outputs:
    - name: stdout
      match: '*'
`,
  replayable: true,
  isFinite: (options) => options.exit_on_eof,
  check: checkTailOptions,
  create: (options, context) => new TailInput(tailSettings(options, context), context),
});
