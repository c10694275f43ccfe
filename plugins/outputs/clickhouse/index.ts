import { defineOutput } from '../../../core/sdk/index.ts';
import { checkOptions } from './check.ts';
import { ClickHouseOutput } from './clickhouse_output.ts';
import { type ClickHouseOptions, schema } from './config.ts';

/** Inserts records into ClickHouse tables. */
export const plugin = defineOutput<ClickHouseOptions>({
  name: 'clickhouse',
  summary: 'Inserts records into ClickHouse tables over HTTP.',
  stability: 'beta',
  encodesApart: true,
  schema,
  // ClickHouse makes a part of every insert: few and large ones.
  batch: { bytes: 4 * 1024 * 1024, records: 50_000 },
  concurrency: 1,
  example: `pipeline:
  inputs:
    - name: dummy
      tag: demo
      samples: 3
      dummy: '{"level": "info", "message": "hello", "status": 200}'
  outputs:
    - name: clickhouse
      match: '*'
      host: 127.0.0.1
      database: logs
      table: events
      create_table: true
      columns:
        timestamp: DateTime64(9)
        level: LowCardinality(String)
        message: String
        status: UInt16
`,
  check: checkOptions,
  create: (options, context) => new ClickHouseOutput(options, context),
});
