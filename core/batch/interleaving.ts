import { type Batch, type Column, dropReason, heapBatch } from './batch.ts';
import { ByteWriter } from './byte_writer.ts';
import { JsonEventEncoder } from './json_encode.ts';
import { valueKind } from './value_kind.ts';

/** Puts derived events into the batch that they come from, each behind its parent, or before all
 *  others when that is -1 (records that were held since an earlier batch). What no longer
 *  fits comes in further pieces: `next` fills the batch with one after the other, and what was
 *  done to the piece before is forgotten.
 *
 *  The batch's own events keep their columns, so that derived neighbours change nothing about
 *  them. Derived events come as roots. Bounded by the batch: a piece has at most `capacity`
 *  events, and what does not fit into the scratch space is copied piece by piece. */
export class Interleaving {
  private readonly batch: Batch;
  private readonly derived: readonly Batch[];
  private readonly saved: SavedEvents;
  /** The events to come: of the batch itself (`of` 0) or of `derived[of - 1]`. */
  private readonly of: Int32Array;
  private readonly at: Int32Array;
  private readonly total: number;
  private taken = 0;
  private readonly encoder = new JsonEventEncoder();
  private readonly out = new ByteWriter(4096);

  constructor(batch: Batch, derived: readonly Batch[]) {
    this.batch = batch;
    this.derived = derived;
    this.saved = new SavedEvents(batch);
    let most = batch.count;
    for (const { count } of derived) most += count;
    this.of = new Int32Array(most);
    this.at = new Int32Array(most);
    this.total = this.arrange();
  }

  /** Fills the batch with the next piece; false when there is none. */
  next(): boolean {
    if (this.taken === this.total) return false;
    const { batch, saved } = this;
    const count = Math.min(batch.capacity, this.total - this.taken);
    saved.rewind();
    batch.count = 0;
    for (; batch.count < count; this.taken++) {
      const from = this.of[this.taken]!;
      if (from === 0) saved.restore(this.at[this.taken]!, batch.count++);
      else this.add(this.derived[from - 1]!, this.at[this.taken]!);
    }
    return true;
  }

  /** Lays down the order of all live events and returns their number. */
  private arrange(): number {
    const { batch, derived } = this;
    // Places of what comes before all, then of each event with what is made of it.
    const starts = new Uint32Array(batch.count + 2);
    for (let index = 0; index < batch.count; index++) {
      if (batch.dropped[index] === 0) starts[index + 2]!++;
    }
    for (const one of derived) {
      for (let i = 0; i < one.count; i++) if (one.dropped[i] === 0) starts[one.parents[i]! + 2]!++;
    }
    for (let index = 0; index <= batch.count; index++) starts[index + 1]! += starts[index]!;
    const total = starts[batch.count + 1]!;
    const place = (parent: number, of: number, at: number): void => {
      const position = starts[parent + 1]!++;
      this.of[position] = of;
      this.at[position] = at;
    };
    for (let index = 0; index < batch.count; index++) {
      if (batch.dropped[index] === 0) place(index, 0, index);
    }
    derived.forEach((one, number) => {
      for (let i = 0; i < one.count; i++) {
        if (one.dropped[i] === 0) place(one.parents[i]!, number + 1, i);
      }
    });
    return total;
  }

  private add(from: Batch, index: number): void {
    const { batch, out } = this;
    // In the terms of a batch that is itself derived, an event's parent is its parent's parent.
    const parent = this.saved.parentOf(from.parents[index]!);
    out.clear();
    this.encoder.write(from, index, out);
    const made = batch.addDerived(from, index, from.part[index]!);
    batch.replaceRoot(made, copied(batch, out));
    batch.parents[made] = parent;
    batch.retags[made] = from.retags[index]!;
  }
}

/** A batch of the events of `from` with that drop reason, as roots, with their parents; undefined
 *  when there are none. */
export function copyLive(from: Batch, reason: number): Batch | undefined {
  const chosen = new Uint8Array(from.count);
  for (let index = 0; index < from.count; index++) {
    if (from.dropped[index] === reason) chosen[index] = 1;
  }
  return copyChosen(from, chosen, 1);
}

