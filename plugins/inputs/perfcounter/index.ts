import { defineInput } from '../../../core/sdk/index.ts';
import { type PerfcounterOptions, schema } from './config.ts';
import { openCounters } from './open_counters.ts';
import { checkOptions, PerfcounterInput } from './perfcounter_input.ts';

/** Reads Windows' performance counters. */
export const plugin = defineInput<PerfcounterOptions>({
  name: 'perfcounter',
  aliases: ['win_perf_counters'],
  summary: 'Reads performance counters of Windows, by their English names.',
  description:
    'Each value is a metric record. Rates are Windows’ own, over the time between two readings. The libraries of counters run outside of the agent’s process, each object apart from the others: one that hangs or fails costs its own values, which are then missing rather than old.',
  stability: 'experimental',
  schema,
  example: `pipeline:
  inputs:
    - name: perfcounter
      tag: counters
      interval: 10s
      counters:
        - '\\Processor(*)\\% Processor Time'
        - '\\System\\Processor Queue Length'
        - '\\LogicalDisk(*)\\Avg. Disk sec/Read'
  outputs:
    - name: stdout
      match: counters
`,
  check: checkOptions,
  create: (options, context) =>
    new PerfcounterInput(options, context, () => openCounters(options, context)),
});
