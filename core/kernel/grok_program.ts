import type { Batch, Column } from '../batch/batch.ts';
import type { Kernel } from './kernel.ts';
import { assembleProgram, type KernelProgram } from './pattern_ops.ts';
import type { ArenaBlock } from './program_arena.ts';

/** Most bytes that one program takes of the kernel's memory. */
const programBytesMax = 512 * 1024;

const runWords = 16;
const targetWords = 4;
const captureWords = 2;
const conversions = { text: 0, int: 1, float: 2 } as const;

/** The texts that a program runs over: spans in the batch's bytes, per event. All arrays live in
 *  the kernel's memory: a column's, or a scanner's. */
export interface TextSpans {
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Kinds of the spans when not all selected events have a text there. */
  readonly kind?: Uint8Array;
}

export interface GrokRunOptions {
  /** Stores captures that are empty, too; an event in which a group took no part is then left to
   *  JavaScript. */
  readonly keepEmpty: boolean;
  /** Names of fields whose value a capture may replace. Of others that an event has as a column
   *  already, the event is left to JavaScript. */
  readonly overwrite: readonly string[];
}

/** A lowered pattern in the kernel's memory.
 *
 *  It answers an event only when it is certain of the answer: the match begins at the first byte
 *  of the text, and its captures are those that the regular expression gives. */
export class GrokProgram {
  private readonly kernel: Kernel;
  private readonly block: ArenaBlock;
  private readonly words: Int32Array;
  private readonly overwrite: readonly boolean[];
  readonly targets: readonly string[];

  /** Undefined when the kernel's memory has no room for it. */
  static load(
    kernel: Kernel,
    program: KernelProgram,
    options: GrokRunOptions,
  ): GrokProgram | undefined {
    // Where the program will stand decides its addresses, its size does not.
    const draft = assembleProgram(program, 0, programBytesMax);
    if (draft === undefined) return undefined;
    const head = headBytes(program);
    const block = kernel.arena.take(head + draft.bytes.length);
    return block && new GrokProgram(kernel, program, options, block);
  }

  private constructor(
    kernel: Kernel,
    program: KernelProgram,
    options: GrokRunOptions,
    block: ArenaBlock,
  ) {
    this.kernel = kernel;
    this.block = block;
    this.targets = program.targets;
    this.overwrite = program.targets.map((name) => options.overwrite.includes(name));
    const head = headBytes(program);
    const image = assembleProgram(program, block.start + head, programBytesMax)!;
    image.bytes.copy(kernel.bytes, block.start + head);
    const words = new Int32Array(kernel.memory.buffer, block.start, head >> 2);
    const capturesAt = runWords + program.targets.length * targetWords;
    words[0] = block.start + head;
    words[8] = block.start + runWords * 4;
    words[9] = program.targets.length;
    words[10] = block.start + capturesAt * 4;
    words[11] = program.captures.length;
    words[12] = options.keepEmpty ? 1 : 0;
    const { captures } = program;
    const isDirect = captures.every(({ target, conversion }, i) => {
      return target === i && conversion === 'text';
    });
    words[13] = isDirect && captures.length === program.targets.length ? 1 : 0;
    words[14] = image.straightAt;
    words[15] = program.straight?.length ?? 0;
    captures.forEach((capture, i) => {
      words[capturesAt + i * captureWords] = capture.target;
      words[capturesAt + i * captureWords + 1] = conversions[capture.conversion];
    });
    this.words = words;
  }

  /** Runs over the texts of the selected events. `columns[i]` takes field `targets[i]`; `result`
   *  gets 1 for an event whose captures are stored and 0 for one that JavaScript must do. With
   *  `rootless`, only events without a root are answered; without it, the caller has made sure
   *  that no root has a target's name. Batch, `select` and `result` are in the kernel's memory.
   *  Returns the number of events that are done. */
  run(
    batch: Batch,
    text: TextSpans,
    columns: readonly Column[],
    select: Uint8Array,
    result: Uint8Array,
    rootless = true,
  ): number {
    const words = this.words;
    words[1] = batch.count;
    words[2] = select.byteOffset;
    words[3] = text.start.byteOffset;
    words[4] = text.end.byteOffset;
    words[5] = text.kind?.byteOffset ?? 0;
    words[6] = rootless ? batch.rootKind.byteOffset : 0;
    words[7] = result.byteOffset;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      const at = runWords + i * targetWords;
      words[at] = column.start.byteOffset;
      words[at + 1] = column.end.byteOffset;
      words[at + 2] = column.kind.byteOffset;
      words[at + 3] = this.overwrite[i] ? 1 : 0;
    }
    return this.kernel.code.matchTexts(this.block.start);
  }

  /** Frees the program's kernel memory. */
  close(): void {
    this.kernel.arena.release(this.block);
  }
}

function headBytes(program: KernelProgram): number {
  const words =
    runWords + program.targets.length * targetWords + program.captures.length * captureWords;
  return (words * 4 + 15) & ~15;
}
