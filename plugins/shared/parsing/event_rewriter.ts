import {
  type Batch,
  ByteWriter,
  type Column,
  type Field,
  findMember,
  MemberCursor,
  type ParsedFields,
  topLevel,
  valueKind,
} from '../../../core/sdk/index.ts';
import { jsonOf } from './json_text.ts';
import type { TextChoice } from './text_choice.ts';

const fieldsKeptMax = 1024;
/** Longer texts are faster written by the runtime. */
const shortTextMax = 24;
const plainTextMax = 64;
/** Longer texts are not searched for the values that came out of them. */
const searchedTextMax = 8192;

export interface RewriteOptions {
  /** Other fields of the event stay; what a parser found wins over them. */
  readonly reserveData: boolean;
  /** The field that was parsed stays. */
  readonly preserveKey: boolean;
}

/** Puts what a parser found into an event. */
export class EventRewriter {
  private readonly options: RewriteOptions;
  private readonly cursor = new MemberCursor();
  private readonly out = new ByteWriter();
  private readonly fields = new Map<string, Field>();
  /** Columns that the last event of this batch used, by the position of the field. */
  private readonly slotKeys: string[] = [];
  private readonly slotColumns: Column[] = [];
  private sourceKind = 0;
  private source = Buffer.alloc(0);

  constructor(options: RewriteOptions) {
    this.options = options;
  }

  /** An object takes the place of the whole event. */
  get isPlain(): boolean {
    return !this.options.reserveData && !this.options.preserveKey;
  }

  /** Forgets the columns of the batch before. */
  begin(): void {
    this.slotKeys.length = 0;
    this.slotColumns.length = 0;
  }

  /** Makes a valid JSON object the event, or part of it. `bytes` may be the batch's own. */
  setObject(
    batch: Batch,
    index: number,
    from: Field,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    // hot path
    if (this.options.reserveData) {
      this.mergeObject(batch, index, from, bytes, start, end);
      return;
    }
    const preserves = this.options.preserveKey && this.holdSource(batch, index, from);
    clearColumns(batch, index);
    this.placeRoot(batch, index, bytes, start, end);
    if (preserves && !this.rootHas(batch, index, from.literal ?? from.keys[0]!)) {
      batch.setField(index, from, this.source, this.sourceKind as 1 | 2);
    }
  }

  /** Sets the fields one by one, as columns. `skip` is the position of one to leave out, or -1.
   *  `isAscii`: the text stands in the batch, a byte a character. Keys that the options do not fix
   *  have no order of their own: they become an object, in the order of the text. */
  setFields(
    batch: Batch,
    choice: TextChoice,
    skip: number,
    isAscii: boolean,
    fixedKeys: boolean,
  ): void {
    // hot path
    const { index, field: from, fields, text, start: textStart } = choice;
    if (!fixedKeys || !this.reserveColumns(batch, fields, skip)) {
      this.setAsObject(batch, index, from, fields, skip);
      return;
    }
    if (this.options.reserveData) {
      if (!this.options.preserveKey) batch.removeField(index, from);
      if (batch.hasNested) batch.collapseAll(index);
    }
    const preserves =
      !this.options.reserveData && this.options.preserveKey && this.holdSource(batch, index, from);
    if (!this.options.reserveData) {
      clearColumns(batch, index);
      batch.rootKind[index] = 0;
    }
    if (preserves) batch.setField(index, from, this.source, this.sourceKind as 1 | 2);
    const searched = isAscii && text.length <= searchedTextMax ? text : undefined;
    let hint = 0;
    for (let i = 0; i < fields.count; i++) {
      if (i === skip) continue;
      const value = fields.values[i];
      const column = this.slotColumns[i]!;
      if (typeof value !== 'string') {
        setJson(batch, column, index, value);
        continue;
      }
      // Equal bytes are equal wherever they stand: the first occurrence will do.
      const at = searched === undefined ? -1 : searched.indexOf(value, hint);
      if (at < 0) setShortText(batch, column, index, value);
      else {
        hint = at + value.length;
        batch.setSpan(column, index, textStart + at, textStart + hint, valueKind.text);
      }
    }
  }

  /** Sets the fields as one JSON object. */
  setAsObject(batch: Batch, index: number, from: Field, fields: ParsedFields, skip: number): void {
    const out = this.out;
    out.clear();
    writeObject(fields, skip, out);
    this.setObject(batch, index, from, out.buffer, 0, out.length);
  }

  /** Sees that there is a column for each field; false when the batch has no more of them. */
  private reserveColumns(batch: Batch, fields: ParsedFields, skip: number): boolean {
    for (let i = 0; i < fields.count; i++) {
      const key = fields.keys[i]!;
      if (i === skip || this.slotKeys[i] === key) continue;
      const field = this.field(key);
      const column = batch.column(field);
      if (column === undefined) return false;
      this.slotKeys[i] = key;
      this.slotColumns[i] = column;
    }
    return true;
  }

  private field(key: string): Field {
    let field = this.fields.get(key);
    if (field === undefined) {
      field = topLevel(key);
      // Names built from data would fill the map: past the bound they are made anew.
      if (this.fields.size < fieldsKeptMax) this.fields.set(key, field);
    }
    return field;
  }

  private mergeObject(
    batch: Batch,
    index: number,
    from: Field,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if (!this.options.preserveKey) batch.removeField(index, from);
    if (batch.hasNested) batch.collapseAll(index);
    if (bytes === this.out.buffer) {
      // Merging writes there.
      bytes = Buffer.from(bytes.subarray(start, end));
      end -= start;
      start = 0;
    }
    const old = batch.rootBytes(index);
    if (old === undefined) this.placeRoot(batch, index, bytes, start, end);
    else this.mergeRoots(batch, index, old, bytes, start);
    this.uncover(batch, index, bytes, start);
  }

