import { ignoredServiceKeys } from './fluent_bit_keys.ts';
import type { JsonSchema } from './json_schema.ts';

/** What to do when a bounded store is full. */
export const fullPolicies = ['block', 'drop_oldest', 'drop_newest'] as const;
export type FullPolicy = (typeof fullPolicies)[number];

export const logLevels = ['off', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

export const storageTypes = ['memory', 'filesystem'] as const;
export type StorageType = (typeof storageTypes)[number];

export const durabilities = ['fsync', 'interval', 'os'] as const;
export type Durability = (typeof durabilities)[number];

/** Options of `service`, under Fluent Bit's names where the meaning is the same. */
export const serviceSchema = {
  type: 'object',
  description: 'Settings of the whole agent.',
  properties: {
    flush: {
      'x-type': 'duration',
      default: '1s',
      description:
        'Age at which an incomplete batch is sent; the first batch of an output goes at once, unless this is longer than a second. A bare number is seconds.',
    },
    grace: {
      'x-type': 'duration',
      default: '5s',
      description: 'Time for the ordered drain after SIGTERM or SIGINT; a bare number is seconds.',
    },
    log_level: {
      enum: logLevels,
      default: 'info',
      description: 'Least severity that the agent logs about itself.',
    },
    log_file: {
      type: 'string',
      minLength: 1,
      description: "File for the agent's own log; standard error when absent.",
    },
    log_format: {
      enum: ['auto', 'json', 'pretty'],
      default: 'auto',
      description:
        "Form of the agent's own log: `auto` is pretty on a terminal and JSON elsewhere.",
    },
    http_server: {
      type: 'boolean',
      default: false,
      description: 'Serves metrics, health and control over HTTP.',
    },
    http_listen: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address that the HTTP server listens on.',
    },
    http_port: {
      type: 'integer',
      minimum: 0,
      maximum: 65535,
      default: 2020,
      description: 'Port that the HTTP server listens on; 0 takes a free one.',
    },
    http_token: {
      'x-type': 'secret',
      description: 'Token that requests which change state must carry, as `Authorization: Bearer`.',
    },
    'storage.path': {
      type: 'string',
      minLength: 1,
      default: 'sluice-data',
      description: 'Directory for checkpoints, buffers and dead letters.',
    },
    'storage.type': {
      enum: storageTypes,
      default: 'memory',
      description:
        'Where outputs keep what they have not delivered yet, unless they say otherwise.',
    },
    'storage.durability': {
      enum: durabilities,
      description:
        'When a filesystem buffer promises that a record is safe: after fsync (default), after an fsync every interval, or once the operating system has it.',
    },
    'storage.sync': {
      enum: ['full', 'normal'],
      description:
        "Fluent Bit's name for the durability: `full` is `fsync`, `normal` is `os`. `storage.durability` wins.",
    },
    'storage.total_limit_size': {
      'x-type': 'size',
      'x-minimum': 1,
      default: '1GiB',
      description: 'Most bytes that the filesystem buffer of one output takes.',
    },
    'storage.when_full': {
      enum: fullPolicies,
      default: 'block',
      description: 'What an output does when its buffer is full.',
    },
    'storage.checksum': {
      type: 'boolean',
      'x-ignored': 'Every stored record has a checksum.',
      description: 'Accepted for Fluent Bit files; every stored record has a checksum.',
    },
    'storage.metrics': {
      type: 'boolean',
      'x-ignored': 'Storage metrics are always there.',
      description: 'Accepted for Fluent Bit files; storage metrics are always there.',
    },
    memory_limit: {
      'x-type': 'size',
      'x-minimum': 8_388_608,
      default: '12MiB',
      description:
        'Memory that records under way may take in the whole process; inputs wait at it.',
    },
    workers: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      default: 1,
      description:
        'Threads that run filters and encoders; 1 runs them on the thread that reads and sends. Records of one source keep their order. Filters that remember earlier records refuse more than 1.',
    },
    'dead_letter.path': {
      type: 'string',
      minLength: 1,
      description: 'Directory for dead letters; `dead_letters` under `storage.path` when absent.',
    },
    'dead_letter.limit': {
      'x-type': 'size',
      'x-minimum': 1,
      default: '256MiB',
      description: 'Most bytes of dead letters that one output keeps.',
    },
    'dead_letter.when_full': {
      enum: fullPolicies,
      default: 'block',
      description: 'What happens when the dead letters of an output reach their limit.',
    },
    event_max_bytes: {
      'x-type': 'size',
      'x-minimum': 1024,
      default: '16MiB',
      description: 'Size beyond which one record is refused.',
    },
    hot_reload: {
      type: 'boolean',
      default: true,
      description: 'Whether SIGHUP and the reload request read the pipeline file again.',
    },
    'scheduler.base': {
      'x-type': 'duration',
      'x-minimum': 1,
      default: '1s',
      description: 'First wait before a delivery is tried again; a bare number is seconds.',
    },
    'scheduler.cap': {
      'x-type': 'duration',
      'x-minimum': 1,
      default: '1m',
      description: 'Longest wait before a delivery is tried again; a bare number is seconds.',
    },
    'health.oldest_unacknowledged': {
      'x-type': 'duration',
      'x-minimum': 1,
      default: '5m',
      description: 'Age of the oldest undelivered record at which readiness turns red.',
    },
    health_check: {
      type: 'boolean',
      default: false,
      description:
        'Whether /api/v1/health judges by errors and failed retries, as Fluent Bit does.',
    },
    hc_errors_count: {
      type: 'integer',
      minimum: 0,
      default: 5,
      description:
        'Records refused or dropped within `hc_period` above which /api/v1/health answers 500.',
    },
    hc_retry_failure_count: {
      type: 'integer',
      minimum: 0,
      default: 5,
      description:
        'Deliveries that failed and were tried again within `hc_period` above which /api/v1/health answers 500.',
    },
    hc_period: {
      'x-type': 'duration',
      'x-minimum': 1,
      default: '60s',
      description: 'Period over which /api/v1/health counts; a bare number is seconds.',
    },
    multiline_buffer_limit: {
      'x-type': 'size',
      'x-minimum': 1,
      default: '2MB',
      description: 'Most bytes that one multiline record gathers before it is passed on.',
    },
    daemon: {
      type: 'boolean',
      'x-ignored': 'The agent stays in the foreground; let a service manager start it.',
      description: 'Accepted for Fluent Bit files; the agent stays in the foreground.',
    },
    coro_stack_size: {
      type: 'integer',
      'x-ignored': 'There are no coroutine stacks.',
      description: 'Accepted for Fluent Bit files; there are no coroutine stacks.',
    },
    parsers_file: {
      type: ['string', 'array'],
      items: { type: 'string', minLength: 1 },
      description:
        'YAML files with `parsers` and `multiline_parsers`, read as if they stood under `includes`.',
    },
    ...ignoredServiceKeys,
  },
} as const satisfies JsonSchema;
