import { layout } from '../batch/layout.ts';
import type { Kernel } from '../kernel/kernel.ts';

/** Areas of the kernel's memory for the bodies of chunks, so that encoders write records where
 *  they stay until they are sent. Shared by all outputs; who finds none left uses other memory.
 *
 *  The one that was given back last is lent first: its bytes are still in the caches, and areas
 *  that are never needed cost nothing. */
export class ChunkMemory {
  private readonly idle: Buffer[] = [];
  private readonly areas = new Set<Buffer>();

  constructor(kernel: Kernel | undefined) {
    if (kernel === undefined) return;
    for (let i = layout.chunkAreas - 1; i >= 0; i--) {
      const start = layout.chunksStart + i * layout.chunkAreaBytes;
      const area = kernel.bytes.subarray(start, start + layout.chunkAreaBytes);
      this.idle.push(area);
      this.areas.add(area);
    }
  }

  /** An area of at least `bytes`, or undefined. */
  take(bytes: number): Buffer | undefined {
    return bytes <= layout.chunkAreaBytes ? this.idle.pop() : undefined;
  }

  /** Takes back what `take` gave; any other memory is left to the garbage collector. */
  give(memory: Buffer | undefined): void {
    if (memory !== undefined && this.areas.has(memory) && !this.idle.includes(memory)) {
      this.idle.push(memory);
    }
  }
}
