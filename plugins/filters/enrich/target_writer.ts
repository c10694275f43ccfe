import {
  type Batch,
  type Column,
  type Field,
  fieldOf,
  valueKind,
} from '../../../core/sdk/index.ts';
import type { DigitTemplate } from '../../shared/user_agent/digit_template.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import type { EncodedBytes, EncodedMember, EncodedValue } from './encoded_value.ts';

const memberFieldsMax = 1024;

/** A member's field and what the batch has of it. */
interface MemberPlace {
  readonly field: Field;
  /** Columns under the field, which would have to go. */
  readonly below: readonly Column[];
  column: Column | undefined;
}

/** Puts values into one field. An object joins an object that is there, member by member; anything
 *  else takes the place of what is there. Where nothing is in the way, columns are pointed at bytes
 *  that all records share; else the batch sorts it out. */
export class TargetWriter {
  private readonly field: Field;
  private readonly finder: FieldFinder;
  /** The field's number in the finder. */
  private readonly which: number;
  private readonly memberFields = new Map<string, Field>();

  private batchNumber = -1;
  private columnCount = -1;
  private own: Column | undefined;
  /** Columns of fields that the field lies in. */
  private readonly above: Column[] = [];
  /** Columns of fields in it. */
  private readonly below: Column[] = [];
  private readonly places = new Map<string, MemberPlace>();
  /** One key, and no column stands over or under it. */
  private isAlone = false;
  /** The memory that the batch is in. */
  private words: Int32Array = new Int32Array(0);

  constructor(field: Field, finder: FieldFinder) {
    this.field = field;
    this.finder = finder;
    this.which = finder.add(field);
  }

  /** `batchNumber` is another for every batch. */
  begin(batch: Batch, batchNumber: number): void {
    this.batchNumber = batchNumber;
    const { buffer } = batch.bytes;
    if (this.words.buffer !== buffer) {
      this.words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
    }
    this.relate(batch);
  }

  write(batch: Batch, index: number, value: EncodedValue): void {
    // hot path
    if (this.columnCount !== batch.columns.length) this.relate(batch);
    if (this.isUntouched(batch, index)) {
      const column = this.own ?? batch.column(this.field);
      if (column !== undefined) {
        this.place(batch, column, index, value);
        return;
      }
    }
    if (value.isObject && this.hasObject(batch, index)) {
      this.writeMembers(batch, index, value.members);
      return;
    }
    const column = this.isFree(batch, index) ? (this.own ?? batch.column(this.field)) : undefined;
    if (column === undefined) batch.setField(index, this.field, value.bytes, value.kind);
    else this.place(batch, column, index, value);
  }

  /** Puts an object into the field, with digits of the key at `keyStart`. False when it is not
   *  done: there is no room, or something in the way. */
  fillIn(
    batch: Batch,
    index: number,
    template: DigitTemplate,
    key: Buffer,
    keyStart: number,
  ): boolean {
    // hot path
    if (this.columnCount !== batch.columns.length) this.relate(batch);
    const isFree =
      this.isUntouched(batch, index) ||
      (!this.hasObject(batch, index) && this.isFree(batch, index));
    if (!isFree) return false;
    const column = this.own ?? batch.column(this.field);
    if (column === undefined) return false;
    const { length } = template.bytes;
    let last = template.batchNumber === this.batchNumber ? template.position : -1;
    if (last < 0 || !template.isWritten(batch.bytes, last, key, keyStart)) {
      last = template.write(batch, this.words, key, keyStart);
      if (last < 0) return false;
      template.batchNumber = this.batchNumber;
      template.position = last;
    }
    batch.setSpan(column, index, last, last + length, valueKind.json);
    return true;
  }

  /** True when the event certainly has nothing where the field is. */
  private isUntouched(batch: Batch, index: number): boolean {
    // hot path
    if (!this.isAlone || batch.rootKind[index] !== 0) return false;
    return this.own === undefined || this.own.kind[index] === valueKind.absent;
  }

