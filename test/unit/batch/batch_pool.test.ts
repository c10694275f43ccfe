import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchPool } from '../../../core/batch/batch_pool.ts';
import { fieldOf } from '../../../core/batch/field.ts';
import { layout, memoryBytes } from '../../../core/batch/layout.ts';
import { kernelForTest, testSource } from '../kernel/batches.ts';

const never = new AbortController().signal;

for (const kernel of [undefined, kernelForTest()]) {
  const where = kernel === undefined ? 'on the heap' : 'in kernel memory';

  test(`a pool ${where} lends each batch once and ends`, () => {
    const pool = new BatchPool(kernel);
    const lent = Array.from({ length: layout.slots }, () => pool.acquire()!);
    assert.equal(new Set(lent).size, layout.slots);
    assert.ok(lent.every((batch) => batch.inKernelMemory === (kernel !== undefined)));
    assert.equal(pool.acquire(), undefined);
    pool.release(lent[3]!);
    assert.equal(pool.acquire(), lent[3]);
  });

  test(`batches ${where} do not share bytes`, () => {
    const pool = new BatchPool(kernel, 2);
    const batches = [pool.acquire()!, pool.acquire()!];
    for (const [i, batch] of batches.entries()) {
      batch.reset(testSource, 'test');
      batch.bytes.fill(i + 1, batch.dataStart, batch.dataEnd + layout.guardBytes);
      while (batch.reserveScratch(64 * 1024) >= 0);
      for (let c = 0; c < layout.columnsMax; c++) {
        const column = batch.column(fieldOf([`c${c}`]))!;
        column.start.fill(i + 1);
        column.end.fill(i + 1);
        column.kind.fill(i + 1);
      }
      for (const array of [batch.seconds, batch.nanos, batch.offset, batch.offsetEnd, batch.part])
        array.fill(i + 1);
      for (const array of [
        batch.rootStart,
        batch.rootEnd,
        batch.rootKind,
        batch.tag,
        batch.dropped,
        batch.select,
      ])
        array.fill(i + 1);
    }
    for (const [i, batch] of batches.entries()) {
      assert.equal(batch.bytes[batch.dataStart], i + 1);
      assert.equal(batch.bytes[batch.dataEnd - 1], i + 1);
      for (const array of [
        batch.seconds,
        batch.offset,
        batch.offsetEnd,
        batch.part,
        batch.nanos,
        batch.rootStart,
        batch.rootEnd,
        batch.rootKind,
        batch.tag,
        batch.dropped,
        batch.select,
      ]) {
        assert.ok(array.every((value: number) => value === i + 1));
        assert.equal(array.length, layout.eventsMax);
      }
      for (const column of batch.columns) {
        assert.ok(column.start.every((value) => value === i + 1));
        assert.ok(column.end.every((value) => value === i + 1));
        assert.ok(column.kind.every((value) => value === i + 1));
      }
      const last = batch.columns.at(-1)!;
      if (kernel !== undefined) {
        assert.ok(last.kind.byteOffset + last.kind.byteLength <= memoryBytes());
      }
    }
  });
}

test('who waited longest gets the next batch, and nobody overtakes', async () => {
  const pool = new BatchPool(undefined, 1);
  const batch = pool.acquire()!;
  const order: number[] = [];
  const first = pool.acquireWhenFree(never).then((free) => {
    order.push(1);
    return free;
  });
  const second = pool.acquireWhenFree(never).then(() => order.push(2));
  pool.release(batch);
  assert.equal(pool.acquire(), undefined);
  assert.equal(await first, batch);
  pool.release(batch);
  await second;
  assert.deepEqual(order, [1, 2]);
});

test('a wait that is aborted rejects and takes no batch', async () => {
  const pool = new BatchPool(undefined, 1);
  const batch = pool.acquire()!;
  const abort = new AbortController();
  const waiting = pool.acquireWhenFree(abort.signal);
  abort.abort(new Error('stopping'));
  await assert.rejects(waiting, /stopping/);
  await assert.rejects(pool.acquireWhenFree(abort.signal), /stopping/);
  pool.release(batch);
  assert.equal(pool.idleCount, 1);
  assert.equal(await pool.acquireWhenFree(never), batch);
});

test('a batch that is not of the pool is not kept, and one released twice is a bug', () => {
  const pool = new BatchPool(undefined, 1);
  const batch = pool.acquire()!;
  pool.release(new BatchPool(undefined, 1).acquire()!);
  assert.equal(pool.idleCount, 0);
  pool.release(batch);
  assert.throws(() => pool.release(batch), { code: 'SLUICE_BUG' });
});
