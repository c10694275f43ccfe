import { defineInput } from '../../../core/sdk/index.ts';
import { type HostMetricsOptions, schema } from './config.ts';
import { HostMetricsInput } from './host_metrics_input.ts';
import { platformSource } from './platform_source.ts';

/** Reads CPU, memory, disks, file systems, network, processes and load of the host. */
export const plugin = defineInput<HostMetricsOptions>({
  name: 'host_metrics',
  aliases: ['node_exporter_metrics'],
  summary: 'Reads CPU, memory, disks, file systems, network, processes and load of the host.',
  description:
    'Metrics have the names and labels of Prometheus’ node_exporter, on Windows those of its Windows exporter, one record a number. Collectors run apart from each other, in two lanes with pools, queues and deadlines of their own: one that hangs or fails costs its own metrics, which are then missing rather than old.',
  stability: 'beta',
  schema,
  example: `pipeline:
  inputs:
    - name: host_metrics
      tag: host
      interval: 10s
      collectors: [cpu, load, memory, filesystem]
  outputs:
    - name: stdout
      match: host
`,
  create: (options, context) => new HostMetricsInput(options, context, platformSource(options)),
});
