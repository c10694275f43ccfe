import { defineOutput } from '../../../core/sdk/index.ts';
import { checkLabels } from '../../shared/metrics/label_options.ts';
import { type ExporterOptions, schema } from './config.ts';
import { ExporterOutput } from './exporter_output.ts';

/** Shows metric records to Prometheus. */
export const plugin = defineOutput<ExporterOptions>({
  name: 'prometheus_exporter',
  summary: 'Shows the latest value of each metric at /metrics, for Prometheus to scrape.',
  stability: 'beta',
  encodesApart: true,
  schema,
  // A page is to be fresh: nothing is won by waiting for more.
  batch: { bytes: 1024 * 1024, records: 10_000 },
  concurrency: 1,
  example: `pipeline:
  inputs:
    - name: host_metrics
      tag: host
  outputs:
    - name: prometheus_exporter
      match: host
      port: 2021
      add_label: [cluster north]
`,
  check: (options) => checkLabels(options.add_label),
  create: (options, context) => new ExporterOutput(options, context),
});
