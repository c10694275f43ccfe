import type { Secret } from '../../../core/sdk/index.ts';

const columnType = {
  type: 'string',
  minLength: 1,
  maxLength: 16_384,
  description: 'ClickHouse type of the column, such as `LowCardinality(String)`.',
} as const;

const columnField = {
  'x-type': 'field',
  minLength: 1,
  description: 'Field that the value comes from; that with the name of the column when absent.',
} as const;

/** Options of the output, as JSON Schema. */
export const schema = {
  type: 'object',
  required: ['table'],
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Server name or address, or a whole URL such as `https://click.example:8443`.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      default: 8123,
      description: 'Port of the HTTP interface of servers that are given without one.',
    },
    hosts: {
      'x-type': 'comma_list',
      description:
        'Several replicas of one table, each like `host`: the next one is used when one cannot be reached. Replaces `host`.',
    },
    database: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      default: 'default',
      description: 'Database of the table.',
    },
    table: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      description:
        'Table to insert into. May hold `%{+YYYY_MM}` (the time of the record), `%{field}`, `%{[a][b]}` and `$TAG` behind a fixed beginning; what comes from records is freed of all but letters, digits and `_` and cannot change the beginning.',
    },
    table_names_max: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 100,
      description:
        'Most table names in use within an hour; records beyond go to the fixed beginning of the name and `other`.',
    },
    user: {
      type: 'string',
      minLength: 1,
      default: 'default',
      description: 'User name.',
    },
    password: {
      'x-type': 'secret',
      description: 'Password of `user`.',
    },
    format: {
      type: 'string',
      enum: ['json_each_row', 'row_binary'],
      default: 'json_each_row',
      description:
        'How rows are sent: `json_each_row` as JSON objects, `row_binary` in binary after the declared `columns`, which costs the server less.',
    },
    columns: {
      description:
        'Columns and their types: a list of `{name, type, field}`, or a map from names to types. A row then has these columns and no others, and values that do not fit go to the dead letters before anything is sent. Needed for `row_binary` and `create_table`.',
      anyOf: [
        {
          type: 'array',
          minItems: 1,
          maxItems: 1000,
          items: {
            type: 'object',
            required: ['name', 'type'],
            properties: {
              name: {
                type: 'string',
                minLength: 1,
                maxLength: 200,
                description: 'Name of the column.',
              },
              type: columnType,
              field: columnField,
            },
          },
        },
        {
          type: 'object',
          minProperties: 1,
          maxProperties: 1000,
          additionalProperties: {
            anyOf: [
              columnType,
              {
                type: 'object',
                required: ['type'],
                properties: { type: columnType, field: columnField },
              },
            ],
          },
        },
      ],
    },
    time_key: {
      type: 'string',
      maxLength: 200,
      default: 'timestamp',
      description:
        'Column for the time of records that have no such field, with nanoseconds where its type has them. Empty: the time is not sent.',
    },
    skip_unknown_fields: {
      type: 'boolean',
      default: false,
      description:
        'Whether fields for which the table has no column are left out. When not, a row that has one goes to the dead letters. Has no effect with `columns`.',
    },
    settings: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      description:
        'ClickHouse settings for every insert, such as `max_partitions_per_insert_block: 500`. `async_insert` stays 0.',
    },
    compress: {
      type: 'string',
      enum: ['gzip'],
      description: 'Compresses request bodies; left out, they are sent as they are.',
    },
    create_table: {
      type: 'boolean',
      default: false,
      description: 'Whether a table (and database) that does not exist is created from `columns`.',
    },
    engine: {
      type: 'string',
      minLength: 1,
      default: 'MergeTree',
      description: 'Engine of a created table, with its parameters.',
    },
    order_by: {
      type: 'string',
      minLength: 1,
      description:
        'Expression that a created table is ordered by; the column of `time_key`, or nothing, when absent.',
    },
    partition_by: {
      type: 'string',
      minLength: 1,
      description:
        'Expression that a created table is partitioned by, such as `toYYYYMM(timestamp)`.',
    },
    deduplication_window: {
      type: 'integer',
      minimum: 0,
      maximum: 1_000_000,
      default: 1000,
      description:
        'Inserts of which a created table remembers the token, so that one that is sent again is stored once; see `non_replicated_deduplication_window`.',
    },
    'http.response_timeout': {
      'x-type': 'duration',
      'x-minimum': 1,
      default: '60s',
      description: 'How long an insert may take before it is tried again.',
    },
  },
} as const;

export interface ColumnOption {
  readonly name: string;
  readonly type: string;
  readonly field?: string;
}

export interface ClickHouseOptions {
  readonly host: string;
  readonly port: number;
  readonly hosts?: readonly string[];
  readonly database: string;
  readonly table: string;
  readonly table_names_max: number;
  readonly user: string;
  readonly password?: Secret;
  readonly format: 'json_each_row' | 'row_binary';
  readonly columns?:
    | readonly ColumnOption[]
    | Readonly<Record<string, string | Omit<ColumnOption, 'name'>>>;
  readonly time_key: string;
  readonly skip_unknown_fields: boolean;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly compress?: 'gzip';
  readonly create_table: boolean;
  readonly engine: string;
  readonly order_by?: string;
  readonly partition_by?: string;
  readonly deduplication_window: number;
  readonly 'http.response_timeout': number;
}

/** The declared columns as a list, whichever way they are written. */
export function columnList(options: ClickHouseOptions): readonly ColumnOption[] {
  const { columns } = options;
  if (columns === undefined) return [];
  if (isList(columns)) return columns;
  return Object.entries(columns).map(([name, column]) =>
    typeof column === 'string' ? { name, type: column } : { name, ...column },
  );
}

function isList(
  columns: NonNullable<ClickHouseOptions['columns']>,
): columns is readonly ColumnOption[] {
  return Array.isArray(columns);
}
