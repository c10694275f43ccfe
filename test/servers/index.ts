import { clickhouse } from './clickhouse.ts';
import { elasticsearch8, elasticsearch9 } from './elasticsearch.ts';
import { loki } from './loki.ts';
import { nodeExporter } from './node_exporter.ts';
import { prometheus } from './prometheus.ts';

export type { ElasticsearchOptions } from './elasticsearch.ts';
export type { LokiOptions } from './loki.ts';
export type { PrometheusOptions } from './prometheus.ts';
export type { Log, RunningServer, ServerDescriptor, StartOptions, Verdict } from './server.ts';

/** The real servers that tests can start, by name. */
export const servers = {
  elasticsearch8,
  elasticsearch9,
  clickhouse,
  loki,
  nodeExporter,
  prometheus,
} as const;

export type ServerName = keyof typeof servers;
