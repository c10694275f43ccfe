import type { Batch, Column } from '../batch/batch.ts';
import { dateTextBytesMax, type DateMemo } from '../time/date_parser.ts';
import { isInKernel, type Kernel } from './kernel.ts';
import type { ArenaBlock } from './program_arena.ts';

const runWords = 14;
/** The memo's text is compared 16 bytes at a time. */
const textRoom = dateTextBytesMax + 32;

/** Gives events the time that the text before theirs says, in the kernel, where it is the same
 *  text but for the fraction: most lines of a log share their second with a neighbour. */
export class RepeatedDates {
  private readonly kernel: Kernel;
  private readonly block: ArenaBlock;
  private readonly words: Int32Array;
  private readonly textSeconds: Float64Array;
  private memo: DateMemo | undefined;
  private version = -1;

  /** Undefined when the kernel's memory has no room. */
  static create(kernel: Kernel): RepeatedDates | undefined {
    const block = kernel.arena.take(runWords * 4 + textRoom);
    return block && new RepeatedDates(kernel, block);
  }

  private constructor(kernel: Kernel, block: ArenaBlock) {
    this.kernel = kernel;
    this.block = block;
    this.words = new Int32Array(kernel.memory.buffer, block.start, runWords);
    this.textSeconds = new Float64Array(kernel.memory.buffer, block.start + 48, 1);
    this.words[7] = block.start + runWords * 4;
  }

  /** Points at a column's texts; false when the kernel cannot reach them. */
  begin(batch: Batch, column: Column): boolean {
    if (!batch.inKernelMemory || !isInKernel(this.kernel, batch.bytes, batch.select)) return false;
    const { words } = this;
    words[0] = batch.count;
    words[1] = batch.select.byteOffset;
    words[2] = column.start.byteOffset;
    words[3] = column.end.byteOffset;
    words[4] = column.kind.byteOffset;
    words[5] = batch.seconds.byteOffset;
    words[6] = batch.nanos.byteOffset;
    return true;
  }

  /** Sets the time of the selected events from index `from` on that repeat `memo`. Returns the
   *  index of the first one that does not, or the batch's count. */
  read(from: number, memo: DateMemo | undefined): number {
    if (memo === undefined || memo.length < 0) return from;
    if (memo !== this.memo || memo.version !== this.version) this.take(memo);
    return this.kernel.code.repeatDates(this.block.start, from);
  }

  close(): void {
    this.kernel.arena.release(this.block);
  }

  private take(memo: DateMemo): void {
    const { words } = this;
    this.memo = memo;
    this.version = memo.version;
    memo.text.copy(this.kernel.bytes, words[7]!, 0, memo.length);
    words[8] = memo.length;
    words[9] = memo.fractionStart;
    words[10] = memo.fractionEnd;
    this.textSeconds[0] = memo.seconds;
  }
}
