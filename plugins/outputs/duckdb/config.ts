import { columnTypes, type ColumnType } from './column.ts';

export const schema = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      minLength: 1,
      default: 'sluice.duckdb',
      description:
        'File of the database, relative to the pipeline file; it is made when missing. `:memory:` keeps everything in memory, for tests.',
    },
    table: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
      default: 'logs',
      description: 'Table that records go to; it is made when missing.',
    },
    time_column: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
      default: 'time',
      description:
        'Column for the time of the record, with nanoseconds (TIMESTAMP_NS, in UTC). A field of the same name goes to `extra_column`.',
    },
    extra_column: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
      default: '_extra',
      description:
        'JSON column for fields without a column of their own and for values that do not fit their column.',
    },
    id_column: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
      description:
        'Column for the id of the record, made of its origin and the same on every read; by it duplicates are told after a crash. Left out: none.',
    },
    columns: {
      type: 'array',
      minItems: 1,
      maxItems: 1000,
      description:
        'Columns with declared types. A record with a value that does not fit goes to the dead letters. Left out: every top-level field gets a column, typed by its first value.',
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
          type: { enum: columnTypes, description: 'Type of the column.' },
          field: {
            type: 'string',
            minLength: 1,
            'x-type': 'field',
            description: 'Field that fills the column; the one of its name when absent.',
          },
        },
      },
    },
    columns_max: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 256,
      description:
        'Most columns that fields get by themselves; further fields go to `extra_column`.',
    },
    memory_limit: {
      'x-type': 'size',
      'x-minimum': 16 * 1024 * 1024,
      default: '64MB',
      description: 'Memory that DuckDB may use for its pages; what needs more is spilled to disk.',
    },
    threads: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      default: 1,
      description: 'Threads of DuckDB.',
    },
    query_rows_max: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 10_000,
      description: 'Most rows that `sluice query` gets while the agent runs.',
    },
    query_timeout: {
      'x-type': 'duration',
      'x-minimum': 1,
      default: '30s',
      description: 'Time after which such a query is ended.',
    },
  },
} as const;

export interface DeclaredColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly field?: string;
}

/** What the schema gives. */
export interface DuckdbOptions {
  readonly path: string;
  readonly table: string;
  readonly time_column: string;
  readonly extra_column: string;
  readonly id_column?: string;
  readonly columns?: readonly DeclaredColumn[];
  readonly columns_max: number;
  readonly memory_limit: number;
  readonly threads: number;
  readonly query_rows_max: number;
  readonly query_timeout: number;
}
