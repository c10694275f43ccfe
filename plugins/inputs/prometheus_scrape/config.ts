import type { Secret } from '../../../core/sdk/index.ts';
import { type LaneName, type LaneOptions, laneProperties } from '../../shared/collect/lanes.ts';
import {
  type ConnectionOptions,
  connectionProperties,
} from '../../shared/http_client/connection_options.ts';
import { type ClientTlsOptions, clientTlsProperties } from '../../shared/tls/client_options.ts';

const {
  compress: _compress,
  'http.response_timeout': _responseTimeout,
  ...connection
} = connectionProperties;

export const schema = {
  type: 'object',
  properties: {
    targets: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      maxItems: 10_000,
      description:
        'What is scraped: URLs such as `https://host:9100/metrics`, or `host:port`, to which `metrics_path` is added. `host` and `port` when this and `high_targets` are absent.',
    },
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'The one target, where there are no `targets` and no `high_targets`.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      default: 9100,
      description: 'Port of targets that name none.',
    },
    metrics_path: {
      type: 'string',
      pattern: '^/[!-~]*$',
      default: '/metrics',
      description: 'Path and query of targets that name none.',
    },
    scrape_interval: {
      'x-type': 'duration',
      'x-minimum': 100,
      default: '10s',
      description: 'Time between two scrapes of a target, counted from the start, without drift.',
    },
    scrape_timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      description:
        'How long a scrape may take before it counts as failed; when absent, what its lane allows.',
    },
    priority: {
      enum: ['high', 'normal'],
      default: 'normal',
      description: 'Lane that the targets are scraped in.',
    },
    high_targets: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      maxItems: 10_000,
      default: [],
      description:
        'Further targets, which are scraped in the lane of high priority: slow ones of the other lane hold them up never.',
    },
    ...laneProperties,
    job: {
      type: 'string',
      minLength: 1,
      default: 'sluice',
      description: 'Label `job` of all samples.',
    },
    labels: {
      type: 'object',
      propertyNames: { pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' },
      additionalProperties: { type: 'string' },
      maxProperties: 32,
      default: {},
      description: 'Labels that all samples get, such as `{cluster: north}`.',
    },
    honor_labels: {
      type: 'boolean',
      default: false,
      description:
        'Whether labels of the target win over `job`, `instance` and `labels`; otherwise they are kept under `exported_` and their name.',
    },
    honor_timestamps: {
      type: 'boolean',
      default: true,
      description: 'Whether times that the target gives are taken.',
    },
    body_bytes_max: {
      'x-type': 'size',
      'x-minimum': 1,
      default: '16M',
      description: 'Most bytes of a page, without compression; a larger one is a failed scrape.',
    },
    samples_max: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      default: 200_000,
      description: 'Most samples of a page; more is a failed scrape.',
    },
    ...connection,
    bearer_token: {
      type: 'string',
      'x-type': 'secret',
      description: 'Token for `Authorization: Bearer`. A user name wins over it.',
    },
    ...clientTlsProperties,
  },
} as const;

/** Options after normalising: times in milliseconds, sizes in bytes. */
export interface ScrapeOptions
  extends Omit<ConnectionOptions, 'compress' | 'http.response_timeout'>,
    ClientTlsOptions,
    LaneOptions {
  readonly targets?: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly metrics_path: string;
  readonly scrape_interval: number;
  readonly scrape_timeout?: number;
  readonly priority: LaneName;
  readonly high_targets: readonly string[];
  readonly job: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly honor_labels: boolean;
  readonly honor_timestamps: boolean;
  readonly body_bytes_max: number;
  readonly samples_max: number;
  readonly bearer_token?: Secret;
}