/** The same of the events with `chosen[i] === 1`; there is room for at least `eventsMin`. */
export function copyChosen(from: Batch, chosen: Uint8Array, eventsMin: number): Batch | undefined {
  const out = new ByteWriter(4096);
  const encoder = new JsonEventEncoder();
  const ends: number[] = [];
  for (let index = 0; index < from.count; index++) {
    if (chosen[index] !== 1) continue;
    encoder.write(from, index, out);
    ends.push(out.length);
  }
  if (ends.length === 0) return undefined;
  const copy = heapBatch(out.length, Math.max(eventsMin, ends.length));
  copy.reset(from.source, from.tagNames[0]!);
  out.buffer.copy(copy.bytes, copy.dataStart, 0, out.length);
  let start = copy.dataStart;
  for (let index = 0; index < from.count; index++) {
    if (chosen[index] !== 1) continue;
    const made = copy.addDerived(from, index, from.part[index]!);
    const end = copy.dataStart + ends[made]!;
    copy.setRoot(made, start, end);
    copy.parents[made] = from.parents[index]!;
    copy.retags[made] = from.retags[index]!;
    start = end;
  }
  return copy;
}

/** The parts of a batch of several sources, one after the other. */
export function* apart(batch: Batch): Iterable<Batch> {
  for (const { source, from, end, positionEnd } of batch.stretches) {
    const chosen = new Uint8Array(batch.count).fill(1, from, end);
    batch.source = source;
    const part = copyChosen(batch, chosen, partEventsMin) ?? heapBatch(1024, partEventsMin);
    if (part.count === 0) part.reset(source, batch.tagNames[0]!);
    part.positionEnd = positionEnd;
    part.waitedMs = batch.waitedMs;
    yield part;
  }
}

/** Room for what filters make of a part's events. */
const partEventsMin = 64;

/** `replaceRoot` keeps what has no room in the scratch space: then it must have its own memory. */
function copied(batch: Batch, out: ByteWriter): Buffer {
  return batch.hasScratch(out.length) ? out.view() : Buffer.from(out.view());
}

/** The events of a batch as they were, for the time in which pieces take their place. */
class SavedEvents {
  private readonly batch: Batch;
  private readonly mark: ReturnType<Batch['mark']>;
  private readonly rows: readonly (readonly [from: Numbers, to: Numbers])[];
  private readonly columns: readonly SavedColumn[];
  private readonly parents: Int32Array;

  constructor(batch: Batch) {
    this.batch = batch;
    const { count } = batch;
    const tables: Numbers[] = [
      batch.rootStart,
      batch.rootEnd,
      batch.rootKind,
      batch.memberLists,
      batch.seconds,
      batch.nanos,
      batch.offset,
      batch.offsetEnd,
      batch.part,
      batch.tag,
      batch.retags,
      batch.parents,
    ];
    this.rows = tables.map((table) => [table.slice(0, count), table]);
    this.columns = batch.columns.map((column) => ({
      column,
      field: column.field,
      start: column.start.slice(0, count),
      end: column.end.slice(0, count),
      kind: column.kind.slice(0, count),
    }));
    this.parents = batch.parents.slice(0, count);
    this.mark = batch.mark();
  }

  /** Brings columns and scratch space back to where they were. */
  rewind(): void {
    this.batch.rewind(this.mark);
    for (const { column } of this.columns) column.kind.fill(valueKind.absent);
  }

  /** Puts saved event `from` at index `to`. */
  restore(from: number, to: number): void {
    for (const [saved, table] of this.rows) table[to] = saved[from]!;
    for (const { column, start, end, kind } of this.columns) {
      column.start[to] = start[from]!;
      column.end[to] = end[from]!;
      column.kind[to] = kind[from]!;
    }
    this.batch.dropped[to] = dropReason.none;
  }

  parentOf(index: number): number {
    return index < 0 ? index : this.parents[index]!;
  }
}

interface SavedColumn extends Column {
  readonly column: Column;
}

type Numbers = Float64Array | Int32Array | Uint16Array | Uint8Array;
