import { defineInput } from '../../../core/sdk/index.ts';
import { type JournaldOptions, schema } from './config.ts';
import { JournaldInput } from './journald_input.ts';

/** Follows systemd's journal. */
export const plugin = defineInput<JournaldOptions>({
  name: 'journald',
  aliases: ['systemd'],
  summary: 'Follows systemd’s journal, and goes on after a restart where it stopped.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: journald
      tag: journal.*
      systemd_filter: [_SYSTEMD_UNIT=ssh.service, _SYSTEMD_UNIT=cron.service]
      lowercase: true
      strip_underscores: true
  outputs:
    - name: stdout
      match: journal.*
`,
  replayable: true,
  create: (options, context) => new JournaldInput(options, context),
});
