import type { Secret } from '../../../core/sdk/index.ts';
import {
  type ConnectionOptions,
  connectionProperties,
} from '../../shared/http_client/connection_options.ts';
import { addLabelProperty } from '../../shared/metrics/label_options.ts';

const { compress: _compress, ...connection } = connectionProperties;

export const schema = {
  type: 'object',
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Server name or address, or a whole URL such as `https://prometheus.example`.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      default: 9090,
      description: 'Port of the server, where `host` is no URL.',
    },
    uri: {
      type: 'string',
      pattern: '^/[!-~]*$',
      default: '/api/v1/write',
      description: 'Path and query of the endpoint, such as `/api/v1/push` for Mimir.',
    },
    ...connection,
    bearer_token: {
      type: 'string',
      'x-type': 'secret',
      description: 'Token for `Authorization: Bearer`. A user name wins over it.',
    },
    header: {
      type: 'array',
      items: {
        type: 'string',
        pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+\\s+\\S[ -~]*$",
        'x-header': true,
      },
      description: 'Further headers, each `Name value`, such as `X-Scope-OrgID team`.',
    },
    add_label: addLabelProperty,
    compression: {
      enum: ['snappy'],
      default: 'snappy',
      description: 'Accepted for Fluent Bit files; the protocol knows snappy alone.',
    },
    log_response_payload: {
      type: 'boolean',
      default: true,
      description: "Puts the beginning of the server's answer into messages about failures.",
    },
  },
} as const;

/** Options after normalising: times in milliseconds. */
export interface RemoteWriteOptions extends Omit<ConnectionOptions, 'compress'> {
  readonly host: string;
  readonly port: number;
  readonly uri: string;
  readonly bearer_token?: Secret;
  readonly header?: readonly string[];
  readonly add_label?: readonly string[];
  readonly log_response_payload: boolean;
}
