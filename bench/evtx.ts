import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heapBatch } from '../core/batch/batch.ts';
import { layout } from '../core/batch/layout.ts';
import { silentLog } from '../core/telemetry/log.ts';
import type { Batch, BatchEmitter, InputContext, Source } from '../core/sdk/index.ts';
import { systemClock } from '../core/sdk/index.ts';
import { plugin } from '../plugins/inputs/evtx/index.ts';
import { logonRecord } from '../test/event_log/evtx_events.ts';
import { ChunkWriter, evtxFile } from '../test/event_log/evtx_writer.ts';

/** Records a second of the evtx input alone, on one core: `node dist/bench/evtx.js [records]`.
 *  The file is made first: logons as the Security log has them. Also with raw XML. */
const records = Number(process.argv[2] ?? 200_000);
/** Writes chunk after chunk, so that nothing of it is left on the heap. */
function writeLog(path: string): void {
  writeFileSync(path, evtxFile([]));
  let chunk = new ChunkWriter();
  for (let id = 1; id <= records; id++) {
    const record = logonRecord(id);
    if (chunk.add(record)) continue;
    appendFileSync(path, chunk.finish());
    chunk = new ChunkWriter();
    chunk.add(record);
  }
  appendFileSync(path, chunk.finish());
}

async function measure(name: string, path: string, options: object): Promise<void> {
  const emitter = new CountingEmitter();
  const input = plugin.create(
    {
      path: [path],
      read_from_head: true,
      refresh_interval: 1000,
      exit_on_eof: true,
      include_slack: false,
      read_damaged_chunks: false,
      string_inserts: false,
      render_xml: false,
      ...options,
    },
    context(),
  );
  const cpu = process.cpuUsage();
  const began = performance.now();
  await input.run(emitter, new AbortController().signal);
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  const cpuSeconds = (used.user + used.system) / 1e6;
  await input.close?.();
  if (emitter.records !== records) throw new Error(`${emitter.records} of ${records} records`);
  const rate = (value: number) => Math.round(records / value).toLocaleString('en');
  console.log(
    `${name}: ${rate(seconds)} records/s, ${rate(cpuSeconds)} per CPU second, ` +
      `${(emitter.bytes / records).toFixed(0)} bytes a record, ` +
      `${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  );
}

/** Takes batches in and lets them go. */
class CountingEmitter implements BatchEmitter {
  records = 0;
  bytes = 0;
  private readonly pool: Batch[] = [];

  async batch(source: Source, tag: string, dataBytes = 0): Promise<Batch> {
    const batch =
      (dataBytes === 0 ? this.pool.pop() : undefined) ??
      heapBatch(Math.max(dataBytes, layout.dataBytes), layout.eventsMax);
    batch.reset(source, tag);
    return batch;
  }

  async emit(batch: Batch): Promise<void> {
    this.records += batch.count;
    for (let i = 0; i < batch.count; i++) this.bytes += batch.rootEnd[i]! - batch.rootStart[i]!;
    this.discard(batch);
  }

  discard(batch: Batch): void {
    this.pool.push(batch);
  }
}

function context(): InputContext {
  const sources = {
    open: async (options: { name: string; startPosition?: number }) => ({
      name: options.name,
      generation: '0'.repeat(32),
      resumePosition: options.startPosition ?? 0,
      settledPosition: () => Number.MAX_SAFE_INTEGER,
      close: () => undefined,
    }),
    checkpoints: () => new Map(),
    forget: () => undefined,
  };
  // What the input asks for, and nothing else.
  return {
    id: 'evtx.0',
    tag: 'bench',
    log: silentLog,
    clock: systemClock,
    metrics: { counter: () => ({ value: 0 }), gauge: () => undefined },
    baseDirectory: '/',
    service: { eventBytesMax: 1_000_000 },
    sources,
  } as unknown as InputContext;
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-evtx-'));
  try {
    const path = join(directory, 'Security.evtx');
    writeLog(path);
    const megabytes = statSync(path).size / 1e6;
    console.log(`${records} records, ${megabytes.toFixed(1)} MB`);
    for (const [name, options] of [
      ['warm-up', {}],
      ['compiled templates', {}],
      ['compiled templates', {}],
      ['string_inserts', { string_inserts: true }],
      ['render_xml', { render_xml: true }],
    ] as const) {
      await measure(name, path, options);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
