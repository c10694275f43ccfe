import { join } from 'node:path';
import { type DiskBuffer, type DiskBufferLimits, openDiskBuffer } from '../buffer/disk_buffer.ts';
import { nodeFileSystem } from '../buffer/file_system.ts';
import { Chunk } from '../chunk/chunk.ts';
import type { OutputConfig, ResolvedConfig } from '../config/resolved.ts';
import { type DeadLetterLimits, openDeadLetterStore } from '../dead_letter/dead_letter_store.ts';
import { deadLetterAdapter } from '../deliver/dead_letter_adapter.ts';
import { DeadLetterDesk, type DeadLetterStore } from '../deliver/dead_letter_desk.ts';
import type { ChunkMemory } from '../chunk/chunk_memory.ts';
import type { MemoryBudget } from '../deliver/memory_budget.ts';
import { OutputStage } from '../deliver/output_stage.ts';
import type { Output } from '../sdk/contracts.ts';
import type { ComponentFactory, FactoryServices } from './component_factory.ts';

/** Most sections of one chunk: label sets, tables, files. */
const sectionsMax = 1024;
const batchBytesDefault = 2 * 1024 * 1024;
const batchRecordsDefault = 100_000;

/** What an output keeps on disk. It outlives the output's instance when a reload changes that. */
export interface OutputStorage {
  readonly buffer: DiskBuffer | undefined;
  readonly deadLetters: DeadLetterStore;
  /** By source generation: what the chunks found on the disk vouch for, delivered ones included. */
  readonly vouched: Readonly<Record<string, number>>;
  /** The stages that work on it. */
  readonly sharers: Set<OutputStage>;
  /** Takes limits and policies over from another configuration of the same output. */
  setLimits(config: OutputConfig): void;
  /** Changes when the storage would have to be opened anew. */
  readonly fingerprint: string;
}

/** Directory of an output's disk buffer. Ids become one path segment, whatever they hold. */
export function bufferDirectory(storagePath: string, outputId: string): string {
  return join(storagePath, 'buffers', pathSegment(outputId));
}

export function deadLetterDirectory(deadLetterPath: string, outputId: string): string {
  return join(deadLetterPath, pathSegment(outputId));
}

/** Writes an id so that it is one file name on every system. */
export function pathSegment(id: string): string {
  const encoded = encodeURIComponent(id).replaceAll('*', '%2A');
  return encoded.startsWith('.') ? `%2E${encoded.slice(1)}` : encoded;
}

export function storageFingerprint(config: OutputConfig): string {
  return JSON.stringify([config.base.storage.type, config.base.storage.path]);
}

/** Opens an output's disk buffer and dead letters. `noteVouched` makes durable what chunks vouch
 *  for, before they are deleted. Throws SLUICE_STORAGE_FAILED or _LOCKED. */
export async function openOutputStorage(
  config: OutputConfig,
  resolved: ResolvedConfig,
  services: FactoryServices,
  noteVouched: () => Promise<void>,
): Promise<OutputStorage> {
  const { storage } = config.base;
  const log = services.logFor(config.id, config.base.logLevel);
  const metrics = services.metrics.forComponent('output', config.id);
  const fileSystem = services.fileSystem ?? nodeFileSystem();
  const quarantined = metrics.counter('sluice_buffer_quarantined_bytes_total');
  const vouched: Record<string, number> = {};
  const vouchFor = (header: Buffer): void => {
    for (const [generation, position] of Object.entries(Chunk.summary(header).covered)) {
      vouched[generation] = Math.max(vouched[generation] ?? 0, position);
    }
  };
  const buffer =
    storage.type === 'filesystem'
      ? await openDiskBuffer({
          directory: bufferDirectory(storage.path, config.id),
          ...bufferLimits(config),
          headersDescribe: true,
          log,
          fileSystem,
          onDelivered: vouchFor,
          beforeDelete: noteVouched,
          onProblem: (problem) => services.health.set(`buffer ${config.id}`, problem),
          onQuarantine: (range) => {
            quarantined.value += range.end - range.start;
          },
        })
      : undefined;
  for (const { header } of buffer?.recovered ?? []) vouchFor(header);
  const damaged = metrics.counter('sluice_dead_letter_damaged_bytes_total');
  const store = await openDeadLetterStore({
    directory: deadLetterDirectory(resolved.service.deadLetterPath, config.id),
    output: config.id,
    ...deadLetterLimits(config),
    log,
    fileSystem,
    onDamage: ({ start, end }) => {
      damaged.value += end - start;
    },
  });
  metrics.gauge('sluice_dead_letter_bytes', () => store.usedBytes);
  return {
    buffer,
    deadLetters: deadLetterAdapter(store),
    vouched,
    sharers: new Set(),
    setLimits(next) {
      buffer?.setLimits(bufferLimits(next));
      store.setLimits(deadLetterLimits(next));
    },
    fingerprint: storageFingerprint(config),
  };
}

function bufferLimits({ base: { storage } }: OutputConfig): DiskBufferLimits {
  const { totalLimitBytes: limitBytes, whenFull, durability } = storage;
  return { limitBytes, whenFull, durability };
}

function deadLetterLimits({ base: { deadLetter } }: OutputConfig): DeadLetterLimits {
  const { limitBytes, whenFull } = deadLetter;
  return { limitBytes, whenFull: whenFull === 'block' ? 'block' : 'drop' };
}

export interface StageParts {
  readonly config: OutputConfig;
  readonly output: Output;
  readonly storage: OutputStorage;
  readonly factory: ComponentFactory;
  readonly services: FactoryServices;
  readonly budget: MemoryBudget;
  readonly memory: ChunkMemory;
}

/** Puts the engine's part around an output. */
export function assembleOutput(parts: StageParts): OutputStage {
  const { config, output, storage, factory, services, budget, memory } = parts;
  const { base, id } = config;
  const plugin = factory.outputPlugin(config);
  const log = services.logFor(id, base.logLevel);
  const setHealth = (problem: string | undefined) => services.health.set(`output ${id}`, problem);
  const batchBytes = base.batch.bytesMax ?? plugin.batch?.bytes ?? batchBytesDefault;
  return new OutputStage({
    id,
    output,
    batchBytes,
    batchRecords: base.batch.recordsMax ?? plugin.batch?.records ?? batchRecordsDefault,
    flushMs: base.flushMs,
    concurrency: base.concurrency,
    retry: {
      retriesMax: base.retry.maxAttempts - 1,
      initialMs: base.retry.initialMs,
      maxMs: base.retry.maxMs,
    },
    whenFull: base.storage.whenFull,
    sectionsMax,
    buffer: storage.buffer,
    sharers: storage.sharers,
    deadLetters: new DeadLetterDesk({
      store: storage.deadLetters,
      clock: services.clock,
      log,
      setHealth: (problem) => services.health.set(`dead_letters ${id}`, problem),
    }),
    budget,
    memory,
    clock: services.clock,
    random: Math.random,
    log,
    conceal: services.conceal,
    metrics: services.metrics.forComponent('output', id),
    recoveredEdge: services.metrics.counter('sluice_edge_records_total', {
      from: 'buffer',
      to: id,
    }),
    setHealth,
  });
}

export async function closeStorage(storage: OutputStorage): Promise<void> {
  await storage.deadLetters.close();
  await storage.buffer?.close();
}
