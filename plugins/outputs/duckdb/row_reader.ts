import { ByteWriter, type Chunk, MemberCursor } from '../../../core/sdk/index.ts';
import { classify, type Column, type ColumnType, fits, typeFor, widerType } from './column.ts';
import { extraWireKey, type TableColumns } from './table_columns.ts';
import { recordSpan } from './wire_record.ts';

/** A chunk as DuckDB takes it. */
export interface ReadyRows {
  /** Records, each followed by the separator. */
  readonly bytes: Buffer;
  /** End of each row in `bytes`. */
  readonly ends: readonly number[];
  /** Index in the chunk of each row. */
  readonly indices: readonly number[];
  readonly rejected: readonly { index: number; reason: string }[];
}

/** Looks through the records of chunks: finds fields that have no column yet, and rewrites the
 *  records whose fields do not all fit. The others go on byte for byte. */
export class RowReader {
  private readonly columns: TableColumns;
  private readonly hasId: boolean;
  private readonly cursor = new MemberCursor();
  private readonly out = new ByteWriter(64 * 1024);
  private readonly extras = new ByteWriter(1024);
  /** The columns that the members of the record before fell to: the next is likely alike. */
  private pattern: (Column | undefined)[] = [];

  constructor(columns: TableColumns, hasId: boolean) {
    this.columns = columns;
    this.hasId = hasId;
  }

  /** Fields that have no column, with the type that all their values in this chunk fit into. */
  newFields(chunk: Chunk): Map<string, ColumnType> {
    const found = new Map<string, ColumnType>();
    const { cursor } = this;
    for (let index = 0; index < chunk.count; index++) {
      const record = chunk.recordAt(index);
      cursor.start(record, recordSpan(record, this.hasId).start);
      for (let position = 0; cursor.next(); position++) {
        if (this.columnAt(position) !== undefined) continue;
        const type = typeFor(classify(record, cursor.valueStart, cursor.valueEnd));
        if (type === undefined) continue;
        const key = cursor.keyText();
        const known = found.get(key);
        if (known === undefined) {
          if (!this.columns.canAdd(key, found.size)) continue;
          found.set(key, type);
        } else if (known !== type) found.set(key, widerType(known, type));
      }
    }
    return found;
  }

  /** Prepares the rows of a chunk. Valid until the next call. */
  rows(chunk: Chunk): ReadyRows {
    const ends: number[] = [];
    const indices: number[] = [];
    const rejected: { index: number; reason: string }[] = [];
    this.out.clear();
    for (let index = 0; index < chunk.count; index++) {
      const record = chunk.recordAt(index);
      if (this.columns.nested.length === 0 && this.isPlain(record)) {
        this.out.bytes(record);
      } else {
        const before = this.out.length;
        const reason = this.rewrite(record);
        if (reason !== undefined) {
          this.out.length = before;
          rejected.push({ index, reason });
          continue;
        }
      }
      ends.push(this.out.length);
      indices.push(index);
    }
    return { bytes: this.out.view(), ends, indices, rejected };
  }

  /** True when every member has a column and fits. */
  private isPlain(record: Buffer): boolean {
    // hot path
    const { cursor } = this;
    cursor.start(record, recordSpan(record, this.hasId).start);
    for (let position = 0; cursor.next(); position++) {
      const column = this.columnAt(position);
      if (column === undefined) {
        if (record[cursor.valueStart] === 0x6e) continue;
        return false;
      }
      if (!fits(column, record, cursor.valueStart, cursor.valueEnd)) return false;
    }
    return true;
  }

  /** The column of the cursor's member. */
  private columnAt(position: number): Column | undefined {
    // hot path
    const guess = this.pattern[position];
    if (guess !== undefined && this.cursor.keyEquals(guess.wireKeyBytes)) return guess;
    const column = this.columns.find(this.cursor.keyText());
    if (position < 1024) this.pattern[position] = column;
    return column;
  }

  /** Writes a record with what has no place put under the extra column; returns why it cannot be
   *  stored, if so. */
  private rewrite(record: Buffer): string | undefined {
    const { cursor, out, extras } = this;
    const span = recordSpan(record, this.hasId);
    out.bytes(record, 0, span.start);
    out.byte(0x7b);
    extras.clear();
    let members = 0;
    cursor.start(record, span.start);
    for (let position = 0; cursor.next(); position++) {
      const column = this.columnAt(position);
      const { valueStart: start, valueEnd: end } = cursor;
      const hasPlace = column !== undefined && fits(column, record, start, end);
      if (!hasPlace && column?.declared === true) return misfit(column, record, start, end);
      const to = hasPlace ? out : extras;
      if (to === out ? members++ > 0 : extras.length > 0) to.byte(0x2c);
      to.byte(0x22);
      to.bytes(record, cursor.keyStart, cursor.keyEnd);
      to.text('":');
      to.bytes(record, start, end);
    }
    for (const column of this.columns.nested) {
      const found = nestedValue(record, span.start, column.keys);
      if (found === undefined) continue;
      if (!fits(column, record, found.start, found.end)) {
        return misfit(column, record, found.start, found.end);
      }
      if (members++ > 0) out.byte(0x2c);
      out.text(`${JSON.stringify(column.wireKey)}:`);
      out.bytes(record, found.start, found.end);
    }
    if (extras.length > 0) {
      out.text(`${members > 0 ? ',' : ''}"${extraWireKey}":{`);
      out.bytes(extras.view());
      out.byte(0x7d);
    }
    out.byte(0x7d);
    out.bytes(record, span.end);
    return undefined;
  }
}

function misfit(column: Column, record: Buffer, start: number, end: number): string {
  const shown = record.toString('utf8', start, Math.min(end, start + 200));
  return `column "${column.name}" of type ${column.type} cannot hold ${shown}`;
}

function nestedValue(
  record: Buffer,
  start: number,
  keys: readonly string[],
): { start: number; end: number } | undefined {
  const cursor = new MemberCursor();
  let at = start;
  let found: { start: number; end: number } | undefined;
  for (const key of keys) {
    if (record[at] !== 0x7b) return undefined;
    found = undefined;
    cursor.start(record, at);
    while (cursor.next()) {
      if (cursor.keyText() === key) found = { start: cursor.valueStart, end: cursor.valueEnd };
    }
    if (found === undefined) return undefined;
    at = found.start;
  }
  return found;
}
