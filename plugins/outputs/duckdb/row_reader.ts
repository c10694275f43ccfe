import { ByteWriter, type Chunk, MemberCursor } from '../../../core/sdk/index.ts';
import { classify, type Column, type ColumnType, fits, typeFor, widerType } from './column.ts';
import { extraWireKey, type TableColumns } from './table_columns.ts';
import { objectStart, suffixBytes } from './wire_record.ts';

/** A chunk as DuckDB takes it: records, each followed by the separator. */
export interface ReadyRows {
  readonly bytes: Buffer;
  /** End of each row in `bytes`. */
  readonly ends: Int32Array;
  /** Index in the chunk of each row. */
  readonly indices: Int32Array;
  readonly count: number;
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
  private readonly pattern: (Column | undefined)[] = [];
  /** What `survey` found: 1 for a record whose members all have a column and fit. */
  private plain = new Uint8Array(0);
  private plainCount = 0;
  private bytes: Buffer = Buffer.alloc(0);
  private ends: Int32Array = new Int32Array(0);

  constructor(columns: TableColumns, hasId: boolean) {
    this.columns = columns;
    this.hasId = hasId;
  }

  /** Looks at a chunk. Returns the fields that have no column and can get one, with the type that
   *  all their values in this chunk fit into. */
  survey(chunk: Chunk): Map<string, ColumnType> {
    // The encoder names no sections: there is one.
    const section = chunk.sections[0]!;
    this.bytes = section.writer.view();
    this.ends = section.ends;
    if (this.plain.length < chunk.count) this.plain = new Uint8Array(chunk.count);
    this.plainCount = 0;
    const found = new NewFields(this.columns);
    for (let index = 0; index < chunk.count; index++) {
      const isPlain = this.surveyRecord(this.startOf(index), found);
      this.plain[index] = isPlain ? 1 : 0;
      if (isPlain) this.plainCount++;
    }
    return found.types;
  }

  /** Prepares the rows of the chunk that was surveyed. Valid until the next call. */
  rows(chunk: Chunk): ReadyRows {
    const { count } = chunk;
    const indices = new Int32Array(count);
    if (this.plainCount === count && this.columns.nested.length === 0) {
      for (let index = 0; index < count; index++) indices[index] = index;
      return { bytes: this.bytes, ends: this.ends, indices, count, rejected: [] };
    }
    const ends = new Int32Array(count);
    const rejected: { index: number; reason: string }[] = [];
    const { out } = this;
    let rows = 0;
    out.clear();
    for (let index = 0; index < count; index++) {
      const start = this.startOf(index);
      const before = out.length;
      if (this.plain[index] === 1 && this.columns.nested.length === 0) {
        out.bytes(this.bytes, start, this.ends[index]);
      } else {
        const reason = this.rewrite(start, this.ends[index]!);
        if (reason !== undefined) {
          out.length = before;
          rejected.push({ index, reason });
          continue;
        }
      }
      ends[rows] = out.length;
      indices[rows++] = index;
    }
    return { bytes: out.view(), ends, indices, count: rows, rejected };
  }

  private startOf(index: number): number {
    return index === 0 ? 0 : this.ends[index - 1]!;
  }

  private surveyRecord(start: number, found: NewFields): boolean {
    // hot path
    const { cursor, bytes } = this;
    cursor.start(bytes, objectStart(bytes, start, this.hasId));
    let isPlain = true;
    for (let position = 0; cursor.next(); position++) {
      const column = this.columnAt(position);
      if (column === undefined) {
        // A null says nothing; without a column there is no place for it either.
        if (bytes[cursor.valueStart] === 0x6e) continue;
        isPlain = false;
        found.see(cursor.keyText(), classify(bytes, cursor.valueStart, cursor.valueEnd));
      } else if (!fits(column, bytes, cursor.valueStart, cursor.valueEnd)) isPlain = false;
    }
    return isPlain;
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
  private rewrite(recordStart: number, recordEnd: number): string | undefined {
    const { cursor, out, extras, bytes } = this;
    const objectAt = objectStart(bytes, recordStart, this.hasId);
    out.bytes(bytes, recordStart, objectAt);
    out.byte(0x7b);
    extras.clear();
    let members = 0;
    cursor.start(bytes, objectAt);
    for (let position = 0; cursor.next(); position++) {
      const column = this.columnAt(position);
      const { valueStart: start, valueEnd: end } = cursor;
      const hasPlace = column !== undefined && fits(column, bytes, start, end);
      if (!hasPlace && column?.declared === true) return misfit(column, bytes, start, end);
      const to = hasPlace ? out : extras;
      if (to === out ? members++ > 0 : extras.length > 0) to.byte(0x2c);
      to.byte(0x22);
      to.bytes(bytes, cursor.keyStart, cursor.keyEnd);
      to.text('":');
      to.bytes(bytes, start, end);
    }
    for (const column of this.columns.nested) {
      const found = nestedValue(bytes, objectAt, column.keys);
      if (found === undefined) continue;
      const { start, end } = found;
      if (!fits(column, bytes, start, end)) return misfit(column, bytes, start, end);
      if (members++ > 0) out.byte(0x2c);
      out.text(`${JSON.stringify(column.wireKey)}:`);
      out.bytes(bytes, start, end);
    }
    if (extras.length > 0) {
      out.text(`${members > 0 ? ',' : ''}"${extraWireKey}":{`);
      out.bytes(extras.view());
      out.byte(0x7d);
    }
    out.byte(0x7d);
    out.bytes(bytes, recordEnd - suffixBytes(this.hasId), recordEnd);
    return undefined;
  }
}

/** Fields without a column, as a survey comes upon them. */
class NewFields {
  readonly types = new Map<string, ColumnType>();
  /** As DuckDB compares names. */
  private readonly names = new Set<string>();
  private readonly columns: TableColumns;

  constructor(columns: TableColumns) {
    this.columns = columns;
  }

  see(key: string, value: ReturnType<typeof classify>): void {
    const type = typeFor(value);
    if (type === undefined) return;
    const known = this.types.get(key);
    if (known !== undefined) {
      if (known !== type) this.types.set(key, widerType(known, type));
    } else if (this.columns.canAdd(key, this.names)) {
      this.types.set(key, type);
      this.names.add(key.toLowerCase());
    }
  }
}

function misfit(column: Column, bytes: Buffer, start: number, end: number): string {
  const shown = bytes.toString('utf8', start, Math.min(end, start + 200));
  return `column "${column.name}" of type ${column.type} cannot hold ${shown}`;
}

function nestedValue(
  bytes: Buffer,
  objectAt: number,
  keys: readonly string[],
): { start: number; end: number } | undefined {
  const cursor = new MemberCursor();
  let at = objectAt;
  let found: { start: number; end: number } | undefined;
  for (const key of keys) {
    if (bytes[at] !== 0x7b) return undefined;
    found = undefined;
    cursor.start(bytes, at);
    while (cursor.next()) {
      if (cursor.keyText() === key) found = { start: cursor.valueStart, end: cursor.valueEnd };
    }
    if (found === undefined) return undefined;
    at = found.start;
  }
  return found;
}