  /** True when nothing is in the way of a column. It hides the root's member of its name, not what
   *  the root has under it. */
  private isFree(batch: Batch, index: number): boolean {
    return (
      (this.field.keys.length === 1 || batch.rootKind[index] === 0) &&
      isAbsent(this.above, index) &&
      isAbsent(this.below, index)
    );
  }

  private place(batch: Batch, column: Column, index: number, value: EncodedBytes): void {
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

  private writeMembers(batch: Batch, index: number, members: readonly EncodedMember[]): void {
    const { literal } = this.field;
    if (literal !== undefined && batch.locate(index, fieldOf([literal]))) {
      // The field written `a.b` is the flat one here.
      for (const { key, value } of members) {
        batch.setField(index, fieldOf([literal, key]), value.bytes, value.kind);
      }
      return;
    }
    const isSplit =
      batch.rootKind[index] === 0 &&
      isAbsent(this.above, index) &&
      (this.own === undefined || this.own.kind[index] === valueKind.absent);
    for (let i = 0; i < members.length; i++) {
      const { key, value } = members[i]!;
      if (this.columnCount !== batch.columns.length) this.relate(batch);
      const place = this.placeOf(batch, key);
      const isFree = isSplit && isAbsent(place.below, index);
      const column = isFree ? (place.column ??= batch.column(place.field)) : undefined;
      if (column === undefined) batch.setField(index, place.field, value.bytes, value.kind);
      else this.place(batch, column, index, value);
    }
  }

  /** True when the event has an object in the field. Looks it up only where it could be there:
   *  looking up folds what lies beside it. */
  private hasObject(batch: Batch, index: number): boolean {
    for (let i = 0; i < this.below.length; i++) {
      const kind = this.below[i]!.kind[index];
      if (kind !== valueKind.absent && kind !== valueKind.removed) return true;
    }
    const mayBeThere =
      batch.rootKind[index] !== 0 ||
      (this.own !== undefined && this.own.kind[index] !== valueKind.absent) ||
      !isAbsent(this.above, index);
    const { finder } = this;
    if (!mayBeThere || !finder.find(batch, index, this.which)) return false;
    return finder.kind === valueKind.json && finder.bytes[finder.start] === 0x7b;
  }

  /** Sorts the batch's columns by how they stand to the field. */
  private relate(batch: Batch): void {
    this.columnCount = batch.columns.length;
    this.above.length = 0;
    this.below.length = 0;
    this.own = undefined;
    this.places.clear();
    const { keys, literal } = this.field;
    for (const column of batch.columns) {
      const other = column.field.keys;
      const shared = Math.min(other.length, keys.length);
      let same = 0;
      while (same < shared && other[same] === keys[same]) same++;
      // `a.b` may also mean the flat field of that name.
      const isFlat = other.length === 1 && other[0] === literal;
      if (same < shared && !isFlat) continue;
      if (isFlat || other.length < keys.length) this.above.push(column);
      else if (other.length > keys.length) this.below.push(column);
      else this.own = column;
    }
    this.isAlone = keys.length === 1 && this.above.length === 0 && this.below.length === 0;
  }

  private placeOf(batch: Batch, key: string): MemberPlace {
    let place = this.places.get(key);
    if (place === undefined) {
      const field = this.memberField(key);
      const depth = this.field.keys.length;
      const below = this.below.filter(
        ({ field: { keys } }) => keys.length > depth + 1 && keys[depth] === key,
      );
      place = { field, below, column: batch.findColumn(field) };
      if (this.places.size < memberFieldsMax) this.places.set(key, place);
    }
    return place;
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

function isAbsent(columns: readonly Column[], index: number): boolean {
  for (let i = 0; i < columns.length; i++) {
    if (columns[i]!.kind[index] !== valueKind.absent) return false;
  }
  return true;
}
