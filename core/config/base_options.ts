import { ignoredFilterKeys, ignoredInputKeys, ignoredOutputKeys } from './fluent_bit_keys.ts';
import { inputProcessors, inputRoutes, outputProcessors } from './fluent_bit_routes.ts';
import type { JsonSchema } from './json_schema.ts';
import { durabilities, fullPolicies, logLevels, storageTypes } from './service_options.ts';

/** The kinds of plugins that a pipeline file names. */
export type PluginKind = 'input' | 'filter' | 'output' | 'parser';

type Properties = Readonly<Record<string, JsonSchema>>;

const alias = {
  type: 'string',
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
  maxLength: 128,
  description:
    'Name of this one in metrics, logs and storage: letters, digits, `_`, `.` and `-`. Unique among its kind.',
} as const satisfies JsonSchema;

const logLevel = {
  enum: logLevels,
  description: 'Least severity that this one logs; that of `service` when absent.',
} as const satisfies JsonSchema;

const routing = {
  match: {
    type: 'string',
    minLength: 1,
    description:
      'Tags to take, with `*` as wildcard; all when neither this nor `match_regex` is there.',
  },
  match_regex: {
    type: 'string',
    minLength: 1,
    'x-type': 'regex',
    description: 'Regular expression for the tags to take; wins over `match`.',
  },
  when: {
    type: 'string',
    minLength: 1,
    'x-type': 'expression',
    description: 'Condition that a record must meet, such as `level >= "ERROR"`.',
  },
} as const satisfies Properties;

/** Options of every input. */
export const inputProperties = {
  alias,
  tag: {
    type: 'string',
    minLength: 1,
    description: 'Tag of the records, by which they are routed; `NAME.INDEX` when absent.',
  },
  mem_buf_limit: {
    'x-type': 'size',
    default: 0,
    description:
      'Bytes of records under way at which this input waits; 0 leaves it to `memory_limit`.',
  },
  log_level: logLevel,
  'storage.type': {
    enum: storageTypes,
    'x-ignored': 'Buffers belong to outputs: set `storage.type` there, or in `service`.',
    description: 'Accepted for Fluent Bit files; buffers belong to outputs.',
  },
  threaded: {
    type: 'boolean',
    'x-ignored': 'Inputs share one thread.',
    description: 'Accepted for Fluent Bit files; inputs share one thread.',
  },
  processors: inputProcessors,
  routes: inputRoutes,
  ...ignoredInputKeys,
} as const satisfies Properties;

/** Options of every filter. */
export const filterProperties = {
  alias,
  ...routing,
  log_level: logLevel,
  ...ignoredFilterKeys,
} as const satisfies Properties;

