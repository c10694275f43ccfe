import { type Batch, type Column, type Field, valueKind } from '../../../core/sdk/index.ts';
import { plainColumn } from '../../shared/values/constant.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import type { Operation, OperationContext } from './operation.ts';

/** `rename` and `copy`: the new field points at the bytes of the old one. */
export class MoveField implements Operation {
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly from: Field;
  private readonly to: Field;
  private readonly keepsSource: boolean;

  constructor(from: string, to: string, keepsSource: boolean, context: OperationContext) {
    this.from = context.field(from);
    this.to = context.field(to);
    this.finder = context.finder;
    this.which = context.finder.add(this.from);
    this.keepsSource = keepsSource;
  }

  run(batch: Batch): void {
    if (this.from.name === this.to.name) return;
    const to = plainColumn(batch, this.to);
    const from = plainColumn(batch, this.from);
    if (from === undefined || to === undefined) this.moveBytes(batch);
    else this.moveSpans(batch, from, to);
  }

  private moveSpans(batch: Batch, from: Column, to: Column): void {
    // hot path
    const finder = this.finder;
    const { select, count } = batch;
    for (let index = 0; index < count; index++) {
      if (select[index] !== 1) continue;
      const kind = from.kind[index]!;
      if (kind === valueKind.removed) continue;
      if (kind !== valueKind.absent) {
        to.start[index] = from.start[index]!;
        to.end[index] = from.end[index]!;
        to.kind[index] = kind;
      } else {
        if (!finder.find(batch, index, this.which)) continue;
        if (finder.bytes === batch.bytes) {
          to.start[index] = finder.start;
          to.end[index] = finder.end;
          to.kind[index] = finder.kind;
        } else {
          const value = finder.bytes.subarray(finder.start, finder.end);
          batch.setBytes(to, index, value, finder.kind);
        }
      }
      if (!this.keepsSource) from.kind[index] = valueKind.removed;
    }
  }

  private moveBytes(batch: Batch): void {
    const finder = this.finder;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, this.which)) continue;
      const value = Buffer.from(finder.bytes.subarray(finder.start, finder.end));
      const kind = finder.kind;
      if (!this.keepsSource) batch.removeField(index, this.from);
      batch.setField(index, this.to, value, kind);
    }
  }
}

/** `remove`. */
export class RemoveField implements Operation {
  private readonly field: Field;

  constructor(reference: string, context: OperationContext) {
    this.field = context.field(reference);
  }

  run(batch: Batch): void {
    // hot path
    const column = plainColumn(batch, this.field);
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      if (column === undefined) batch.removeField(index, this.field);
      else column.kind[index] = valueKind.removed;
    }
  }
}
