import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { JsonRecordEncoder } from '../../../core/batch/record_encoder.ts';
import type { Chunk, OriginRun } from '../../../core/chunk/chunk.ts';
import { ChunkMemory } from '../../../core/chunk/chunk_memory.ts';
import { ChunkFiller } from '../../../core/deliver/chunk_filler.ts';
import type { QueuedChunk } from '../../../core/deliver/chunk_queue.ts';
import type { Kernel } from '../../../core/kernel/kernel.ts';
import type { RecordSink } from '../../../core/sdk/contracts.ts';
import { randomBatch, randomNumbers } from '../../../core/testing/random_events.ts';
import { scratchSource } from '../../../core/testing/scratch_sources.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { OneLineSink } from '../../../plugins/shared/record_sink/one_line_sink.ts';
import { ManualClock } from '../collect/manual_clock.ts';
import { kernelForTest } from '../kernel/batches.ts';

interface Limits {
  readonly batchBytes: number;
  readonly batchRecords: number;
  readonly wholeBatches: boolean;
}

interface Filled {
  readonly records: string[];
  readonly origins: string[];
  readonly chunks: { bytes: number; records: number }[];
}

const suffix = Buffer.from('\n');

/** Each batch brings several sources; their parts are encoded one by one when `isApart`. */
type Sources = { readonly isApart: boolean };

/** Encodes batches into chunks and takes those apart again; every third chunk stays under way, the
 *  others give their memory back at once. */
function fill(
  kernel: Kernel | undefined,
  limits: Limits,
  batches: Iterable<Batch>,
  sources?: Sources,
): Filled {
  const filled: Filled = { records: [], origins: [], chunks: [] };
  const memory = new ChunkMemory(kernel);
  const kept: Chunk[] = [];
  const takeApart = (chunk: Chunk): void => {
    for (let i = 0; i < chunk.count; i++) {
      filled.records.push(chunk.recordAt(i).toString());
      filled.origins.push(JSON.stringify(chunk.originAt(i)));
    }
    filled.chunks.push({ bytes: chunk.bytes, records: chunk.count });
  };
  const sealed = ({ chunk }: QueuedChunk): void => {
    kept.push(chunk!);
    if (kept.length < 3) return;
    const settled = kept.splice(0);
    settled.forEach(takeApart);
    for (const one of settled) filler.reuse(one);
  };
  const filler = new ChunkFiller({
    outputId: 'output.0',
    batchBytes: () => limits.batchBytes,
    batchRecords: limits.batchRecords,
    flushMs: 3_600_000,
    sectionsMax: 8,
    wholeBatches: limits.wholeBatches,
    sparesMax: 2,
    memory,
    clock: systemClock,
    sectionsRefused: { value: 0 },
    onBytes: () => {},
    onSealed: sealed,
  });
  const sink: RecordSink = {
    ...(kernel === undefined
      ? {}
      : { place: (section: string, batch: Batch) => filler.place(section, batch) }),
    appendRun: (section, run) => filler.appendRun(section, run),
    reject: () => assert.fail('No event of these is refused.'),
  };
  const encoder = new JsonRecordEncoder({
    fingerprint: 'test',
    suffix,
    time: { key: '@timestamp', format: { form: 'iso8601', digits: 3 } },
    ...(kernel === undefined ? {} : { kernel }),
    ...(sources === undefined ? {} : { afterId: Buffer.from('|') }),
  });
  for (const batch of batches) {
    const count = batch.select.subarray(0, batch.count).reduce((sum, one) => sum + one, 0);
    if (count === 0) continue;
    const encode = (): void => encoder.encode(batch, batch.select, new OneLineSink(1).over(sink));
    filler.takeBatch(count, () => (sources?.isApart === true ? eachPart(batch, encode) : encode()));
  }
  filler.seal();
  kept.forEach(takeApart);
  encoder.close();
  filler.stop();
  return filled;
}

/** Calls `work` for each part of a batch, as if it were a batch of one source. */
function eachPart(batch: Batch, work: () => void): void {
  const wanted = batch.select.slice(0, batch.count);
  for (const { source, from, end } of batch.stretches.splice(0)) {
    batch.source = source;
    batch.select.fill(0, 0, batch.count);
    batch.select.set(wanted.subarray(from, end), from);
    work();
  }
}

function* stretched(
  kernel: Kernel | undefined,
  shapes: readonly { seed: number; count: number }[],
): Generator<Batch> {
  const sources = Array.from({ length: 5 }, (_, n) => ({
    ...scratchSource({ name: `file-${n}` }),
    generation: String(n).repeat(32),
  }));
  for (const { seed, count } of shapes) {
    const batch = seededBatch(kernel, seed, count);
    const random = randomNumbers(seed);
    batch.count = 0;
    while (batch.count < count) {
      const from = batch.count;
      batch.count = Math.min(count, from + Math.floor(random() * 40));
      const source = sources[Math.floor(random() * sources.length)]!;
      batch.addStretch(source, source.name, from, batch.count);
    }
    yield batch;
  }
}

function seededBatch(kernel: Kernel | undefined, seed: number, count: number): Batch {
  const batch = randomBatch({ seed, count, tags: ['a', 'b'], kernel });
  for (let i = 0; i < batch.count; i++) batch.select[i] = (seed + i) % 7 === 0 ? 0 : 1;
  return batch;
}

