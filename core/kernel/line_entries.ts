import type { Batch } from '../batch/batch.ts';
import { layout } from '../batch/layout.ts';
import type { EncodedRun } from '../chunk/chunk.ts';
import type { EncodePlace } from './encode_options.ts';
import type { Kernel } from './kernel.ts';
import type { ArenaBlock } from './program_arena.ts';

const words = 12;
const arrayBytes = layout.eventsMax * 4;
const outBytes = 256 * 1024;

/** Writes lines that stand in the kernel's memory as entries with the time of their events:
 *  `["nanoseconds","line"],` or a protobuf message (see assembly/line_entries.ts). Fill `starts`,
 *  `ends` and `events`, at most `layout.eventsMax` of each, then call `write`. */
export class LineEntries {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Index in the batch of each line's event. */
  readonly events: Int32Array;
  readonly most = layout.eventsMax;
  private readonly kernel: Kernel;
  private readonly block: ArenaBlock;
  private readonly frame: Int32Array;
  private readonly entryEnds: Int32Array;
  private readonly outStart: number;

  /** Undefined when the kernel's memory has no room. */
  static create(kernel: Kernel, format: 'json' | 'protobuf'): LineEntries | undefined {
    const block = kernel.arena.take(words * 4 + 4 * arrayBytes + outBytes);
    return block && new LineEntries(kernel, block, format);
  }

  private constructor(kernel: Kernel, block: ArenaBlock, format: 'json' | 'protobuf') {
    this.kernel = kernel;
    this.block = block;
    const { buffer } = kernel.memory;
    const arraysAt = block.start + words * 4;
    const array = (i: number): Int32Array =>
      new Int32Array(buffer, arraysAt + i * arrayBytes, layout.eventsMax);
    this.frame = new Int32Array(buffer, block.start, words);
    this.starts = array(0);
    this.ends = array(1);
    this.events = array(2);
    this.entryEnds = array(3);
    const { frame } = this;
    frame[1] = this.starts.byteOffset;
    frame[2] = this.ends.byteOffset;
    frame[3] = this.events.byteOffset;
    frame[6] = this.entryEnds.byteOffset;
    frame[7] = format === 'protobuf' ? 1 : 0;
    this.outStart = arraysAt + 4 * arrayBytes;
  }

  /** True when the kernel reaches the batch and lines in `bytes`. */
  takes(batch: Batch, bytes: Buffer): boolean {
    return batch.inKernelMemory && bytes === this.kernel.bytes && batch.capacity <= this.most;
  }

  /** Writes `count` lines, where `place` says or into its own memory, and hands the entries over in
   *  runs, which are valid during the call. Returns the number of the first line that it cannot
   *  write: one of a time before 1970, or too long for its memory. */
  write(
    batch: Batch,
    count: number,
    take: (run: EncodedRun) => void,
    place?: (batch: Batch) => EncodePlace | undefined,
  ): number {
    // hot path
    const { frame, kernel } = this;
    frame[4] = batch.seconds.byteOffset;
    frame[5] = batch.nanos.byteOffset;
    let from = 0;
    let placeHelps = true;
    while (from < count) {
      const spot = placeHelps ? place?.(batch) : undefined;
      const most = spot === undefined ? count : Math.min(count, from + spot.records);
      frame[0] = most;
      frame[8] = spot?.at ?? this.outStart;
      frame[9] = spot?.end ?? this.block.end;
      const next = kernel.code.writeEntries(this.block.start, from);
      if (next > from) {
        take({
          bytes: kernel.bytes,
          start: frame[8]!,
          batch,
          events: from === 0 ? this.events : this.events.subarray(from, next),
          ends: from === 0 ? this.entryEnds : this.entryEnds.subarray(from, next),
          count: next - from,
        });
      } else if (spot === undefined) break;
      if (next < most && frame[10] === 0) return next;
      // One that is larger than its place may fit into this memory.
      placeHelps = next > from;
      from = next;
    }
    return from;
  }

  close(): void {
    this.kernel.arena.release(this.block);
  }
}
