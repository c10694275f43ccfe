import { defineInput } from '../../../core/sdk/index.ts';
import { schema, type WinevtlogOptions } from './config.ts';
import { checkOptions, WinevtlogInput } from './winevtlog_input.ts';

/** Subscribes to channels of the Windows Event Log. */
export const plugin = defineInput<WinevtlogOptions>({
  name: 'winevtlog',
  aliases: ['windows_event_log'],
  summary: 'Subscribes to channels of the Windows Event Log, and goes on where it stopped.',
  stability: 'experimental',
  schema,
  example: `pipeline:
  inputs:
    - name: winevtlog
      tag: windows.*
      channels: System, Application, Security
      event_query: '*[System[Level<=4]]'
      ignore_missing_channels: true
  outputs:
    - name: stdout
      match: windows.*
`,
  replayable: true,
  check: checkOptions,
  create: (options, context) => new WinevtlogInput(options, context),
});
