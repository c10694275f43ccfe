import { type Batch, type Column, type Field, valueKind } from '../../../core/sdk/index.ts';

/** A value that is the same for all events: stored once per batch, and pointed to by each event. */
export class Constant {
  private readonly bytes: Buffer;
  private readonly kind: 1 | 2;
  private start = -1;
  private end = 0;
  private placedKind = 0;

  /** `value` is anything that JSON can say. */
  constructor(value: unknown) {
    const isText = typeof value === 'string';
    this.kind = isText ? valueKind.text : valueKind.json;
    this.bytes = Buffer.from(isText ? value : (JSON.stringify(value) ?? 'null'));
  }

  /** Forgets where the last batch had it. Call it for each batch, before `put`. */
  begin(): void {
    this.start = -1;
  }

  /** Sets a field of one event. */
  put(batch: Batch, index: number, field: Field): void {
    const column = plainColumn(batch, field);
    if (column === undefined) batch.setField(index, field, this.bytes, this.kind);
    else this.point(batch, column, index);
  }

  /** Sets a field of all selected events. */
  putSelected(batch: Batch, field: Field): void {
    const column = plainColumn(batch, field);
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      if (column === undefined) batch.setField(index, field, this.bytes, this.kind);
      else this.point(batch, column, index);
    }
  }

  /** Points one event of a plain column (see `plainColumn`) at the value. */
  point(batch: Batch, column: Column, index: number): void {
    // hot path
    if (this.start < 0) this.place(batch);
    column.start[index] = this.start;
    column.end[index] = this.end;
    column.kind[index] = this.placedKind;
  }

  private place(batch: Batch): void {
    const at = batch.reserveScratch(this.bytes.length);
    if (at < 0) {
      this.start = batch.external.push(this.bytes) - 1;
      this.end = this.bytes.length;
      this.placedKind = this.kind + 3;
      return;
    }
    this.bytes.copy(batch.bytes, at);
    this.start = at;
    this.end = at + this.bytes.length;
    this.placedKind = this.kind;
  }
}

/** The column of a field that can be edited without a look at the rest of the event: it has one
 *  key, and no column is nested below another. */
export function plainColumn(batch: Batch, field: Field): Column | undefined {
  if (field.keys.length > 1 || field.literal !== undefined || batch.hasNested) return undefined;
  return batch.column(field);
}
