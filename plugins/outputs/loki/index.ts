import { defineOutput } from '../../../core/sdk/index.ts';
import { checkOptions } from './check.ts';
import { type LokiOptions, schema } from './config.ts';
import { LokiOutput } from './loki_output.ts';

/** Pushes records to Grafana Loki. */
export const plugin = defineOutput<LokiOptions>({
  name: 'loki',
  summary: 'Pushes records to Grafana Loki.',
  stability: 'beta',
  encodesApart: true,
  schema,
  // Loki refuses a push that is larger than the burst of its rate limit, 6 MB by default, or than 4 MiB
  // between its own parts.
  batch: { bytes: 2 * 1024 * 1024, records: 20_000 },
  concurrency: 1,
  example: `pipeline:
  inputs:
    - name: dummy
      tag: demo
      samples: 3
      dummy: '{"level": "info", "message": "hello", "trace_id": "7b1f"}'
  outputs:
    - name: loki
      match: '*'
      host: 127.0.0.1
      labels: job=demo, $level
      structured_metadata: $trace_id
`,
  check: checkOptions,
  create: (options, context) => new LokiOutput(options, context),
});