/** Options of every output. */
export const outputProperties = {
  alias,
  ...routing,
  log_level: logLevel,
  processors: outputProcessors,
  ...ignoredOutputKeys,
  retry_limit: {
    'x-type': 'retry_limit',
    description:
      'How often a failed delivery is tried again: a number, `no_limits` (default) or `no_retries`.',
  },
  retry: {
    type: 'object',
    description: 'How a failed delivery is tried again.',
    properties: {
      max_attempts: {
        type: 'integer',
        minimum: 1,
        description: 'Deliveries tried, the first one counted; wins over `retry_limit`.',
      },
      backoff: {
        type: 'object',
        description: 'Exponential backoff with full jitter.',
        properties: {
          initial: {
            'x-type': 'duration',
            'x-minimum': 1,
            description: 'First wait; `scheduler.base` of `service` when absent.',
          },
          max: {
            'x-type': 'duration',
            'x-minimum': 1,
            description: 'Longest wait; `scheduler.cap` of `service` when absent.',
          },
        },
      },
    },
  },
  concurrency: {
    type: 'integer',
    minimum: 1,
    maximum: 64,
    description: 'Requests under way at once, 1 when absent; order is kept at 1 only.',
  },
  workers: {
    type: 'integer',
    minimum: 0,
    maximum: 64,
    description: "Fluent Bit's name for `concurrency`; 0 is 1.",
  },
  flush: {
    'x-type': 'duration',
    description: 'Age at which an incomplete batch is sent; that of `service` when absent.',
  },
  batch: {
    type: 'object',
    description: 'When a batch is complete.',
    properties: {
      records: {
        type: 'integer',
        minimum: 1,
        description: 'Records of a complete batch; the output decides when absent.',
      },
      bytes: {
        'x-type': 'size',
        'x-minimum': 1,
        description: 'Encoded bytes of a complete batch; the output decides when absent.',
      },
    },
  },
  'storage.type': {
    enum: storageTypes,
    description:
      'Where undelivered records wait; that of `service` when absent. `filesystem` asks for an alias.',
  },
  'storage.path': {
    type: 'string',
    minLength: 1,
    description: 'Directory of the buffer of this output; that of `service` when absent.',
  },
  'storage.total_limit_size': {
    'x-type': 'size',
    'x-minimum': 1,
    description: 'Most bytes that the filesystem buffer takes; that of `service` when absent.',
  },
  'storage.durability': {
    enum: durabilities,
    description: 'When a stored record counts as safe; that of `service` when absent.',
  },
  'storage.when_full': {
    enum: fullPolicies,
    description: 'What to do when the buffer is full; that of `service` when absent.',
  },
  'dead_letter.limit': {
    'x-type': 'size',
    'x-minimum': 1,
    description: 'Most bytes of dead letters kept; that of `service` when absent.',
  },
  'dead_letter.when_full': {
    enum: fullPolicies,
    description: 'What to do at that limit; that of `service` when absent.',
  },
  tls: { type: 'boolean', default: false, description: 'Whether the connection uses TLS.' },
  'tls.verify': {
    type: 'boolean',
    default: true,
    description: 'Whether the certificate of the server is checked.',
  },
  'tls.verify_hostname': {
    type: 'boolean',
    default: true,
    description: 'Whether the certificate must be for the name that was connected to.',
  },
  'tls.ca_file': {
    type: 'string',
    minLength: 1,
    description: 'File of trusted certificates, PEM.',
  },
  'tls.ca_path': {
    type: 'string',
    minLength: 1,
    description: 'Directory of trusted certificates, PEM.',
  },
  'tls.crt_file': { type: 'string', minLength: 1, description: 'Certificate of the client, PEM.' },
  'tls.key_file': { type: 'string', minLength: 1, description: 'Private key of the client, PEM.' },
  'tls.key_passwd': { 'x-type': 'secret', description: 'Password of the private key.' },
  'tls.vhost': {
    type: 'string',
    minLength: 1,
    description: 'Name sent to the server (SNI) and checked, instead of the host.',
  },
  'tls.min_version': {
    enum: ['TLSv1.2', 'TLSv1.3'],
    description: 'Oldest TLS version that is accepted.',
  },
  'tls.max_version': {
    enum: ['TLSv1.2', 'TLSv1.3'],
    description: 'Newest TLS version that is used.',
  },
  'tls.ciphers': { type: 'string', minLength: 1, description: "Cipher list, in OpenSSL's form." },
} as const satisfies Properties;

/** Options of every definition under `parsers:`; `format` names the plugin. */
export const parserProperties = {
  time_key: { type: 'string', minLength: 1, description: 'Field that has the time of the record.' },
  time_format: {
    type: 'string',
    minLength: 1,
    'x-type': 'date_format',
    description: 'Format of that field, such as `%Y-%m-%dT%H:%M:%S.%L%z`.',
  },
  time_keep: {
    type: 'boolean',
    default: false,
    description: 'Whether the field stays in the record once its time is taken.',
  },
  time_offset: {
    type: 'string',
    pattern: '^[+-](?:\\d{4}|\\d{2}:\\d{2})$',
    description: 'Offset from UTC of times that name none, such as `-0600`.',
  },
  time_zone: {
    type: 'string',
    'x-type': 'time_zone',
    description: 'IANA zone of times that name no offset, such as `Europe/Berlin`.',
  },
  time_system_timezone: {
    type: 'boolean',
    default: false,
    description: 'Whether times that name no offset are in the zone of the system.',
  },
  time_strict: {
    type: 'boolean',
    default: true,
    description: 'Whether a time that does not fit its format is refused.',
  },
  types: {
    'x-type': 'space_list',
    description:
      'Types of fields, as `status:integer size:integer`: string, integer, bool, float, hex.',
  },
  skip_empty_values: {
    type: 'boolean',
    default: true,
    description: 'Whether empty values are left out.',
  },
  decode_field: {
    type: 'array',
    items: { type: 'string' },
    description:
      'Decoders that keep the field and add what they find, as `json log`; one or a list.',
  },
  decode_field_as: {
    type: 'array',
    items: { type: 'string' },
    description:
      'Decoders whose result takes the place of the field, as `escaped_utf8 log`; one or a list.',
  },
} as const satisfies Properties;

/** The options that every plugin of a kind has, besides the key that names it. */
export const baseProperties: Readonly<Record<PluginKind, Properties>> = {
  input: inputProperties,
  filter: filterProperties,
  output: outputProperties,
  parser: parserProperties,
};
