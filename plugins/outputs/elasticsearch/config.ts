import type { Secret } from '../../../core/sdk/index.ts';
import {
  type ConnectionOptions,
  connectionProperties,
} from '../../shared/http_client/connection_options.ts';

const ignoredSince8 = 'Elasticsearch 8 and later have no mapping types.';

/** Options of the output, as JSON Schema. */
export const schema = {
  type: 'object',
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Server name or address, or a whole URL such as `https://es.example:9200`.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      default: 9200,
      description: 'Port of servers that are given without one.',
    },
    hosts: {
      'x-type': 'comma_list',
      description:
        'Several servers of one cluster, each like `host`, used in turn; one that cannot be reached is left alone for a while. Replaces `host`.',
    },
    path: {
      type: 'string',
      default: '',
      description: 'Path before `/_bulk`, for a server behind a proxy that maps paths.',
    },
    cloud_id: {
      type: 'string',
      minLength: 1,
      description: 'Cloud ID of a deployment in Elastic Cloud. Replaces `host` and turns TLS on.',
    },
    cloud_auth: {
      type: 'string',
      'x-type': 'secret',
      description: 'User and password for `cloud_id`, as `user:password`.',
    },
    api_key: {
      type: 'string',
      'x-type': 'secret',
      description: 'API key in its encoded (base64) form. A user name wins over it.',
    },
    http_api_key: {
      type: 'string',
      'x-type': 'secret',
      description: "Fluent Bit's name for `api_key`.",
    },
    ...connectionProperties,
    index: {
      type: 'string',
      minLength: 1,
      default: 'sluice',
      description:
        'Index to write to. May hold `%{+YYYY.MM.dd}` and `%Y.%m.%d` (the time of the record), `%{field}`, `%{[a][b]}` and `$TAG` behind a fixed beginning; what comes from records is lower-cased and freed of characters that are not allowed, and cannot change the beginning.',
    },
    data_stream: {
      type: 'string',
      minLength: 1,
      description:
        'Data stream to write to, in place of `index` and with the same references. Its index template must exist; see `template_file`.',
    },
    index_names_max: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 1000,
      description:
        'Most index names in use within an hour; records beyond go to the fixed beginning of the name and `other`.',
    },
    logstash_format: {
      type: 'boolean',
      default: false,
      description:
        'Names indices `PREFIX-DATE`, from `logstash_prefix` and `logstash_dateformat`, in place of `index`.',
    },
    logstash_prefix: {
      type: 'string',
      minLength: 1,
      default: 'logstash',
      description: 'First part of the index name with `logstash_format`.',
    },
    logstash_prefix_separator: {
      type: 'string',
      default: '-',
      description: 'What stands between the parts of the index name with `logstash_format`.',
    },
    logstash_prefix_key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description:
        'Field whose value extends `logstash_prefix`: `nginx` gives `logstash-nginx-DATE`, and a value that already begins with the prefix stays. Unlike in Fluent Bit, a record cannot leave the prefix.',
    },
    logstash_dateformat: {
      type: 'string',
      minLength: 1,
      default: '%Y.%m.%d',
      description: 'Date in the index name with `logstash_format`, as strftime writes it, in UTC.',
    },
    current_time_index: {
      type: 'boolean',
      default: false,
      description:
        "Takes dates in index names from the clock and not from the record's time. A record that is sent again on another day is then stored twice.",
    },
    time_key: {
      type: 'string',
      minLength: 1,
      default: '@timestamp',
      description: 'Field for the time of records that have no such field yet.',
    },
    time_key_format: {
      type: 'string',
      minLength: 1,
      description:
        'Format of `time_key` up to the seconds, as strftime writes it; the fraction and `Z` follow. Left out: ISO 8601.',
    },
    time_key_nanos: {
      type: 'boolean',
      default: true,
      description:
        'Writes `time_key` with nine digits of the second (for `date_nanos`; `date` cuts them) and not with three.',
    },
    include_tag_key: {
      type: 'boolean',
      default: false,
      description: 'Adds the tag to records, under `tag_key`.',
    },
    tag_key: {
      type: 'string',
      minLength: 1,
      default: 'flb-key',
      description: 'Field for the tag with `include_tag_key`.',
    },
    generate_id: {
      type: 'boolean',
      default: true,
      description:
        "Gives documents an `_id` made of the record's origin, so that sending again stores nothing twice. Without it Elasticsearch chooses, and a repeat is a duplicate.",
    },
    id_key: {
      type: 'string',
      minLength: 1,
      'x-type': 'field',
      description: 'Field whose value becomes the `_id`; records without it get their origin.',
    },
    write_operation: {
      type: 'string',
      enum: ['create', 'index', 'update', 'upsert'],
      default: 'create',
      description:
        '`create` keeps a document that is there already; `index` replaces it; `update` puts the fields of the record into it, and `upsert` does so or creates it. The last two are about a document that `id_key` names.',
    },
    pipeline: {
      type: 'string',
      minLength: 1,
      description: 'Ingest pipeline that documents go through.',
    },
    replace_dots: {
      type: 'boolean',
      default: false,
      description: 'Replaces dots in field names by underscores.',
    },
    template_name: {
      type: 'string',
      minLength: 1,
      description: 'Name of the index template that `template_file` has.',
    },
    template_file: {
      type: 'string',
      minLength: 1,
      description:
        'JSON file of an index template (the body of `PUT _index_template`), put in place before the first record.',
    },
    template_overwrite: {
      type: 'boolean',
      default: false,
      description: 'Puts the template in place even if there is one of that name.',
    },
    trace_error: {
      type: 'boolean',
      default: false,
      description: "Logs Elasticsearch's answers that report errors.",
    },
    trace_output: {
      type: 'boolean',
      default: false,
      description: 'Logs the beginning (4 KiB) of every request body, before compression.',
    },
    type: { type: 'string', 'x-ignored': ignoredSince8, description: ignoredSince8 },
    suppress_type_name: { type: 'boolean', 'x-ignored': ignoredSince8, description: ignoredSince8 },
    buffer_size: {
      'x-ignored': 'Answers are read whole, up to a fixed limit.',
      description: 'Accepted for Fluent Bit files; answers are read whole, up to a fixed limit.',
    },
  },
} as const;

export type WriteOperation = 'create' | 'index' | 'update' | 'upsert';

/** What the schema gives. */
export interface ElasticsearchOptions extends ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly hosts?: readonly string[];
  readonly path: string;
  readonly cloud_id?: string;
  readonly cloud_auth?: Secret;
  readonly api_key?: Secret;
  readonly http_api_key?: Secret;
  readonly index: string;
  readonly data_stream?: string;
  readonly index_names_max: number;
  readonly logstash_format: boolean;
  readonly logstash_prefix: string;
  readonly logstash_prefix_separator: string;
  readonly logstash_prefix_key?: string;
  readonly logstash_dateformat: string;
  readonly current_time_index: boolean;
  readonly time_key: string;
  readonly time_key_format?: string;
  readonly time_key_nanos: boolean;
  readonly include_tag_key: boolean;
  readonly tag_key: string;
  readonly generate_id: boolean;
  readonly id_key?: string;
  readonly write_operation: WriteOperation;
  readonly pipeline?: string;
  readonly replace_dots: boolean;
  readonly template_name?: string;
  readonly template_file?: string;
  readonly template_overwrite: boolean;
  readonly trace_error: boolean;
  readonly trace_output: boolean;
}
