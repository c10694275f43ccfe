import { addLabelProperty } from '../../shared/metrics/label_options.ts';

export const schema = {
  type: 'object',
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address to listen on; `0.0.0.0` or `::` lets other machines scrape.',
    },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65535,
      default: 2021,
      description: 'Port to listen on; 0 takes a free one, which the log names.',
    },
    uri: {
      type: 'string',
      pattern: '^/[!-~]*$',
      default: '/metrics',
      description: 'Path of the page.',
    },
    add_label: addLabelProperty,
    add_timestamp: {
      type: 'boolean',
      default: false,
      description:
        'Whether samples carry the time of their records. Without it a scraper takes its own time, and series that are gone become stale.',
    },
    expire_after: {
      'x-type': 'duration',
      'x-minimum': 1000,
      default: '5m',
      description: 'Time without a new record after which a series is no longer shown.',
    },
    series_max: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      default: 50_000,
      description: 'Series held at most.',
    },
    series_limit_action: {
      enum: ['dead_letter', 'drop'],
      default: 'dead_letter',
      description:
        'What becomes of records of further series: the dead letters, or nothing but the count `sluice_prometheus_exporter_series_refused_total`.',
    },
    allowed_hosts: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description:
        'Names in the Host header that are served besides loopback’s; any name when the output listens on more than loopback and this is empty.',
    },
  },
} as const;

/** Options after normalising: times in milliseconds. */
export interface ExporterOptions {
  readonly host: string;
  readonly port: number;
  readonly uri: string;
  readonly add_label?: readonly string[];
  readonly add_timestamp: boolean;
  readonly expire_after: number;
  readonly series_max: number;
  readonly series_limit_action: 'dead_letter' | 'drop';
  readonly allowed_hosts: readonly string[];
}
