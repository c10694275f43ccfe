import { randomBytes } from 'node:crypto';
import type { InputContext, StoredCheckpoint } from '../../../core/sdk/index.ts';
import { MultilineAssembler } from '../../shared/multiline/index.ts';
import { beforeBytesMax, printOf, type StoredIdentity } from './content_print.ts';
import { FileGeneration } from './file_generation.ts';
import { fileTag } from './file_tag.ts';
import type { TailMetrics } from './tail_metrics.ts';
import type { TailSettings } from './tail_settings.ts';

/** Begins, resumes and ends generations: their sources and checkpoints. */
export class GenerationStore {
  private readonly context: InputContext;
  private readonly settings: TailSettings;
  private readonly metrics: TailMetrics;
  /** Ended, but not all of their records are settled yet. */
  private readonly ending = new Set<FileGeneration>();

  constructor(context: InputContext, settings: TailSettings, metrics: TailMetrics) {
    this.context = context;
    this.settings = settings;
    this.metrics = metrics;
  }

  /** Opens a new generation that is read from `position` on. */
  async begin(path: string, position: number): Promise<FileGeneration> {
    const generation = this.make(randomBytes(8).toString('hex'), path);
    generation.source = await this.context.sources.open({
      name: path,
      checkpointKey: generation.checkpointKey,
      startPosition: position,
      identity: (at) => this.identify(generation, at),
    });
    this.moveTo(generation, position);
    return generation;
  }

  /** Opens the generation of a checkpoint from an earlier run. */
  async resume(
    key: string,
    checkpoint: StoredCheckpoint,
    identity: StoredIdentity,
  ): Promise<FileGeneration> {
    const generation = this.make(key, identity.path);
    const positions = Object.values(checkpoint.positions);
    generation.source = await this.context.sources.open({
      name: identity.path,
      checkpointKey: key,
      generation: checkpoint.generation,
      positions: checkpoint.positions,
      startPosition: positions.length === 0 ? identity.position : Math.min(...positions),
      identity: (at) => this.identify(generation, at),
    });
    this.moveTo(generation, generation.source.resumePosition);
    return generation;
  }

  /** Ends a generation whose content is gone or read; its checkpoint goes once all is settled. */
  end(generation: FileGeneration): void {
    generation.detach();
    this.ending.add(generation);
    this.collect();
  }

  /** Removes the checkpoints of ended generations that are settled. */
  collect(): void {
    for (const generation of this.ending) {
      if (generation.source.settledPosition() < generation.sentPosition) continue;
      this.ending.delete(generation);
      generation.source.close();
      this.context.sources.forget(generation.checkpointKey);
    }
  }

  /** Closes the sources of ended generations; their checkpoints stay. */
  close(): void {
    for (const generation of this.ending) generation.source.close();
    this.ending.clear();
  }

  private make(key: string, path: string): FileGeneration {
    const generation = new FileGeneration(key, path, fileTag(this.settings, path));
    generation.path = path;
    if (this.settings.multiline.length > 0) {
      generation.multiline = new MultilineAssembler(this.settings.multiline, {
        bytesMax: this.settings.multilineBytesMax,
        onCut: () => {
          this.metrics.multilineLimits.value++;
        },
      });
    }
    return generation;
  }

  private moveTo(generation: FileGeneration, position: number): void {
    generation.position = position;
    generation.seenEnd = position;
    generation.searchedTo = position;
    generation.sentPosition = position;
  }

  /** What a checkpoint at `position` says of the file. */
  private async identify(generation: FileGeneration, position: number): Promise<StoredIdentity> {
    const before = bytesBefore(generation, position);
    return {
      path: generation.path,
      file: generation.fileKey,
      birth: generation.fileBirth,
      headLength: generation.headLength,
      headHash: generation.headHash,
      position,
      beforeLength: before.length,
      beforeHash: before.length === 0 ? '' : printOf(before),
      gzip: generation.file?.isGzip ?? false,
    };
  }
}

/** The bytes in front of a position, or none where they cannot be had any more. */
function bytesBefore(generation: FileGeneration, position: number): Buffer {
  const { file } = generation;
  if (position === generation.position) {
    return generation.before.subarray(0, generation.beforeLength);
  }
  if (file === undefined || file.isGzip || !file.isOpen) return Buffer.alloc(0);
  const length = Math.min(beforeBytesMax, position);
  const bytes = Buffer.alloc(length);
  try {
    const read = file.readNow(bytes, length, position - length);
    return read === length ? bytes : Buffer.alloc(0);
  } catch {
    // Without these bytes the position is known again by the head alone.
    return Buffer.alloc(0);
  }
}
