import { layout } from '../batch/layout.ts';
import type { Kernel } from './kernel.ts';

/** Most bytes of a fragment: every offset in it fits a copy of three bytes. */
export const snappyFragmentBytes = 65_536;

const tableBytes = 32_768;
const inputAt = layout.stagingStart + tableBytes;
const outputAt = inputAt + snappyFragmentBytes + layout.guardBytes;

/** Compresses fragments of Snappy's block format in the kernel, one after another. They pass
 *  through the staging area, but for those that are in the kernel's memory already. */
export class SnappyFragments {
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Appends input[start, end), compressed, to `target` at `at`; returns the end. */
  compress(input: Buffer, start: number, end: number, target: Buffer, at: number): number {
    // hot path
    const { code, bytes } = this.kernel;
    let from = input.byteOffset + start;
    if (input.buffer !== bytes.buffer) {
      from = inputAt;
      input.copy(bytes, inputAt, start, end);
    }
    const to = code.compressFragment(from, from + end - start, layout.stagingStart, outputAt);
    return at + bytes.copy(target, at, outputAt, to);
  }
}
