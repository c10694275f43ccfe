import type { Batch } from '../../../core/batch/batch.ts';
import { BatchPool } from '../../../core/batch/batch_pool.ts';
import type { Source } from '../../../core/batch/source.ts';
import { JsonValidator } from '../../../core/kernel/json_scan.ts';
import { type Kernel, loadKernel } from '../../../core/kernel/kernel.ts';

/** A source whose ledger nobody asks. */
export const testSource: Source = {
  name: 'test',
  inputId: 'test',
  generation: '00112233445566778899aabbccddeeff',
  ledger: {
    startMark: () => 0,
    pend: () => {},
    settle: () => {},
    advance: () => {},
    hold: () => {},
    release: () => {},
    processedPosition: 0,
  },
};

/** The kernel, which the tests of this folder cannot do without. */
export function kernelForTest(): Kernel {
  const kernel = loadKernel({});
  if (kernel === undefined) throw new Error('kernel.wasm is missing: run the build first.');
  return kernel;
}

/** An empty batch in the kernel's memory, or on the heap without one. */
export function emptyBatch(kernel: Kernel | undefined): Batch {
  const batch = new BatchPool(kernel, 1).acquire()!;
  batch.reset(testSource, 'test');
  return batch;
}

/** Puts texts one behind the other into a batch, an event each; returns their spans. The byte
 *  behind each is one that a scan must not take for part of it. */
export function putTexts(
  batch: Batch,
  texts: readonly (string | Buffer)[],
  behind = '"',
): { starts: number[]; ends: number[] } {
  const starts: number[] = [];
  const ends: number[] = [];
  let at = batch.dataStart;
  for (const text of texts) {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    if (batch.count === batch.capacity || at + bytes.length + 1 > batch.dataEnd) break;
    bytes.copy(batch.bytes, at);
    batch.bytes.write(behind, at + bytes.length, 'latin1');
    const index = batch.addEvent(at - batch.dataStart, at - batch.dataStart + bytes.length, 0, 0);
    batch.select[index] = 1;
    starts.push(at);
    ends.push(at + bytes.length);
    at += bytes.length + behind.length;
  }
  return { starts, ends };
}

/** Lets the kernel list the members of the roots that `wanted` chooses. All are valid. */
export function listMembers(
  kernel: Kernel,
  batch: Batch,
  wanted: (index: number) => boolean,
): void {
  const kept = batch.select.slice(0, batch.count);
  for (let i = 0; i < batch.count; i++)
    batch.select[i] = batch.rootKind[i] === 1 && wanted(i) ? 1 : 0;
  const validator = new JsonValidator(kernel);
  validator.validate(batch, batch.rootStart, batch.rootEnd);
  for (let i = 0; i < batch.count; i++) {
    if (batch.select[i] === 1) batch.memberLists[i] = validator.lists[i]!;
  }
  validator.close();
  batch.select.set(kept);
}
