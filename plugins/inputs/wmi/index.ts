import { defineInput } from '../../../core/sdk/index.ts';
import { schema, type WmiOptions } from './config.ts';
import { openWmi } from './open_wmi.ts';
import { checkOptions } from './queries.ts';
import { WmiInput } from './wmi_input.ts';

/** Asks WMI for rows at intervals. */
export const plugin = defineInput<WmiOptions>({
  name: 'wmi',
  summary: 'Asks Windows’ WMI at intervals, on this host or, over DCOM or WinRM, on another.',
  description:
    'Each row becomes a record. Queries run apart from each other, in two lanes with pools, queues and deadlines of their own, and outside of the agent’s process: one whose provider hangs or fails costs its own rows, which are then missing rather than old.',
  stability: 'experimental',
  schema,
  example: `pipeline:
  inputs:
    - name: wmi
      tag: wmi.*
      interval: 30s
      queries:
        - {name: disks, class: Win32_LogicalDisk, properties: [DeviceID, FreeSpace, Size], where: DriveType = 3, priority: high}
        - {name: services, wql: "SELECT Name, State FROM Win32_Service WHERE StartMode = 'Auto'", interval: 60s}
  outputs:
    - name: stdout
      match: wmi.*
`,
  check: checkOptions,
  create: (options, context) => new WmiInput(options, context, () => openWmi(options, context)),
});