  /** Writes the old root's members that the new one does not have, then those of the new one. */
  private mergeRoots(batch: Batch, index: number, old: Buffer, bytes: Buffer, start: number): void {
    const { out, cursor } = this;
    const oldStart = batch.foundStart;
    out.clear();
    out.byte(0x7b);
    cursor.start(old, oldStart);
    while (cursor.next()) {
      if (findMember(bytes, start, Buffer.from(cursor.keyText())) !== undefined) continue;
      if (out.length > 1) out.byte(0x2c);
      out.bytes(old, cursor.keyStart - 1, cursor.valueEnd);
    }
    cursor.start(bytes, start);
    while (cursor.next()) {
      if (out.length > 1) out.byte(0x2c);
      out.bytes(bytes, cursor.keyStart - 1, cursor.valueEnd);
    }
    out.byte(0x7d);
    this.placeRoot(batch, index, out.buffer, 0, out.length);
  }

  /** Takes away the columns that stand over members of the new object. */
  private uncover(batch: Batch, index: number, bytes: Buffer, start: number): void {
    for (const column of batch.columns) {
      if (column.kind[index] === valueKind.absent || column.field.keys.length > 1) continue;
      if (findMember(bytes, start, Buffer.from(column.field.keys[0]!)) === undefined) continue;
      column.kind[index] = valueKind.absent;
    }
  }

  private placeRoot(batch: Batch, index: number, bytes: Buffer, start: number, end: number): void {
    // hot path
    if (bytes === batch.bytes) {
      batch.setRoot(index, start, end);
      return;
    }
    const at = batch.reserveScratch(end - start);
    if (at >= 0) {
      bytes.copy(batch.bytes, at, start, end);
      batch.setRoot(index, at, at + end - start);
      return;
    }
    batch.external.push(Buffer.from(bytes.subarray(start, end)));
    batch.rootStart[index] = batch.external.length - 1;
    batch.rootEnd[index] = end - start;
    batch.rootKind[index] = 2;
  }

  /** Copies the parsed field, for an event that is about to be cleared. */
  private holdSource(batch: Batch, index: number, from: Field): boolean {
    if (!batch.locate(index, from)) return false;
    this.source = Buffer.from(batch.foundBytes.subarray(batch.foundStart, batch.foundEnd));
    this.sourceKind = batch.foundKind;
    return true;
  }

  private rootHas(batch: Batch, index: number, key: string): boolean {
    const bytes = batch.rootBytes(index);
    return (
      bytes !== undefined && findMember(bytes, batch.foundStart, Buffer.from(key)) !== undefined
    );
  }
}

function clearColumns(batch: Batch, index: number): void {
  for (let i = 0; i < batch.columns.length; i++) batch.columns[i]!.kind[index] = valueKind.absent;
}

function setJson(batch: Batch, column: Column, index: number, value: unknown): void {
  setShortText(batch, column, index, jsonOf(value) ?? 'null');
  // Text and JSON differ by one, in the scratch space and outside it.
  column.kind[index]! += valueKind.json - valueKind.text;
}

/** As `batch.setText`, without a call into the runtime for what is short and ASCII. */
function setShortText(batch: Batch, column: Column, index: number, value: string): void {
  // hot path
  const { length } = value;
  const at = length > shortTextMax ? -1 : batch.reserveScratch(length);
  if (at < 0) {
    batch.setText(column, index, value);
    return;
  }
  const { bytes } = batch;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code > 127) {
      batch.setText(column, index, value);
      return;
    }
    bytes[at + i] = code;
  }
  batch.setSpan(column, index, at, at + length, valueKind.text);
}

/** Writes parsed fields as a JSON object; of a key that comes twice, the last value stays. */
export function writeObject(fields: ParsedFields, skip: number, out: ByteWriter): void {
  const last = fields.count > 16 ? lastPositions(fields) : undefined;
  let first = true;
  out.byte(0x7b);
  for (let i = 0; i < fields.count; i++) {
    const key = fields.keys[i]!;
    if (i === skip || (last === undefined ? comesAgain(fields, i) : last.get(key) !== i)) continue;
    const value = fields.values[i];
    const json = typeof value === 'string' ? undefined : jsonOf(value);
    if (json === undefined && typeof value !== 'string') continue;
    if (!first) out.byte(0x2c);
    first = false;
    writeString(key, out);
    out.byte(0x3a);
    if (json === undefined) writeString(value as string, out);
    else out.text(json);
  }
  out.byte(0x7d);
}

/** Writes a JSON string; one that is short and plain without a call into the runtime. */
function writeString(text: string, out: ByteWriter): void {
  // hot path
  const { length } = text;
  if (length <= plainTextMax) {
    out.reserve(length + 2);
    const { buffer } = out;
    let at = out.length;
    buffer[at++] = 0x22;
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) break;
      buffer[at++] = code;
    }
    if (i === length) {
      buffer[at++] = 0x22;
      out.length = at;
      return;
    }
  }
  out.text(JSON.stringify(text));
}

function comesAgain(fields: ParsedFields, position: number): boolean {
  for (let i = position + 1; i < fields.count; i++) {
    if (fields.keys[i] === fields.keys[position]) return true;
  }
  return false;
}

function lastPositions(fields: ParsedFields): Map<string, number> {
  const last = new Map<string, number>();
  for (let i = 0; i < fields.count; i++) last.set(fields.keys[i]!, i);
  return last;
}
