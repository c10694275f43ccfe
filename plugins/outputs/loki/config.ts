import type { Secret } from '../../../core/sdk/index.ts';
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
      description: 'Server name or address, or a whole URL such as `https://loki.example`.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      default: 3100,
      description: 'Port of the server, where `host` names none.',
    },
    uri: {
      type: 'string',
      pattern: '^/',
      default: '/loki/api/v1/push',
      description: 'Path of the push endpoint.',
    },
    ...connectionProperties,
    compress: {
      type: 'string',
      enum: ['gzip'],
      description:
        'Compresses bodies of `format: json`; protobuf bodies are compressed with snappy always.',
    },
    bearer_token: {
      'x-type': 'secret',
      description: 'Token for `Authorization: Bearer`. A user name wins over it.',
    },
    header: {
      type: 'array',
      items: { type: 'string', pattern: '^\\S+(?:\\s.*)?$', 'x-header': true },
      description: 'Further headers, each `Name value`.',
    },
    format: {
      type: 'string',
      enum: ['protobuf', 'json'],
      default: 'protobuf',
      description: 'Body of the request: protobuf compressed with snappy, or JSON.',
    },
    tenant_id: {
      type: 'string',
      minLength: 1,
      description: 'Tenant of the records: the header `X-Scope-OrgID`. None when absent.',
    },
    tenant_id_key: {
      'x-type': 'field',
      minLength: 1,
      description:
        'Field with the tenant of a record; `tenant_id` for records without it. A tenant that Loki would not take sends the record to the dead letters.',
    },
    tenant_id_key_error_handling: {
      type: 'string',
      'x-ignored': 'Every tenant has requests of its own, and each is tried again by itself.',
      description: 'Accepted for Fluent Bit files; every tenant has requests of its own.',
    },
    labels: {
      'x-type': 'comma_list',
      description:
        "Labels of the streams: `job=app` for a fixed value, `level=$severity` for that of a field, `$level` or `$kubernetes['pod']` for a field under its own name (`kubernetes_pod`). `job=sluice` when there are no labels at all.",
    },
    label_keys: {
      'x-type': 'comma_list',
      description: 'Fields that become labels under their own names, such as `$level`.',
    },
    label_map_path: {
      type: 'string',
      minLength: 1,
      description:
        'JSON file that maps fields to names of labels, in the shape of a record: `{"kubernetes": {"pod_name": "pod"}}`.',
    },
    label_sets_max: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description:
        'Most different sets of label values within an hour. Records beyond go with the fixed labels alone; the values of their other labels become structured metadata.',
    },
    structured_metadata: {
      'x-type': 'comma_list',
      description: 'Structured metadata of every line, written like `labels`.',
    },
    structured_metadata_map_keys: {
      'x-type': 'comma_list',
      description:
        'Fields that are objects, such as `$kubernetes`: each member becomes structured metadata.',
    },
    remove_keys: {
      'x-type': 'comma_list',
      description: 'Fields that are left out of the line, after labels and metadata were taken.',
    },
    line_format: {
      type: 'string',
      enum: ['json', 'key_value'],
      default: 'json',
      description:
        'The line: the record as a JSON object, or `key="value"` pairs with spaces between.',
    },
    drop_single_key: {
      enum: ['off', 'on', 'raw', true, false],
      default: 'off',
      description:
        'What becomes of a record with one field left: `on` makes its value the line, as `line_format` writes it; `raw` too, and a text without quotes.',
    },
    streams_per_request: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 1,
      description:
        'Most streams (sets of labels) in one request. Of a push with several, Loki up to 3.7 answers for the last one alone: what it refuses of the others, by its limits of rate, streams and age, is lost without a word. With 1 nothing is.',
    },
    buffer_size: {
      'x-type': 'size',
      'x-minimum': 1024,
      default: '512KB',
      description: 'Bytes of an answer that are read.',
    },
  },
} as const;

export interface LokiOptions extends ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly uri: string;
  readonly bearer_token?: Secret;
  readonly header?: readonly string[];
  readonly format: 'protobuf' | 'json';
  readonly tenant_id?: string;
  readonly tenant_id_key?: string;
  readonly labels?: readonly string[];
  readonly label_keys?: readonly string[];
  readonly label_map_path?: string;
  readonly label_sets_max: number;
  readonly structured_metadata?: readonly string[];
  readonly structured_metadata_map_keys?: readonly string[];
  readonly remove_keys?: readonly string[];
  readonly line_format: 'json' | 'key_value';
  readonly drop_single_key: 'off' | 'on' | 'raw' | boolean;
  readonly streams_per_request: number;
  readonly buffer_size: number;
}
