import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldOf } from '../../../core/batch/field.ts';
import { Chunk } from '../../../core/chunk/chunk.ts';
import type { Kernel } from '../../../core/kernel/kernel.ts';
import { plugin } from '../../../plugins/outputs/loki/index.ts';
import { emptyBatch, kernelForTest } from '../kernel/batches.ts';
import { outputOf } from './chunk_harness.ts';

type Options = Readonly<Record<string, unknown>>;

interface LogEvent {
  /** The root as JSON; undefined: none. */
  readonly root: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly seconds: number;
  readonly nanos: number;
  readonly isSelected: boolean;
}

const kernel = kernelForTest();

/** Each section's bytes, and the events that are in it, in order. */
function sectionsOf(used: Kernel | undefined, options: Options, events: readonly LogEvent[]) {
  const { output } = outputOf(plugin, options, { kernel: used });
  const batch = emptyBatch(used);
  for (const { root, fields, seconds, nanos, isSelected } of events) {
    const index = batch.addEvent(batch.count, batch.count + 1, seconds, nanos);
    batch.select[index] = isSelected ? 1 : 0;
    if (root !== undefined) batch.replaceRoot(index, Buffer.from(root));
    for (const [name, value] of Object.entries(fields)) {
      batch.setValue(index, fieldOf([name]), value);
    }
  }
  const before = [...batch.select.subarray(0, batch.count)];
  const chunk = new Chunk('test');
  const rejected: number[] = [];
  output.encoder.encode(batch, batch.select, {
    appendRun: (key, run) => chunk.appendRun(key, run),
    reject: (_batch, index) => rejected.push(index),
  });
  assert.deepEqual([...batch.select.subarray(0, batch.count)], before);
  output.encoder.close?.();
  const sections: Record<string, { bytes: string; ends: number[]; offsets: number[] }> = {};
  let at = 0;
  for (const { key, writer, ends, count } of chunk.sections) {
    const offsets = Array.from({ length: count }, () => chunk.originAt(at++).offset);
    const bytes = writer.view().toString('latin1');
    sections[key] = { bytes, ends: [...ends.subarray(0, count)], offsets };
  }
  return { sections, rejected };
}

const textOf = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 90 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\u0000', '\u001f', 'a', 'é'),
    maxLength: 200,
  }),
  fc.nat(4000).map((length) => 'x'.repeat(length)),
);

const eventOf = fc.record({
  root: fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: textOf.map((text) => JSON.stringify({ text })) },
  ),
  fields: fc.oneof(
    { weight: 8, arbitrary: textOf.map((log) => ({ log })) },
    { weight: 1, arbitrary: textOf.map((log) => ({ log, level: log.length % 3 })) },
    { weight: 1, arbitrary: fc.constantFrom({ level: 'a' }, { level: 7 }, { log: null }, {}) },
  ),
  seconds: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1_700_000_000, max: 1_700_000_001 }) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 0, 1, 253_402_300_800) },
  ),
  nanos: fc.constantFrom(0, 0, 1, 127, 128, 999_999_999),
  isSelected: fc.integer({ min: 0, max: 9 }).map((number) => number > 0),
});

const optionsOf = fc.record({
  format: fc.constantFrom('json', 'protobuf'),
  drop_single_key: fc.constantFrom('raw', 'raw', 'on', 'off'),
  labels: fc.constantFrom(['job=x'], ['job=x', '$level']),
  structured_metadata: fc.constantFrom([], [], ['$level']),
  line_format: fc.constantFrom('json', 'json', 'key_value'),
});

test('the kernel writes the entries that JavaScript writes, to the byte', () => {
  const free = kernel.arena.freeBytes();
  fc.assert(
    fc.property(optionsOf, fc.array(eventOf, { maxLength: 30 }), (options, events) => {
      assert.deepEqual(sectionsOf(kernel, options, events), sectionsOf(undefined, options, events));
    }),
    { numRuns: 150 },
  );
  assert.equal(kernel.arena.freeBytes(), free);
});

test('lines that need more room than the kernel has at once come out whole and in order', () => {
  const events = Array.from({ length: 400 }, (_, i) => ({
    root: undefined,
    fields: { log: `${i} ${(i % 40 === 7 ? '\u0001' : 'y').repeat(i * (i % 40 === 7 ? 120 : 3))}` },
    seconds: 1_700_000_000,
    nanos: i,
    isSelected: true,
  }));
  for (const format of ['json', 'protobuf']) {
    const options = { format, drop_single_key: 'raw', labels: ['job=x'] };
    const { sections } = sectionsOf(kernel, options, events);
    assert.deepEqual(sections, sectionsOf(undefined, options, events).sections);
    const [section] = Object.values(sections);
    assert.deepEqual(section!.offsets, Array.from(events.keys()));
  }
});
