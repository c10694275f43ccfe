import { type Batch, heapBatch } from '../batch/batch.ts';
import { slotBatch } from '../batch/batch_pool.ts';
import { type Field, fieldOf } from '../batch/field.ts';
import { layout, slotBytes } from '../batch/layout.ts';
import type { Source } from '../batch/source.ts';
import { valueKind } from '../batch/value_kind.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { copyShared } from './shared_copy.ts';

/** What is known of a batch beside its bytes and arrays. */
export interface BatchFacts {
  readonly count: number;
  /** Slot of the kernel's memory that the batch stands in; -1: on the heap. It is unpacked into
   *  the same slot of another kernel, so that all positions stay true. */
  readonly slot: number;
  readonly capacity: number;
  readonly dataBytes: number;
  readonly tagNames: readonly string[];
  readonly waitedMs: number;
  readonly fields: readonly FieldFacts[];
  readonly external: readonly Uint8Array[];
  readonly hasRoots: boolean;
  /** Used parts of the data and scratch spaces. */
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly scratchEnd: number;
}

export interface FieldFacts {
  readonly keys: readonly string[];
  readonly literal: string | undefined;
}

/** Describes an input's batch for its way to another thread. */
export function factsOf(batch: Batch): BatchFacts {
  const hasRoots = hasRootsIn(batch);
  const { start, end } = usedData(batch, hasRoots);
  return {
    count: batch.count,
    slot: batch.inKernelMemory ? (batch.dataStart - layout.slotsStart) / slotBytes() : -1,
    capacity: batch.capacity,
    dataBytes: batch.dataEnd - batch.dataStart,
    tagNames: batch.tagNames,
    waitedMs: batch.waitedMs,
    fields: batch.columns.map(({ field: { keys, literal } }) => ({ keys, literal })),
    // Copies: some are views of memory that no message can carry.
    external: batch.external.map((bytes) => Uint8Array.from(bytes)),
    hasRoots,
    dataStart: start,
    dataEnd: end,
    scratchEnd: batch.scratchUsed,
  };
}

/** Bytes that the batch takes packed. */
export function cargoBytes(batch: Batch, facts: BatchFacts): number {
  const perEvent = 3 * 8 + 5 * 4 + 2 + 2 + facts.fields.length * 9;
  const spans = facts.dataEnd - facts.dataStart + (facts.scratchEnd - batch.scratchStart);
  return facts.count * perEvent + spans;
}

/** Copies what a batch holds into memory that both threads see. */
export function packBatch(batch: Batch, facts: BatchFacts, memory: Buffer): void {
  passBatch(batch, facts, new Porter(memory, true));
}

/** Makes batches out of packed ones. One at a time: the slot of the batch before is used again. */
export class BatchUnpacker {
  private readonly kernel: Kernel | undefined;
  private readonly slots: Batch[] = [];
  private readonly fields = new Map<string, Field>();

  constructor(kernel: Kernel | undefined) {
    this.kernel = kernel;
  }

  unpack(facts: BatchFacts, source: Source, memory: Buffer): Batch {
    const batch = this.batchFor(facts);
    batch.reset(source, facts.tagNames[0] ?? '');
    batch.tagNames = [...facts.tagNames];
    batch.external = facts.external.map((bytes) => Buffer.from(bytes));
    for (const one of facts.fields) batch.column(this.field(one));
    batch.count = facts.count;
    batch.reserveScratch(facts.scratchEnd - batch.scratchStart);
    batch.waitedMs = facts.waitedMs;
    // Member lists speak of shapes that only the kernel knows which made them.
    batch.memberLists.fill(0, 0, facts.count);
    passBatch(batch, facts, new Porter(memory, false));
    if (!facts.hasRoots) batch.rootKind.fill(0, 0, facts.count);
    return batch;
  }

  private batchFor({ slot, dataBytes, capacity }: BatchFacts): Batch {
    if (slot < 0) return heapBatch(dataBytes, capacity);
    // The kernel is there on all threads or on none.
    this.slots[slot] ??= slotBatch(this.kernel!, slot);
    return this.slots[slot];
  }

  private field({ keys, literal }: FieldFacts): Field {
    const name = JSON.stringify([keys, literal]);
    let field = this.fields.get(name);
    if (field === undefined) {
      if (this.fields.size === fieldsKept) this.fields.clear();
      field = fieldOf(keys, literal);
      this.fields.set(name, field);
    }
    return field;
  }
}

const fieldsKept = 1024;

/** The order in which both threads pass what a batch holds. */
function passBatch(batch: Batch, facts: BatchFacts, porter: Porter): void {
  const { count, hasRoots } = facts;
  porter.array(batch.seconds, count);
  porter.array(batch.offset, count);
  porter.array(batch.offsetEnd, count);
  porter.array(batch.nanos, count);
  porter.array(batch.part, count);
  porter.array(batch.tag, count);
  porter.array(batch.dropped, count);
  if (hasRoots) {
    porter.array(batch.rootStart, count);
    porter.array(batch.rootEnd, count);
    porter.array(batch.rootKind, count);
  }
  for (let i = 0; i < facts.fields.length; i++) {
    const column = batch.columns[i]!;
    porter.array(column.start, count);
    porter.array(column.end, count);
    porter.array(column.kind, count);
  }
  porter.bytes(batch.bytes, facts.dataStart, facts.dataEnd);
  porter.bytes(batch.bytes, batch.scratchStart, facts.scratchEnd);
}

type Numbers = Float64Array | Int32Array | Uint16Array | Uint8Array;

/** Carries bytes into the memory, or out of it, one behind the other. */
class Porter {
  private readonly memory: Buffer;
  private readonly isOut: boolean;
  private at = 0;

  constructor(memory: Buffer, isOut: boolean) {
    this.memory = memory;
    this.isOut = isOut;
  }

  array(array: Numbers, count: number): void {
    const bytes = count * array.BYTES_PER_ELEMENT;
    this.pass(Buffer.from(array.buffer, array.byteOffset, bytes));
  }

  bytes(bytes: Buffer, start: number, end: number): void {
    if (end > start) this.pass(bytes.subarray(start, end));
  }

  private pass(part: Buffer): void {
    const end = this.at + part.length;
    if (this.isOut) copyShared(part, this.memory, this.at);
    else copyShared(this.memory.subarray(this.at, end), part, 0);
    this.at = end;
  }
}

function hasRootsIn(batch: Batch): boolean {
  for (let index = 0; index < batch.count; index++) if (batch.rootKind[index] !== 0) return true;
  return false;
}

/** The part of the data space that spans point into. */
function usedData(batch: Batch, hasRoots: boolean): { start: number; end: number } {
  // hot path
  const { count, dataStart, dataEnd } = batch;
  let start = dataEnd;
  let end = dataStart;
  const take = (from: Int32Array, to: Int32Array, kinds: Uint8Array, kindMax: number): void => {
    for (let index = 0; index < count; index++) {
      const kind = kinds[index]!;
      if (kind === 0 || kind > kindMax) continue;
      const first = from[index]!;
      const behind = to[index]!;
      if (first < dataStart || first > dataEnd) continue;
      if (first < start) start = first;
      if (behind > end) end = behind;
    }
  };
  if (hasRoots) take(batch.rootStart, batch.rootEnd, batch.rootKind, 1);
  for (const { start: from, end: to, kind } of batch.columns) take(from, to, kind, valueKind.json);
  return start < end ? { start, end } : { start: dataStart, end: dataStart };
}
