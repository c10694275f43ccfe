import { defineOutput, messageOf, type OptionProblem } from '../../../core/sdk/index.ts';
import { parseAddress } from '../../shared/http_client/address.ts';
import { checkLabels } from '../../shared/metrics/label_options.ts';
import { type RemoteWriteOptions, schema } from './config.ts';
import { RemoteWriteOutput } from './remote_write_output.ts';

/** Writes metric records to Prometheus and what speaks its protocol. */
export const plugin = defineOutput<RemoteWriteOptions>({
  name: 'prometheus_remote_write',
  summary: 'Writes metrics to Prometheus, Mimir, Thanos or VictoriaMetrics by remote write.',
  description:
    'Speaks remote write 1.0: protobuf, compressed with snappy. A server that refuses a request for some samples (400) still gets the others; the refused ones go to the dead letters.',
  stability: 'beta',
  encodesApart: true,
  schema,
  batch: { bytes: 1024 * 1024, records: 10_000 },
  // Samples of a series must come in the order of their times.
  concurrency: 1,
  example: `pipeline:
  inputs:
    - name: host_metrics
      tag: host
  outputs:
    - name: prometheus_remote_write
      match: host
      host: 127.0.0.1
      port: 9090
      add_label: [instance web-1]
`,
  check: (options) => [...checkAddress(options), ...checkLabels(options.add_label)],
  create: (options, context) => new RemoteWriteOutput(options, context),
});

function checkAddress(options: RemoteWriteOptions): OptionProblem[] {
  try {
    parseAddress(options.host, { port: options.port, isTls: false });
    return [];
  } catch (error) {
    return [{ path: ['host'], message: messageOf(error) }];
  }
}