test('records that are encoded where they stay are those that are encoded elsewhere and copied', () => {
  const kernel = kernelForTest();
  fc.assert(
    fc.property(
      fc.record({
        batchBytes: fc.integer({ min: 8 * 1024, max: 512 * 1024 }),
        batchRecords: fc.integer({ min: 1, max: 900 }),
        wholeBatches: fc.boolean(),
      }),
      fc.array(fc.record({ seed: fc.nat(1000), count: fc.integer({ min: 1, max: 300 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      (limits, shapes) => {
        const expected = fill(
          undefined,
          limits,
          shapes.map(({ seed, count }) => seededBatch(undefined, seed, count)),
        );
        // One slot of the kernel's memory: each batch is made when it is its turn.
        const turns = function* (): Generator<Batch> {
          for (const { seed, count } of shapes) yield seededBatch(kernel, seed, count);
        };
        const found = fill(kernel, limits, turns() as unknown as Batch[]);
        assert.deepEqual(found.records, expected.records);
        assert.deepEqual(
          found.origins.map(withoutGeneration),
          expected.origins.map(withoutGeneration),
        );
        for (const { records } of found.chunks) {
          assert.ok(limits.wholeBatches || records <= limits.batchRecords);
        }
        for (const { bytes, records } of found.chunks) {
          assert.ok(limits.wholeBatches || records === 1 || bytes <= limits.batchBytes);
        }
      },
    ),
    { numRuns: 60 },
  );
});

function withoutGeneration(origin: string): unknown {
  const { offset, part, tag, seconds, nanos } = JSON.parse(origin) as Record<string, unknown>;
  return { offset, part, tag, seconds, nanos };
}

test('records of several sources in a batch have the ids and origins that they have apart', () => {
  const kernel = kernelForTest();
  fc.assert(
    fc.property(
      fc.record({
        batchBytes: fc.integer({ min: 8 * 1024, max: 512 * 1024 }),
        batchRecords: fc.integer({ min: 1, max: 900 }),
        wholeBatches: fc.constant(false),
      }),
      fc.array(fc.record({ seed: fc.nat(1000), count: fc.integer({ min: 1, max: 300 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
      (limits, shapes) => {
        const apart = fill(undefined, limits, stretched(undefined, shapes), { isApart: true });
        for (const one of [undefined, kernel]) {
          const together = fill(one, limits, stretched(one, shapes), { isApart: false });
          assert.deepEqual(together.records, apart.records);
          assert.deepEqual(together.origins, apart.origins);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('a chunk that only refused events were meant for is not handed over', () => {
  const kernel = kernelForTest();
  const memory = new ChunkMemory(kernel);
  let handedOver = 0;
  const filler = new ChunkFiller({
    outputId: 'output.0',
    batchBytes: () => 1_048_576,
    batchRecords: 100,
    flushMs: 3_600_000,
    sectionsMax: 8,
    wholeBatches: false,
    sparesMax: 2,
    memory,
    clock: systemClock,
    sectionsRefused: { value: 0 },
    onBytes: () => {},
    onSealed: () => handedOver++,
  });
  assert.ok(filler.place('', seededBatch(kernel, 1, 3)));
  filler.seal();
  assert.equal(handedOver, 0);
  assert.equal(filler.open, undefined);
});

test('an area is lent once, taken back once, and no other memory is taken for one', () => {
  const memory = new ChunkMemory(kernelForTest());
  const areas: Buffer[] = [];
  for (let area = memory.take(1000); area !== undefined; area = memory.take(1000)) areas.push(area);
  assert.ok(areas.length > 1);
  assert.equal(new Set(areas.map((area) => area.byteOffset)).size, areas.length);
  memory.give(areas[0]);
  memory.give(areas[0]);
  memory.give(Buffer.alloc(areas[0]!.length));
  assert.equal(memory.take(1000), areas[0]);
  assert.equal(memory.take(1000), undefined);
  assert.equal(new ChunkMemory(undefined).take(1), undefined);
});

test('the first chunk goes at once, those behind it when they are as old as flush', async () => {
  for (const [flushMs, firstMs] of [
    [1000, 20],
    [5, 5],
    [60_000, 60_000],
  ] as const) {
    const clock = new ManualClock();
    let handedOver = 0;
    const filler = new ChunkFiller({
      outputId: 'output.0',
      batchBytes: () => 1_048_576,
      batchRecords: 100,
      flushMs,
      sectionsMax: 8,
      wholeBatches: false,
      sparesMax: 2,
      memory: new ChunkMemory(undefined),
      clock,
      sectionsRefused: { value: 0 },
      onBytes: () => {},
      onSealed: () => handedOver++,
    });
    const encoder = new JsonRecordEncoder({
      fingerprint: 'test',
      suffix,
      time: { key: '@timestamp', format: { form: 'iso8601', digits: 3 } },
    });
    const sink = {
      appendRun: (section: string, run: OriginRun) => filler.appendRun(section, run),
      reject: () => assert.fail('No event of these is refused.'),
    };
    for (const [i, ageMs] of [firstMs, flushMs].entries()) {
      const batch = seededBatch(undefined, 1, 3);
      filler.takeBatch(3, () => encoder.encode(batch, batch.select, new OneLineSink(1).over(sink)));
      await clock.advance(ageMs - 1);
      assert.equal(handedOver, i, `${flushMs} ms, just before`);
      await clock.advance(1);
      assert.equal(handedOver, i + 1, `${flushMs} ms`);
    }
    encoder.close();
    filler.stop();
  }
});
