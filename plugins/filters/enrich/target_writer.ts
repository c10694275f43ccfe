import {
  type Batch,
  type Column,
  type Field,
  fieldOf,
  valueKind,
} from '../../../core/sdk/index.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import type { EncodedValue } from './encoded_value.ts';

const memberFieldsMax = 1024;

/** Puts values into one field. An object joins an object that is there, member by member; anything
 *  else takes the place of what is there. */
export class TargetWriter {
  readonly field: Field;
  /** The field's number in the finder. */
  private readonly which: number;
  private readonly finder: FieldFinder;
  private readonly memberFields = new Map<string, Field>();
  private batchNumber = -1;
  private columnCount = -1;
  private column: Column | undefined;
  /** Nothing but a column of its own can hold the field. */
  private isPlain = false;
  /** Columns of the field itself or of one that it lies in. */
  private above: Column[] = [];
  /** Columns of fields in it. */
  private below: Column[] = [];

  constructor(field: Field, finder: FieldFinder) {
    this.field = field;
    this.finder = finder;
    this.which = finder.add(field);
  }

  /** `batchNumber` is another for every batch. */
  begin(batch: Batch, batchNumber: number): void {
    this.batchNumber = batchNumber;
    this.column = undefined;
    this.columnCount = -1;
    this.relate(batch);
    this.isPlain =
      this.field.keys.length === 1 && this.field.literal === undefined && this.below.length === 0;
  }

  write(batch: Batch, index: number, value: EncodedValue): void {
    // hot path
    if (value.members !== undefined && this.hasObject(batch, index)) {
      for (const { key, json } of value.members) {
        batch.setField(index, this.memberField(key), json, valueKind.json);
      }
      return;
    }
    if (this.isPlain) this.column ??= batch.column(this.field);
    if (this.column === undefined) batch.setField(index, this.field, value.bytes, value.kind);
    else this.place(batch, this.column, index, value);
  }

  private place(batch: Batch, column: Column, index: number, value: EncodedValue): void {
    const { length } = value.bytes;
    if (value.batchNumber !== this.batchNumber) {
      const position = batch.reserveScratch(length);
      if (position < 0) {
        batch.setBytes(column, index, value.bytes, value.kind);
        return;
      }
      value.bytes.copy(batch.bytes, position);
      value.position = position;
      value.batchNumber = this.batchNumber;
    }
    batch.setSpan(column, index, value.position, value.position + length, value.kind);
  }

  /** True when the event has an object in the field. Looks it up only where it could be there:
   *  looking up folds what lies beside it. */
  private hasObject(batch: Batch, index: number): boolean {
    if (this.columnCount !== batch.columns.length) this.relate(batch);
    for (let i = 0; i < this.below.length; i++) {
      const kind = this.below[i]!.kind[index];
      if (kind !== valueKind.absent && kind !== valueKind.removed) return true;
    }
    let mayBeThere = batch.rootKind[index] !== 0;
    for (let i = 0; i < this.above.length && !mayBeThere; i++) {
      mayBeThere = this.above[i]!.kind[index] !== valueKind.absent;
    }
    const { finder } = this;
    if (!mayBeThere || !finder.find(batch, index, this.which)) return false;
    return finder.kind === valueKind.json && finder.bytes[finder.start] === 0x7b;
  }

  private relate(batch: Batch): void {
    this.columnCount = batch.columns.length;
    this.above.length = 0;
    this.below.length = 0;
    for (const column of batch.columns) {
      const { keys } = column.field;
      const shared = Math.min(keys.length, this.field.keys.length);
      let same = 0;
      while (same < shared && keys[same] === this.field.keys[same]) same++;
      if (same < shared) continue;
      if (keys.length > this.field.keys.length) this.below.push(column);
      else this.above.push(column);
    }
    const { literal } = this.field;
    if (literal === undefined) return;
    const flat = batch.columns.find(
      ({ field }) => field.keys.length === 1 && field.name === literal,
    );
    if (flat !== undefined) this.above.push(flat);
  }

  private memberField(key: string): Field {
    let field = this.memberFields.get(key);
    if (field === undefined) {
      field = fieldOf([...this.field.keys, key]);
      // Keys come from tables: past the bound they are made anew.
      if (this.memberFields.size < memberFieldsMax) this.memberFields.set(key, field);
    }
    return field;
  }
}
