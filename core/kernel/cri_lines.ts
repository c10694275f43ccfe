import type { Batch, Column } from '../batch/batch.ts';
import { isInKernel, type Kernel } from './kernel.ts';
import type { ArenaBlock } from './program_arena.ts';

const runWords = 28;
/** Place of `base` in the run, in words. */
const baseWord = 26;

/** Columns of a container's records. */
export interface CriColumns {
  readonly time: Column;
  readonly stream: Column;
  readonly mark: Column;
  readonly log: Column;
}

/** Lines of one block, in the kernel's memory. */
export interface CriBlock {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly count: number;
  /** Position behind the last line's end. */
  readonly behind: number;
  /** What added to a position in `bytes` gives the position in the source. */
  readonly base: number;
}

/** Makes records of a container's lines (Kubernetes CRI log format) in the kernel, as long as each line
 *  is a whole record with a time in its usual form. */
export class CriLines {
  private readonly kernel: Kernel;
  private readonly block: ArenaBlock;
  private readonly words: Int32Array;
  private readonly base: Float64Array;

  /** Undefined when the kernel's memory has no room. */
  static create(kernel: Kernel): CriLines | undefined {
    const block = kernel.arena.take(runWords * 4);
    return block && new CriLines(kernel, block);
  }

  private constructor(kernel: Kernel, block: ArenaBlock) {
    this.kernel = kernel;
    this.block = block;
    this.words = new Int32Array(kernel.memory.buffer, block.start, runWords);
    this.base = new Float64Array(kernel.memory.buffer, block.start + baseWord * 4, 1);
  }

  /** Points at a batch and the lines that go to it; false when the kernel cannot reach them. */
  begin(batch: Batch, columns: CriColumns, lines: CriBlock): boolean {
    const { starts, ends } = lines;
    if (!batch.inKernelMemory || !isInKernel(this.kernel, batch.bytes)) return false;
    if (starts.buffer !== batch.bytes.buffer || ends.buffer !== batch.bytes.buffer) return false;
    const { words } = this;
    words[0] = starts.byteOffset;
    words[1] = ends.byteOffset;
    words[2] = lines.count;
    words[3] = lines.behind;
    words[6] = batch.offset.byteOffset;
    words[7] = batch.offsetEnd.byteOffset;
    words[8] = batch.seconds.byteOffset;
    words[9] = batch.nanos.byteOffset;
    words[10] = batch.part.byteOffset;
    words[11] = batch.tag.byteOffset;
    words[12] = batch.rootKind.byteOffset;
    words[13] = batch.dropped.byteOffset;
    const { time, stream, mark, log } = columns;
    [time, stream, mark, log].forEach(({ start, end, kind }, i) => {
      words[14 + i * 3] = start.byteOffset;
      words[15 + i * 3] = end.byteOffset;
      words[16 + i * 3] = kind.byteOffset;
    });
    this.base[0] = lines.base;
    return true;
  }

  /** Adds an event for each line from `from` on, up to `eventsMax` events in all. Returns the first
   *  line that is not that simple. Kinds of other columns are the caller's. */
  take(batch: Batch, from: number, eventsMax: number): number {
    const { words } = this;
    words[4] = batch.count;
    words[5] = eventsMax;
    const next = this.kernel.code.takeCriLines(this.block.start, from);
    batch.count += next - from;
    return next;
  }

  close(): void {
    this.kernel.arena.release(this.block);
  }
}
