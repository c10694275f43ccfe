import { defineOutput } from '../../../core/sdk/index.ts';
import { schema, type WindowsEventLogOptions } from './config.ts';
import { WindowsEventLogOutput } from './windows_event_log_output.ts';

/** Writes records from a severity on into the Windows Event Log. */
export const plugin = defineOutput<WindowsEventLogOptions>({
  name: 'windows_event_log',
  aliases: ['winevtlog'],
  summary: 'Writes records from a severity on into the Windows Event Log, at a bounded rate.',
  stability: 'experimental',
  schema,
  example: `pipeline:
  inputs:
    - name: tail
      tag: app
      path: /var/log/app/*.log
      parser: json
  outputs:
    - name: windows_event_log
      match: app
      severity_min: error
      message: '%{service}: %{message}'
`,
  concurrency: 1,
  check({ log }) {
    if (log.toLowerCase() !== 'security') return [];
    return [{ path: ['log'], message: 'Windows lets nobody but itself write into Security.' }];
  },
  create: (options, context) => new WindowsEventLogOutput(options, context),
});
