import {
  type ConnectionOptions,
  connectionProperties,
} from '../../shared/http_client/connection_options.ts';

/** Options of the output, as JSON Schema. */
export const schema = {
  type: 'object',
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Server name or address, or a whole URL such as `https://collector.example`.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      default: 80,
      description: 'Port of the server, where `host` is no URL.',
    },
    uri: {
      type: 'string',
      default: '/',
      description: 'Path and query of the request.',
    },
    http_method: {
      type: 'string',
      enum: ['POST', 'PUT'],
      default: 'POST',
      description: 'Method of the request.',
    },
    ...connectionProperties,
    http_bearer_token: {
      type: 'string',
      'x-type': 'secret',
      description: 'Token for `Authorization: Bearer`. A user name wins over it.',
    },
    format: {
      type: 'string',
      enum: ['json', 'json_lines', 'json_stream'],
      default: 'json',
      description:
        'Body of the request: one JSON array, an object a line, or objects one behind the other.',
    },
    header: {
      type: 'array',
      items: { type: 'string', pattern: '^\\S+(?:\\s.*)?$', 'x-header': true },
      description: 'Further headers, each `Name value`.',
    },
    allow_duplicated_headers: {
      type: 'boolean',
      default: true,
      description: 'Sends a header that is given twice twice; otherwise the last one wins.',
    },
    header_tag: {
      type: 'string',
      minLength: 1,
      description:
        'Header that has the tag of the records. Records of different tags then go in requests of their own.',
    },
    json_date_key: {
      type: ['string', 'boolean'],
      default: 'date',
      description:
        'Field for the time of records that have no such field yet; `false` leaves it out.',
    },
    json_date_format: {
      type: 'string',
      enum: ['double', 'epoch', 'epoch_ms', 'iso8601', 'java_sql_timestamp'],
      default: 'double',
      description:
        'Form of the time: seconds with nine digits, whole seconds, whole milliseconds, `2024-03-09T12:00:00.123456789Z`, or `2024-03-09 12:00:00.123456789`.',
    },
    body_key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field whose text is the body of a request: each record then has a request of its own, and `format` and the date do not count.',
    },
    headers_key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        "Field with an object of further headers for the record's own request, such as its Content-Type; needs `body_key`.",
    },
    log_response_payload: {
      type: 'boolean',
      default: true,
      description: "Puts the beginning of the server's answer into messages about failures.",
    },
  },
} as const;

/** What the schema gives. */
export interface HttpOutputOptions extends ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly uri: string;
  readonly http_method: 'POST' | 'PUT';
  readonly http_bearer_token?: import('../../../core/sdk/index.ts').Secret;
  readonly format: 'json' | 'json_lines' | 'json_stream';
  readonly header?: readonly string[];
  readonly allow_duplicated_headers: boolean;
  readonly header_tag?: string;
  readonly json_date_key: string | boolean;
  readonly json_date_format: 'double' | 'epoch' | 'epoch_ms' | 'iso8601' | 'java_sql_timestamp';
  readonly body_key?: string;
  readonly headers_key?: string;
  readonly log_response_payload: boolean;
}
