import { randomBytes } from 'node:crypto';
import type { CheckpointedSource, CheckpointWriter } from '../checkpoint/checkpoint_writer.ts';
import { Ledger } from '../checkpoint/ledger.ts';
import type {
  OpenSource,
  SourceOptions,
  SourceRegistry,
  StoredCheckpoint,
} from '../sdk/contracts.ts';

/** All open sources of the agent, so that a reload can tell them of new outputs. */
export class OpenSources {
  private readonly sources = new Set<EngineSource>();
  private outputIds: readonly string[] = [];
  private readonly storedPositions = new Map<string, Record<string, number>>();

  setOutputs(ids: readonly string[]): void {
    const added = ids.filter((id) => !this.outputIds.includes(id));
    const removed = this.outputIds.filter((id) => !ids.includes(id));
    this.outputIds = ids;
    for (const source of this.sources) {
      for (const id of added) source.ledger.addOutput(id);
      for (const id of removed) source.ledger.removeOutput(id);
    }
  }

  /** Notes what the disk buffer of an output vouches for: newer than any checkpoint. */
  noteStored(outputId: string, covered: Readonly<Record<string, number>>): void {
    for (const [generation, position] of Object.entries(covered)) {
      const positions = this.storedPositions.get(generation) ?? {};
      positions[outputId] = Math.max(positions[outputId] ?? 0, position);
      this.storedPositions.set(generation, positions);
    }
  }

  /** A source's positions from its checkpoint, brought up to what is stored. */
  positionsOf(options: SourceOptions): Readonly<Record<string, number>> | undefined {
    const stored = this.storedPositions.get(options.generation ?? '');
    if (stored === undefined) return options.positions;
    const positions: Record<string, number> = { ...options.positions };
    for (const [outputId, position] of Object.entries(stored)) {
      positions[outputId] = Math.max(positions[outputId] ?? 0, position);
    }
    return positions;
  }

  readonly outputs = (): readonly string[] => this.outputIds;

  add(source: EngineSource): void {
    this.sources.add(source);
  }

  remove(source: EngineSource): void {
    this.sources.delete(source);
  }

  get size(): number {
    return this.sources.size;
  }
}

/** The registry of one input: its checkpoints are filed under its id. */
export function sourceRegistry(
  inputId: string,
  open: OpenSources,
  checkpoints: CheckpointWriter,
): SourceRegistry {
  const prefix = `${inputId}\0`;
  return {
    async open(options: SourceOptions): Promise<OpenSource> {
      const key = options.checkpointKey === undefined ? undefined : prefix + options.checkpointKey;
      const source = new EngineSource(options, key, open, checkpoints);
      open.add(source);
      if (key !== undefined && options.generation === undefined) {
        // Durable before its first record leaves: a record's id must not change after a crash.
        checkpoints.markDirty(source);
        await checkpoints.flush();
      }
      return source;
    },
    checkpoints(): ReadonlyMap<string, StoredCheckpoint> {
      const own = new Map<string, StoredCheckpoint>();
      for (const [key, entry] of checkpoints.entries()) {
        if (!key.startsWith(prefix)) continue;
        const { generation, position, identity, updatedAtMs } = entry;
        own.set(key.slice(prefix.length), {
          generation,
          positions: position,
          identity,
          updatedAtMs,
        });
      }
      return own;
    },
    forget(checkpointKey: string): void {
      checkpoints.forget(prefix + checkpointKey);
    },
  };
}

class EngineSource implements OpenSource, CheckpointedSource {
  readonly name: string;
  readonly generation: string;
  readonly resumePosition: number;
  readonly ledger: Ledger;
  readonly checkpointKey: string;
  private readonly options: SourceOptions;
  private readonly open: OpenSources;

  constructor(
    options: SourceOptions,
    key: string | undefined,
    open: OpenSources,
    checkpoints: CheckpointWriter,
  ) {
    this.options = options;
    this.open = open;
    this.name = options.name;
    this.generation = options.generation ?? randomBytes(16).toString('hex');
    this.checkpointKey = key ?? '';
    const positions = open.positionsOf(options);
    this.resumePosition = resumePosition({ ...options, positions }, open.outputs());
    this.ledger = new Ledger({
      outputs: open.outputs,
      resumePosition: this.resumePosition,
      positions,
      onProgress: (settled) => {
        if (key !== undefined) checkpoints.markDirty(this);
        options.onSettled?.(settled);
      },
    });
  }

  settledPosition(): number {
    return this.ledger.settled();
  }

  positions(): Record<string, number> {
    return this.ledger.positions();
  }

  identity(position: number): Promise<unknown> {
    return this.options.identity?.(position) ?? Promise.resolve(undefined);
  }

  close(): void {
    this.open.remove(this);
  }
}

/** The smallest position of the outputs there are; one that has none begins with the others. */
function resumePosition(options: SourceOptions, outputs: readonly string[]): number {
  const known = outputs
    .map((id) => options.positions?.[id])
    .filter((position) => position !== undefined);
  if (known.length > 0) return Math.min(...known);
  const all = Object.values(options.positions ?? {});
  // Outputs were renamed: repeat from the least that anybody had, rather than lose.
  return all.length > 0 ? Math.min(...all) : (options.startPosition ?? 0);
}
