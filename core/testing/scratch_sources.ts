import { type Batch, heapBatch } from '../batch/batch.ts';
import { layout } from '../batch/layout.ts';
import type { Source } from '../batch/source.ts';
import { Ledger } from '../checkpoint/ledger.ts';
import type { BatchEmitter, OpenSource, SourceOptions, SourceRegistry } from '../sdk/contracts.ts';

const generation = '00112233445566778899aabbccddeeff';

/** A source that no checkpoint knows and no output waits for. */
export function scratchSource(options: SourceOptions = { name: 'scratch' }): OpenSource {
  const resumePosition = options.startPosition ?? 0;
  const ledger = new Ledger({
    outputs: () => [],
    resumePosition,
    onProgress: (settled) => options.onSettled?.(settled),
  });
  return {
    name: options.name,
    inputId: 'test',
    generation: options.generation ?? generation,
    ledger,
    resumePosition,
    settledPosition: () => ledger.settled(),
    close: () => undefined,
  };
}

/** A registry without checkpoints. */
export function scratchSources(): SourceRegistry {
  return {
    open: async (options) => scratchSource(options),
    checkpoints: () => new Map(),
    forget: () => undefined,
  };
}

/** Takes batches and forgets them; `records` counts. */
export class ScratchEmitter implements BatchEmitter {
  records = 0;

  async batch(source: Source, tag: string, dataBytes = 0): Promise<Batch> {
    const batch = heapBatch(Math.max(dataBytes, layout.dataBytes), layout.eventsMax);
    batch.reset(source, tag);
    return batch;
  }

  async emit(batch: Batch): Promise<void> {
    this.records += batch.count;
    batch.source.ledger.advance(batch.positionEnd);
  }

  discard(): void {}
}
