import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../../core/buffer/file_system.ts';
import { SegmentWriter } from '../../core/buffer/segment_writer.ts';
import type { Kernel } from '../../core/kernel/kernel.ts';
import type { Output, OutputContext } from '../../core/sdk/index.ts';
import { plugin as clickhouse } from '../../plugins/outputs/clickhouse/index.ts';
import { plugin as elasticsearch } from '../../plugins/outputs/elasticsearch/index.ts';
import { plugin as loki } from '../../plugins/outputs/loki/index.ts';
import { SnappyCompressor } from '../../plugins/shared/snappy/snappy.ts';
import { outputContext } from '../../test/unit/shared/output_harness.ts';
import type { CorpusKind } from '../corpus/corpus.ts';
import { clickHouseColumns } from '../scenarios/basic_scenarios.ts';
import { corpusLines, filledBatch } from './kernel_benchmarks.ts';
import type { MicroBenchmark } from './micro_benchmark.ts';

interface OutputPlugin {
  readonly schema: unknown;
  create(options: never, context: OutputContext): Output;
}

/** What happens to events at the outputs' side of the pipeline. */
export function outputBenchmarks(kernel: Kernel): (() => MicroBenchmark)[] {
  const encode = (name: string, plugin: OutputPlugin, kind: CorpusKind, options: object) => () =>
    encoding(kernel, `encode: ${name}`, plugin, kind, options);
  const columns = clickHouseColumns;
  return [
    encode('_bulk, raw lines', elasticsearch, 'access', { index: 'bench' }),
    encode('_bulk, JSON events', elasticsearch, 'application', { index: 'bench' }),
    encode('Loki JSON, JSON events', loki, 'application', { format: 'json' }),
    encode('Loki protobuf, JSON events', loki, 'application', { format: 'protobuf' }),
    encode('Loki JSON, raw lines', loki, 'access', { format: 'json', drop_single_key: 'raw' }),
    encode('Loki protobuf, raw lines', loki, 'access', {
      format: 'protobuf',
      drop_single_key: 'raw',
    }),
    encode('ClickHouse JSONEachRow', clickhouse, 'application', { table: 'bench', time_key: '' }),
    encode('ClickHouse RowBinary', clickhouse, 'application', {
      table: 'bench',
      time_key: '',
      format: 'row_binary',
      columns,
    }),
    () => snappy(kernel),
    segmentAppend,
  ];
}

function encoding(
  kernel: Kernel,
  name: string,
  plugin: OutputPlugin,
  kind: CorpusKind,
  options: object,
): MicroBenchmark {
  const { batch, bytes } = filledBatch(kernel, kind);
  const settings = { ...defaultsOf(plugin.schema), ...options };
  // What the schema makes of a pipeline file, by hand.
  const output = plugin.create(settings as never, outputContext({ kernel }));
  const { encoder } = output;
  let taken = 0;
  const sink = {
    appendRun: (_section: string, run: { start: number; end: number }) => {
      taken += run.end - run.start;
    },
    reject: (_batch: unknown, index: number, reason: string) => {
      throw new Error(`${name}: event ${index} was rejected: ${reason}`);
    },
  };
  return {
    name,
    lines: batch.count,
    bytes,
    run: () => {
      encoder.encode(batch, batch.select, sink as never);
      if (taken === 0) throw new Error(`${name}: nothing was encoded`);
    },
    close: () => encoder.close?.(),
  };
}

function defaultsOf(schema: unknown): Record<string, unknown> {
  const { properties } = schema as { properties: Record<string, { default?: unknown }> };
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, option]) =>
      option.default === undefined ? [] : [[name, option.default]],
    ),
  );
}

function snappy(kernel: Kernel): MicroBenchmark {
  const lines = corpusLines('access', 5000);
  const body = Buffer.from(lines.join('\n'));
  const compressor = new SnappyCompressor(kernel);
  return {
    name: 'snappy',
    lines: lines.length,
    bytes: body.length,
    run: () => void compressor.compress(body),
  };
}

/** Chunks of 1 MiB into segments of 64, without waiting for the disk. */
function segmentAppend(): MicroBenchmark {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-micro-'));
  const lines = corpusLines('access', 5000);
  const body = [Buffer.from(lines.join('\n'))];
  const header = Buffer.alloc(128);
  const fileSystem = nodeFileSystem();
  const writer = new SegmentWriter({ fileSystem, directory, identity: 1n, now: () => 0 });
  const perSegment = 64;
  let sequence = 0;
  return {
    name: 'segment append (page cache)',
    lines: lines.length,
    bytes: body[0]!.length,
    run: async () => {
      if (sequence % perSegment === 0) {
        if (sequence > 0) await writer.seal();
        rmSync(directory, { recursive: true });
        mkdirSync(directory);
        writer.begin(sequence / perSegment, sequence);
      }
      await writer.write([{ sequence, createdMs: 0, header, body }]);
      sequence++;
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}
