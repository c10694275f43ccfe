import { type Batch, type Column, valueKind } from '../../../core/sdk/index.ts';

/** Remembers one event of a batch, so that half-done edits can be taken back. Values themselves
 *  never change in place: it is enough to remember where they stand. */
export class EventSnapshot {
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly kinds: number[] = [];
  /** Columns are remembered themselves: new ones may come to stand between them. */
  private readonly columns: Column[] = [];
  private rootStart = 0;
  private rootEnd = 0;
  private rootKind = 0;
  private seconds = 0;
  private nanos = 0;
  private tag = 0;

  save(batch: Batch, index: number): void {
    // hot path
    this.columns.length = batch.columns.length;
    for (let i = 0; i < this.columns.length; i++) {
      const column = batch.columns[i]!;
      this.columns[i] = column;
      this.starts[i] = column.start[index]!;
      this.ends[i] = column.end[index]!;
      this.kinds[i] = column.kind[index]!;
    }
    this.rootStart = batch.rootStart[index]!;
    this.rootEnd = batch.rootEnd[index]!;
    this.rootKind = batch.rootKind[index]!;
    this.seconds = batch.seconds[index]!;
    this.nanos = batch.nanos[index]!;
    this.tag = batch.tag[index]!;
  }

  restore(batch: Batch, index: number): void {
    for (let i = 0; i < batch.columns.length; i++) {
      batch.columns[i]!.kind[index] = valueKind.absent;
    }
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i]!;
      column.start[index] = this.starts[i]!;
      column.end[index] = this.ends[i]!;
      column.kind[index] = this.kinds[i]!;
    }
    // An edit that was cut short may have left the note about nested columns behind.
    batch.hasNested = batch.columns.some((column) => column.field.keys.length > 1);
    batch.rootStart[index] = this.rootStart;
    batch.rootEnd[index] = this.rootEnd;
    batch.rootKind[index] = this.rootKind;
    batch.seconds[index] = this.seconds;
    batch.nanos[index] = this.nanos;
    batch.tag[index] = this.tag;
    batch.dropped[index] = 0;
  }
}
