import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ArenaBlock, ProgramArena } from '../../../core/kernel/program_arena.ts';

test('blocks do not overlap, are zeroed, and come back whole', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -8, max: 300 }), { maxLength: 80 }), (steps) => {
      const bytes = Buffer.alloc(4096, 0xff);
      const arena = new ProgramArena(bytes, 100, 4096);
      const whole = arena.freeBytes();
      const held: ArenaBlock[] = [];
      for (const step of steps) {
        if (step < 0) {
          const block = held.splice(-step % Math.max(held.length, 1), 1)[0];
          if (block !== undefined) arena.release(block);
          continue;
        }
        const block = arena.take(step);
        if (block === undefined) continue;
        assert.equal(block.start % 16, 0);
        assert.ok(block.start >= 100 && block.end <= 4096 && block.end - block.start >= step);
        for (const other of held) {
          assert.ok(block.end <= other.start || block.start >= other.end);
        }
        assert.ok(bytes.subarray(block.start, block.end).every((byte) => byte === 0));
        bytes.fill(0xff, block.start, block.end);
        held.push(block);
      }
      for (const block of held) arena.release(block);
      assert.equal(arena.freeBytes(), whole);
      assert.ok(arena.take(whole - 16) !== undefined);
    }),
  );
});

test('what does not fit is refused', () => {
  const arena = new ProgramArena(Buffer.alloc(1024), 0, 1024);
  assert.equal(arena.take(1009), undefined);
  assert.ok(arena.take(1008) !== undefined);
  assert.equal(arena.take(1), undefined);
});

test('freeing a block twice is a bug', () => {
  const arena = new ProgramArena(Buffer.alloc(1024), 0, 1024);
  const block = arena.take(10)!;
  arena.release(block);
  assert.throws(() => arena.release(block), { code: 'SLUICE_BUG' });
});
