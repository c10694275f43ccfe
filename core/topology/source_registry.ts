import {
  type CheckpointedSource,
  type CheckpointWriter,
  newGeneration,
} from '../checkpoint/checkpoint_writer.ts';
import { Ledger } from '../checkpoint/ledger.ts';
import { SluiceError } from '../errors/sluice_error.ts';
import type {
  OpenSource,
  SourceOptions,
  SourceRegistry,
  StoredCheckpoint,
} from '../sdk/contracts.ts';
import { type Clock, pause } from '../time/clock.ts';

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

  /** True while records of an input are owed to some output. */
  isPending(inputId: string): boolean {
    for (const source of this.sources) {
      if (source.inputId === inputId && source.ledger.isPending) return true;
    }
    return false;
  }
}

export interface SourceRegistryOptions {
  readonly inputId: string;
  readonly open: OpenSources;
  readonly checkpoints: CheckpointWriter;
  readonly clock: Clock;
  /** Unless a source says otherwise. */
  readonly comesAgain: boolean;
  /** Aborts when the input is told to end. */
  readonly stopping: AbortSignal;
}

/** How often a new source is tried again to be noted on a disk that refuses it. */
const retryMs = 1000;

/** The registry of one input: its checkpoints are filed under its id. */
export function sourceRegistry(options: SourceRegistryOptions): SourceRegistry {
  const { inputId, open, checkpoints, comesAgain } = options;
  const prefix = `${inputId}\0`;
  return {
    async open(wanted: SourceOptions): Promise<OpenSource> {
      const key = wanted.checkpointKey === undefined ? undefined : prefix + wanted.checkpointKey;
      const source = new EngineSource(wanted, {
        ...{ key, inputId, open, checkpoints },
        comesAgain: wanted.comesAgain ?? comesAgain,
      });
      open.add(source);
      if (key !== undefined && wanted.generation === undefined) await noteDurably(source, options);
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

/** Resolves when a new source's generation is on the disk, before its first record leaves: a
 *  record's id must not change after a crash. Until the disk takes it the input waits. */
async function noteDurably(source: EngineSource, options: SourceRegistryOptions): Promise<void> {
  const { checkpoints, clock, stopping } = options;
  for (;;) {
    checkpoints.markDirty(source);
    try {
      await checkpoints.flush();
      return;
    } catch (error) {
      // Said by the writer, in the log and in /readyz.
      if (!(error instanceof SluiceError) || error.kind !== 'retryable') throw error;
    }
    await pause(clock, retryMs, stopping);
    if (!stopping.aborted) continue;
    source.close();
    throw new SluiceError('SLUICE_SHUTDOWN', `The input ended before ${source.name} was noted.`);
  }
}

interface EngineSourceOptions {
  /** Undefined for a source without a checkpoint. */
  readonly key: string | undefined;
  readonly inputId: string;
  readonly open: OpenSources;
  readonly checkpoints: CheckpointWriter;
  readonly comesAgain: boolean;
}

class EngineSource implements OpenSource, CheckpointedSource {
  readonly name: string;
  readonly inputId: string;
  readonly generation: string;
  readonly resumePosition: number;
  readonly ledger: Ledger;
  readonly comesAgain: boolean;
  readonly checkpointKey: string;
  private readonly options: SourceOptions;
  private readonly open: OpenSources;

  constructor(
    options: SourceOptions,
    { key, inputId, open, checkpoints, comesAgain }: EngineSourceOptions,
  ) {
    this.options = options;
    this.open = open;
    this.name = options.name;
    this.inputId = inputId;
    this.comesAgain = comesAgain;
    this.generation = options.generation ?? newGeneration();
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
