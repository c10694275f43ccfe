import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskBuffer } from '../../../core/buffer/disk_buffer.ts';
import type { Chunk } from '../../../core/chunk/chunk.ts';
import { ChunkMemory } from '../../../core/chunk/chunk_memory.ts';
import type { QueuedChunk } from '../../../core/deliver/chunk_queue.ts';
import { StoredChunks } from '../../../core/deliver/stored_chunks.ts';
import { systemError } from '../buffer/memory_file_system.ts';
import { kernelForTest } from '../kernel/batches.ts';

test('a chunk that a broken disk did not take until the output ended gives its area back', async () => {
  const memory = new ChunkMemory(kernelForTest());
  const area = memory.take(100);
  assert.ok(area !== undefined);
  const end = new AbortController();
  const unasked = () => assert.fail('nothing was stored');
  const silent = () => undefined;
  // What the store asks of a buffer, of a chunk and of a clock.
  const buffer = { append: () => Promise.reject(systemError('EIO')) } as unknown as DiskBuffer;
  const chunk = { header: silent, body: silent, takeArea: () => area } as unknown as Chunk;
  const clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    after: (_delayMs: number, work: () => void) => {
      queueMicrotask(() => {
        end.abort();
        work();
      });
      return silent;
    },
    every: () => silent,
  };
  const stored = new StoredChunks({
    ...{ buffer, memory, clock, signal: end.signal },
    log: { error: silent, warn: silent, info: silent, debug: silent },
    ready: () => Promise.resolve(),
    onStored: unasked,
    onRefused: unasked,
    onDisplaced: unasked,
    onTooLarge: unasked,
    onLost: unasked,
    onDone: silent,
  });
  stored.store({ chunk } as QueuedChunk);
  await stored.settled();
  assert.equal(memory.take(100), area);
});
