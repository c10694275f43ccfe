import { assert } from '../errors/sluice_error.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Batch, type BatchShape, heapBatch } from './batch.ts';
import { layout, slotBytes } from './layout.ts';

/** The batches of a pipeline: a fixed number, so that memory is bounded and a full pipeline
 *  makes its inputs wait. In the kernel's memory when there is one, else on the heap.
 *
 *  The one that was released last is taken first: its bytes are still in the caches. Waiters
 *  are served in the order in which they came. */
export class BatchPool {
  private readonly idle: Batch[] = [];
  private readonly waiters: Waiter[] = [];
  private readonly members = new Set<Batch>();

  constructor(kernel: Kernel | undefined, slots: number = layout.slots) {
    for (let slot = Math.min(slots, layout.slots) - 1; slot >= 0; slot--) {
      const batch =
        kernel === undefined
          ? heapBatch(layout.dataBytes, layout.eventsMax)
          : slotBatch(kernel, slot);
      this.idle.push(batch);
      this.members.add(batch);
    }
  }

  /** A free batch, or undefined when all are in use or others wait already. */
  acquire(): Batch | undefined {
    return this.waiters.length > 0 ? undefined : this.idle.pop();
  }

  /** A batch as soon as one is free. Rejects with the signal's reason when it aborts first. */
  acquireWhenFree(signal: AbortSignal): Promise<Batch> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const batch = this.acquire();
    if (batch !== undefined) return Promise.resolve(batch);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve: (free) => {
          signal.removeEventListener('abort', abort);
          resolve(free);
        },
      };
      const abort = (): void => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.waiters.push(waiter);
    });
  }

  /** Gives a batch back. One that is not of this pool (a large event's own) is left to the
   *  garbage collector. */
  release(batch: Batch): void {
    if (!this.members.has(batch)) return;
    assert(!this.idle.includes(batch), 'A batch was released twice.');
    const waiter = this.waiters.shift();
    if (waiter === undefined) this.idle.push(batch);
    else waiter.resolve(batch);
  }

  /** Batches that nobody uses. */
  get idleCount(): number {
    return this.idle.length;
  }
}

interface Waiter {
  readonly resolve: (batch: Batch) => void;
}

/** The batch of one slot of a kernel's memory; one per slot at a time. */
export function slotBatch(kernel: Kernel, slot: number): Batch {
  return new Batch(kernel.bytes, layout.slotsStart + slot * slotBytes(), slotShape);
}

const slotShape: BatchShape = {
  events: layout.eventsMax,
  dataBytes: layout.dataBytes,
  scratchBytes: layout.scratchBytes,
  inKernelMemory: true,
};
