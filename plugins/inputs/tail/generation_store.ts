import { randomBytes } from 'node:crypto';
import type { InputContext } from '../../../core/sdk/index.ts';
import { MultilineAssembler } from '../../shared/multiline/index.ts';
import { beforeBytesMax, printOf, type StoredIdentity } from './content_print.ts';
import { FileGeneration } from './file_generation.ts';
import { fileTag } from './file_tag.ts';
import type { TailMetrics } from './tail_metrics.ts';
import type { TailSettings } from './tail_settings.ts';
import type { Unclaimed } from './unclaimed_checkpoints.ts';

/** Attaches a generation to its file and fills in what reading would have left behind. */
export type Prepare = (generation: FileGeneration) => Promise<void>;

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

  /** Opens a new generation that is read from `position` on. `prepare` puts it into its file:
   *  the checkpoint that opening writes says already how to know it again. */
  async begin(path: string, position: number, prepare: Prepare): Promise<FileGeneration> {
    const generation = this.make(randomBytes(8).toString('hex'), path);
    generation.moveTo(position);
    await prepare(generation);
    generation.source = await this.context.sources.open({
      name: path,
      checkpointKey: generation.checkpointKey,
      startPosition: position,
      identity: (at) => this.identify(generation, at),
    });
    return generation;
  }

  /** Opens the generation of a checkpoint from an earlier run. */
  async resume(one: Unclaimed, prepare: Prepare): Promise<FileGeneration> {
    const { key, checkpoint, identity } = one;
    const generation = this.make(key, identity.path);
    const positions = Object.values(checkpoint.positions);
    const position = positions.length === 0 ? identity.position : Math.min(...positions);
    generation.moveTo(position);
    await prepare(generation);
    generation.source = await this.context.sources.open({
      name: identity.path,
      checkpointKey: key,
      generation: checkpoint.generation,
      positions: checkpoint.positions,
      startPosition: position,
      identity: (at) => this.identify(generation, at),
    });
    if (generation.source.resumePosition !== position) {
      // An output that was behind is no longer there.
      generation.moveTo(generation.source.resumePosition);
      await prepare(generation);
    }
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
  const length = Math.min(beforeBytesMax, position);
  const recent = generation.recent.before(position, length);
  if (recent !== undefined) return recent;
  if (file === undefined || file.isGzip || !file.isOpen) return Buffer.alloc(0);
  const bytes = Buffer.alloc(length);
  try {
    const read = file.readNow(bytes, length, position - length);
    return read === length ? bytes : Buffer.alloc(0);
  } catch {
    // Without these bytes the position is known again by the head alone.
    return Buffer.alloc(0);
  }
}
