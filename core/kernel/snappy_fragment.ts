import { layout } from '../batch/layout.ts';
import type { Kernel } from './kernel.ts';

/** Most bytes of a fragment: every offset in it fits a copy of three bytes. */
export const snappyFragmentBytes = 65_536;

const tableBytes = 32_768;
const inputAt = layout.stagingStart + tableBytes;
const outputAt = inputAt + snappyFragmentBytes + layout.guardBytes;

/** Compresses fragments of Snappy's block format in the kernel, one after another. They pass
 *  through the staging area: put bytes into `input`, call `compress` and take what it gives before
 *  anything else runs. */
export class SnappyFragments {
  readonly input: Buffer;
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.input = kernel.bytes.subarray(inputAt, inputAt + snappyFragmentBytes);
  }

  /** Appends the first `length` bytes of `input`, compressed, to `target` at `at`; returns the end. */
  compress(length: number, target: Buffer, at: number): number {
    const { code, bytes } = this.kernel;
    const end = code.compressFragment(inputAt, inputAt + length, layout.stagingStart, outputAt);
    return at + bytes.copy(target, at, outputAt, end);
  }
}
