import { accessFilters, bulkOutput, pipelineText } from './pipeline_text.ts';
import type { PipelineFacts, Scenario } from './scenario.ts';

const jsonParser = "{name: parser, match: '*', key_name: log, parser: json}";

/** Access log → grok → date → `_bulk`. */
const s1: Scenario = {
  id: 'S1',
  title: 'access log → grok COMBINEDAPACHELOG → date → Elasticsearch `_bulk`, all fields',
  parts: ['access'],
  bar: 2.5,
  eventsPerSecondBar: 1_500_000,
  pipeline: (facts) => pipelineText(facts, { filters: accessFilters, output: bulkOutput(facts) }),
};

/** NDJSON → drop, rename, add → `_bulk`. */
const s2: Scenario = {
  id: 'S2',
  title: 'NDJSON → drop debug, rename, add → `_bulk`',
  parts: ['application'],
  dropsDebug: true,
  bar: 1.8,
  pipeline: (facts) =>
    pipelineText(facts, {
      filters: [
        jsonParser,
        "{name: grep, match: '*', exclude: 'level ^debug$'}",
        "{name: modify, match: '*', rename: 'msg message', add: 'env prod'}",
      ],
      output: bulkOutput(facts),
    }),
};

function lokiScenario(format: 'json' | 'protobuf', bar: number): Scenario {
  return {
    id: `S3.${format}`,
    title: `raw lines → Loki, ${format === 'json' ? 'JSON' : 'protobuf + snappy'}`,
    parts: ['access'],
    bar,
    pipeline: (facts) =>
      pipelineText(facts, {
        output: `{name: loki, alias: loki, match: '*', host: 127.0.0.1, port: ${facts.port}, format: ${format}, labels: job=bench, drop_single_key: raw}`,
      }),
  };
}

/** The columns of S4's table and where a record has them. */
export const clickHouseColumns: readonly { name: string; type: string; field: string }[] = [
  { name: 'time', type: "DateTime64(3, 'UTC')", field: 'time' },
  { name: 'level', type: 'LowCardinality(String)', field: 'level' },
  { name: 'service', type: 'LowCardinality(String)', field: 'service' },
  { name: 'msg', type: 'String', field: 'msg' },
  { name: 'trace_id', type: 'String', field: 'trace_id' },
  { name: 'span_id', type: 'String', field: 'span_id' },
  { name: 'user_id', type: 'UInt32', field: 'user_id' },
  { name: 'duration_ms', type: 'Float64', field: 'duration_ms' },
  { name: 'http_method', type: 'LowCardinality(String)', field: '[http][method]' },
  { name: 'http_path', type: 'String', field: '[http][path]' },
  { name: 'http_status', type: 'UInt16', field: '[http][status]' },
  { name: 'http_bytes', type: 'UInt32', field: '[http][bytes]' },
  { name: 'host', type: 'String', field: 'host' },
];

function clickHouseOutput(facts: PipelineFacts, options: string): string {
  return `{name: clickhouse, alias: table, match: '*', host: 127.0.0.1, port: ${facts.port}, table: bench, time_key: '', ${options}}`;
}

const s4Json: Scenario = {
  id: 'S4.jsoneachrow',
  title: 'NDJSON → ClickHouse, JSONEachRow',
  parts: ['application'],
  bar: 2,
  pipeline: (facts) =>
    pipelineText(facts, {
      filters: [jsonParser],
      output: clickHouseOutput(facts, 'format: json_each_row'),
    }),
};

const s4RowBinary: Scenario = {
  id: 'S4.rowbinary',
  title: 'NDJSON → ClickHouse, RowBinary with declared types',
  parts: ['application'],
  bar: 3.5,
  pipeline: (facts) => {
    const columns = clickHouseColumns.map(
      ({ name, type, field }) => `{name: ${name}, type: "${type}", field: '${field}'}`,
    );
    return pipelineText(facts, {
      filters: [jsonParser],
      output: clickHouseOutput(facts, `format: row_binary, columns: [${columns.join(', ')}]`),
    });
  },
};

export const basicScenarios: readonly Scenario[] = [
  s1,
  s2,
  lokiScenario('json', 1.6),
  lokiScenario('protobuf', 2.8),
  s4Json,
  s4RowBinary,
];
