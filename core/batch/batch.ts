import './buffer_methods.ts';
import type { ColumnOrder } from './column_order.ts';
import { type Field, fieldOf, tagsField } from './field.ts';
import type { RecordHolding } from './holding.ts';
import {
  elementSpans,
  findMember,
  isArrayIndex,
  isJsonSpace,
  skipJsonSpace,
} from './json_bytes.ts';
import { spliceJson } from './json_splice.ts';
import { align, columnBytes, eventArraysBytes, layout } from './layout.ts';
import { shortText, shortTextBytesMax } from './short_text.ts';
import type { Source } from './source.ts';
import type { Stretch } from './stretch.ts';
import { valueKind } from './value_kind.ts';

/** One touched field of a batch: a span and its kind (`valueKind`) per event. */
export interface Column {
  field: Field;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly kind: Uint8Array;
}

/** Why an event left the batch; counted by the component that set it. 0 means it is there. */
export const dropReason = {
  none: 0,
  filtered: 1,
  sampled: 2,
  throttled: 3,
  split: 4,
  merged: 5,
  retagged: 6,
};

/** Up to `capacity` events of one source, or of several (`stretches`) on the way that allows it.
 *
 *  An event is a root plus edits. The root is the bytes of a JSON object (or nothing, for a raw
 *  line); the edits are columns that stand over it: a column's value replaces the root's member
 *  of that name, `removed` hides it. Source bytes never change; values that filters make go to
 *  the scratch space behind them. All positions are absolute in `bytes`.
 *
 *  A batch is either a slot of the kernel's memory or a heap buffer (`inKernelMemory` false);
 *  everything but the kernel works on both. */
export class Batch {
  readonly bytes: Buffer;
  readonly inKernelMemory: boolean;
  readonly capacity: number;
  readonly dataStart: number;
  readonly dataEnd: number;

  count = 0;
  /** Where the events come from; positions are in its terms. Of several sources: that of the stretch
   *  in hand. */
  source!: Source;
  /** What is of each source, in the order of the events; empty where there is one. */
  readonly stretches: Stretch[] = [];
  /** The source's position behind this batch, skipped lines included. */
  positionEnd = 0;
  /** Bytes of input that this batch stands for, for metrics. */
  inputBytes = 0;
  /** Of batches that come straight from an input: filters may hold records of theirs. */
  holding: RecordHolding | undefined;
  /** How long events may have waited before they were read: the chunk that they open is sealed so
   *  much earlier. */
  waitedMs = 0;

  /** Root spans. `rootKind`: 0 no root, 1 in `bytes`, 2 in `external[rootStart]`. */
  readonly rootStart: Int32Array;
  readonly rootEnd: Int32Array;
  readonly rootKind: Uint8Array;
  /** Where the kernel keeps the list of each root's members (see member_list.ts of the assembly),
   *  or 0: whoever validated a root with the kernel may say so, behind `setRoot`. */
  readonly memberLists: Int32Array;
  /** Where the next lists may stand. Both 0 in batches that have no room for them. */
  listsEnd = 0;
  readonly listsLimit: number;
  /** Event time: Unix seconds (whole) and nanoseconds. */
  readonly seconds: Float64Array;
  readonly nanos: Int32Array;
  /** Origin: the source's position before and behind the event; part numbers pieces of one. */
  readonly offset: Float64Array;
  readonly offsetEnd: Float64Array;
  readonly part: Int32Array;
  /** Index into `tagNames`. */
  readonly tag: Uint16Array;
  readonly dropped: Uint8Array;
  /** Which events the running stage concerns: 1 or 0, set by the engine before each stage. */
  readonly select: Uint8Array;
  /** How often each event went back to the first filter. */
  readonly retags: Uint8Array;
  /** In a batch of derived events: the index of the event that each comes from. */
  readonly parents: Int32Array;

  tagNames: string[] = [];
  readonly columns: Column[] = [];
  /** Where new columns go among the others; undefined: behind them. */
  order: ColumnOrder | undefined;
  private orderedFrom = 0;
  /** Some column has a path of several keys. */
  hasNested = false;
  /** Values too large for the scratch space. */
  external: Buffer[] = [];

  /** Result of `locate`. */
  foundKind = 0;
  foundBytes: Buffer;
  foundStart = 0;
  foundEnd = 0;

  /** Where values that filters make begin. */
  readonly scratchStart: number;
  private readonly scratchEnd: number;
  private scratchAt: number;
  private readonly columnStore: Column[] = [];
  private readonly columnsAt: number;
  readonly listsStart: number;

  /** `at` is where this batch's region begins in `bytes`; see `batchBytes` for its size. */
  constructor(bytes: Buffer, at: number, shape: BatchShape) {
    this.bytes = bytes;
    this.foundBytes = bytes;
    this.inKernelMemory = shape.inKernelMemory;
    this.capacity = shape.events;
    this.dataStart = at;
    this.dataEnd = at + shape.dataBytes;
    this.scratchStart = at + align(shape.dataBytes + layout.guardBytes);
    this.scratchEnd = this.scratchStart + shape.scratchBytes;
    this.scratchAt = this.scratchStart;
    const arrays = new ArrayCarver(
      bytes,
      this.scratchStart + align(shape.scratchBytes + layout.guardBytes),
    );
    const n = shape.events;
    this.seconds = arrays.float64(n);
    this.offset = arrays.float64(n);
    this.offsetEnd = arrays.float64(n);
    this.rootStart = arrays.int32(n);
    this.rootEnd = arrays.int32(n);
    this.memberLists = arrays.int32(n);
    this.nanos = arrays.int32(n);
    this.part = arrays.int32(n);
    this.tag = arrays.uint16(n);
    this.rootKind = arrays.uint8(n);
    this.dropped = arrays.uint8(n);
    this.select = arrays.uint8(n);
    this.retags = new Uint8Array(n);
    this.parents = new Int32Array(n);
    this.columnsAt =
      this.scratchStart + align(shape.scratchBytes + layout.guardBytes) + eventArraysBytes(n);
    this.listsStart = this.inKernelMemory ? this.columnsAt + columnBytes(n) * layout.columnsMax : 0;
    this.listsLimit = this.inKernelMemory ? this.listsStart + layout.listsBytes : 0;
    this.listsEnd = this.listsStart;
  }

  /** Makes the batch empty for its next use. */
  reset(source: Source, tag: string): void {
    this.count = 0;
    this.source = source;
    this.stretches.length = 0;
    this.positionEnd = 0;
    this.inputBytes = 0;
    this.holding = undefined;
    this.waitedMs = 0;
    this.tagNames = [tag];
    this.columns.length = 0;
    this.order = undefined;
    this.hasNested = false;
    this.external = [];
    this.scratchAt = this.scratchStart;
    this.listsEnd = this.listsStart;
    this.retags.fill(0);
  }

  /** Makes the events from `from` on a stretch of their own, which reaches to `positionEnd` of its
   *  source. Each event of the batch has to be in one then. Only where the engine says
   *  `mixesSources`. */
  addStretch(source: Source, tag: string, from: number, positionEnd: number): void {
    const end = this.count;
    this.source = source;
    this.stretches.push({ source, from, end, positionEnd });
    this.tag.fill(this.tagNumber(tag), from, end);
  }

  /** Adds an event that is made out of event `parent` of `from`, with its origin, time and tag;
   *  `part` tells it from the others (see `derivedPart`). Its place will be behind the parent. */
  addDerived(from: Batch, parent: number, part: number): number {
    const index = this.addEvent(
      from.offset[parent]!,
      from.offsetEnd[parent]!,
      from.seconds[parent]!,
      from.nanos[parent]!,
    );
    this.part[index] = part;
    this.parents[index] = parent;
    this.setTag(index, from.tagName(parent));
    return index;
  }

  /** What there is now of columns and of values that filters made, for `rewind`. */
  mark(): BatchMark {
    return {
      columns: [...this.columns],
      scratchAt: this.scratchAt,
      external: this.external.length,
      hasNested: this.hasNested,
    };
  }

  /** Takes away the columns and values that were made since the mark. */
  rewind(mark: BatchMark): void {
    this.columns.splice(0, this.columns.length, ...mark.columns);
    this.scratchAt = mark.scratchAt;
    this.external.length = mark.external;
    this.hasNested = mark.hasNested;
  }

  /** Adds an event without a root at the given origin and returns its index. Callers check
   *  `count < capacity` first. */
  addEvent(offset: number, offsetEnd: number, seconds: number, nanos: number): number {
    // hot path
    const index = this.count++;
    this.rootKind[index] = 0;
    this.offset[index] = offset;
    this.offsetEnd[index] = offsetEnd;
    this.part[index] = 0;
    this.seconds[index] = seconds;
    this.nanos[index] = nanos;
    this.tag[index] = 0;
    this.dropped[index] = 0;
    for (let i = 0; i < this.columns.length; i++) this.columns[i]!.kind[index] = 0;
    return index;
  }

  /** Gives event `index` a root: a JSON object, already validated, at this span of `bytes`. */
  setRoot(index: number, start: number, end: number): void {
    this.rootStart[index] = start;
    this.rootEnd[index] = end;
    this.rootKind[index] = 1;
    this.memberLists[index] = 0;
  }

  /** Replaces the whole event by a JSON object, validated by the caller. */
  replaceRoot(index: number, json: Buffer): void {
    const at = this.reserveScratch(json.length);
    if (at < 0) {
      this.external.push(json);
      this.rootStart[index] = this.external.length - 1;
      this.rootEnd[index] = json.length;
      this.rootKind[index] = 2;
    } else {
      json.copy(this.bytes, at);
      this.setRoot(index, at, at + json.length);
    }
    for (const column of this.columns) column.kind[index] = valueKind.absent;
  }

  /** As `replaceRoot`, with the object's JSON as a text. */
  replaceRootText(index: number, json: string): void {
    if (json.length * 3 > this.scratchEnd - this.scratchAt) {
      this.replaceRoot(index, Buffer.from(json));
      return;
    }
    const at = this.scratchAt;
    this.scratchAt += this.bytes.utf8Write(json, at);
    this.setRoot(index, at, this.scratchAt);
    for (const column of this.columns) column.kind[index] = valueKind.absent;
  }

  /** The bytes that hold event `index`'s root; its span is then `rootSpanStart/End`. */
  rootBytes(index: number): Buffer | undefined {
    const kind = this.rootKind[index];
    if (kind === 0) return undefined;
    if (kind === 1) {
      this.foundStart = this.rootStart[index]!;
      this.foundEnd = this.rootEnd[index]!;
      return this.bytes;
    }
    const bytes = this.external[this.rootStart[index]!]!;
    this.foundStart = 0;
    this.foundEnd = bytes.length;
    return bytes;
  }

  /** Says where columns go that are made from now on; those of now stay in front. */
  setOrder(order: ColumnOrder | undefined): void {
    this.order = order;
    this.orderedFrom = this.columns.length;
  }

  /** The column of a field, if any stage has touched it. */
  findColumn(field: Field): Column | undefined {
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i]!;
      if (column.field === field || column.field.name === field.name) return column;
    }
    return undefined;
  }

  /** The column of a field, made empty if it is not there yet. Undefined when the batch has
   *  `columnsMax` of them: the caller then uses `replaceRoot`. */
  column(field: Field): Column | undefined {
    const found = this.findColumn(field);
    if (found !== undefined) return found;
    const position = this.columns.length;
    if (position === layout.columnsMax) return undefined;
    let column = this.columnStore[position];
    if (column === undefined) {
      column = this.carveColumn(position, field);
      this.columnStore.push(column);
    }
    column.field = field;
    column.kind.fill(valueKind.absent, 0, this.capacity);
    this.columns.splice(this.placeOf(field), 0, column);
    if (field.keys.length > 1) this.hasNested = true;
    return column;
  }

  private placeOf(field: Field): number {
    let at = this.columns.length;
    if (this.order === undefined) return at;
    while (at > this.orderedFrom && this.order.isBefore(field, this.columns[at - 1]!.field)) at--;
    return at;
  }

  private carveColumn(position: number, field: Field): Column {
    // Heap batches bring no room for columns: theirs are made when needed.
    const arrays = this.inKernelMemory
      ? new ArrayCarver(this.bytes, this.columnsAt + position * columnBytes(this.capacity))
      : new ArrayCarver(Buffer.alloc(columnBytes(this.capacity)), 0);
    return {
      field,
      start: arrays.int32(this.capacity),
      end: arrays.int32(this.capacity),
      kind: arrays.uint8(this.capacity),
    };
  }

  /** Behind the values that filters made so far. */
  get scratchUsed(): number {
    return this.scratchAt;
  }

  /** Where the scratch space ends. */
  get scratchLimit(): number {
    return this.scratchEnd;
  }

  hasScratch(bytes: number): boolean {
    return this.scratchAt + bytes <= this.scratchEnd;
  }

  /** Reserves scratch bytes; -1 when there is no room. */
  reserveScratch(bytes: number): number {
    if (this.scratchAt + bytes > this.scratchEnd) return -1;
    const at = this.scratchAt;
    this.scratchAt += bytes;
    return at;
  }

  /** Puts bytes into the scratch space and points event `index` of the column at them. */
  setBytes(column: Column, index: number, value: Buffer, kind: 1 | 2): void {
    const at = this.reserveScratch(value.length);
    if (at < 0) {
      this.external.push(value);
      column.start[index] = this.external.length - 1;
      column.end[index] = value.length;
      column.kind[index] = kind + 3;
      return;
    }
    value.copy(this.bytes, at);
    column.start[index] = at;
    column.end[index] = at + value.length;
    column.kind[index] = kind;
  }

  /** Sets a column's value to a string. */
  setText(column: Column, index: number, value: string): void {
    const most = value.length * 3;
    const room = this.scratchEnd - this.scratchAt;
    if (most > room) {
      this.setBytes(column, index, Buffer.from(value), valueKind.text);
      return;
    }
    const at = this.scratchAt;
    const written = this.writeText(value, at);
    this.scratchAt = at + written;
    column.start[index] = at;
    column.end[index] = at + written;
    column.kind[index] = valueKind.text;
  }

  /** Writes a text where there is room for it; returns its bytes. */
  private writeText(value: string, at: number): number {
    // hot path
    const { length } = value;
    // A call into the runtime costs more than a few stores.
    if (length > shortTextBytesMax) return this.bytes.utf8Write(value, at);
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return this.bytes.utf8Write(value, at);
      this.bytes[at + i] = code;
    }
    return length;
  }

  setSpan(column: Column, index: number, start: number, end: number, kind: number): void {
    column.start[index] = start;
    column.end[index] = end;
    column.kind[index] = kind;
  }

  /** Sets a field of one event to a text or JSON value given as bytes. */
  setField(index: number, field: Field, value: Buffer, kind: 1 | 2): void {
    if (field.flat !== undefined && this.locateTop(index, field.flat)) {
      this.setField(index, field.flat, value, kind);
      return;
    }
    if (field.keys.length > 1 && !this.canStandNested(index, field)) {
      this.spliceTop(index, field, kind === valueKind.json ? value : quoted(value));
      return;
    }
    if (this.hasNested) this.clearBelow(index, field);
    const column = this.column(field);
    if (column === undefined) {
      this.spliceRoot(index, field, kind === valueKind.json ? value : quoted(value));
      return;
    }
    this.setBytes(column, index, value, kind);
  }

  /** Sets a field to any JSON value. */
  setValue(index: number, field: Field, value: unknown): void {
    if (typeof value === 'string') {
      const isPlain = field.keys.length === 1 && field.flat === undefined && !this.hasNested;
      const column = isPlain ? this.column(field) : undefined;
      if (column !== undefined) this.setText(column, index, value);
      else this.setField(index, field, Buffer.from(value), valueKind.text);
    } else {
      const json = JSON.stringify(value);
      if (json === undefined) this.removeField(index, field);
      else this.setField(index, field, Buffer.from(json), valueKind.json);
    }
  }

  /** Points a field at bytes that are already in `bytes`, without copying. The field has one
   *  key and no nested columns below it. Returns false when there is no column left. */
  setFieldSpan(index: number, field: Field, start: number, end: number, kind: 1 | 2): boolean {
    if (field.keys.length > 1 || this.hasNested) {
      this.setField(index, field, this.bytes.subarray(start, end), kind);
      return true;
    }
    const column = this.column(field);
    if (column === undefined) return false;
    this.setSpan(column, index, start, end, kind);
    return true;
  }

  /** Sets a field to a copy of bytes that stand elsewhere. */
  setFieldCopy(
    index: number,
    field: Field,
    source: Buffer,
    start: number,
    end: number,
    kind: 1 | 2,
  ): void {
    const isPlain = field.keys.length === 1 && !this.hasNested;
    const column = isPlain ? this.column(field) : undefined;
    const at = column === undefined ? -1 : this.reserveScratch(end - start);
    if (at < 0) {
      this.setField(index, field, Buffer.from(source.subarray(start, end)), kind);
      return;
    }
    if (end - start > shortTextBytesMax) source.copy(this.bytes, at, start, end);
    else for (let i = 0; i < end - start; i++) this.bytes[at + i] = source[start + i]!;
    this.setSpan(column!, index, at, at + end - start, kind);
  }

  removeField(index: number, field: Field): void {
    if (field.flat !== undefined && this.locateTop(index, field.flat)) {
      this.removeField(index, field.flat);
      return;
    }
    if (field.keys.length > 1) {
      if (this.locate(index, field)) this.spliceTop(index, field, undefined);
      return;
    }
    if (this.hasNested) this.clearBelow(index, field);
    const column = this.column(field);
    if (column === undefined) this.spliceRoot(index, field, undefined);
    else column.kind[index] = valueKind.removed;
  }

  /** Finds a field's value. True when it is there; then `foundKind` is text or json and
   *  `foundBytes`, `foundStart`, `foundEnd` say where. */
  locate(index: number, field: Field): boolean {
    if (field.flat !== undefined && this.locateTop(index, field.flat)) return true;
    if (this.hasNested) {
      const exact = field.keys.length > 1 ? this.findColumn(field) : undefined;
      if (exact !== undefined && exact.kind[index] !== valueKind.absent) {
        return this.locateInColumn(exact, index);
      }
      this.collapse(index, field.keys[0]!);
    }
    if (!this.locateTop(index, field)) return false;
    for (let depth = 1; depth < field.keys.length; depth++) {
      if (!this.descend(field, depth)) return false;
    }
    return true;
  }

  /** Finds the value under the field's first key. */
  private locateTop(index: number, field: Field): boolean {
    // hot path
    const key = field.keys[0]!;
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i]!;
      if (column.field.keys.length > 1 || column.field.keys[0] !== key) continue;
      if (column.kind[index] === valueKind.absent) break;
      return this.locateInColumn(column, index);
    }
    const root = this.rootBytes(index);
    if (root === undefined) return false;
    const member = findMember(root, this.foundStart, field.keyBytes[0]!);
    if (member === undefined) return false;
    this.foundAt(root, member.start, member.end);
    return true;
  }

  private locateInColumn(column: Column, index: number): boolean {
    const kind = column.kind[index]!;
    if (kind === valueKind.removed || kind === valueKind.absent) return false;
    if (kind >= valueKind.externalText) {
      this.foundBytes = this.external[column.start[index]!]!;
      this.foundStart = 0;
      this.foundEnd = this.foundBytes.length;
      this.foundKind = kind - 3;
    } else {
      this.foundBytes = this.bytes;
      this.foundStart = column.start[index]!;
      this.foundEnd = column.end[index]!;
      this.foundKind = kind;
    }
    return true;
  }

  private foundAt(bytes: Buffer, start: number, end: number): void {
    this.foundBytes = bytes;
    this.foundStart = start;
    this.foundEnd = end;
    this.foundKind = valueKind.json;
  }

  private descend(field: Field, depth: number): boolean {
    const key = field.keys[depth]!;
    if (this.foundKind !== valueKind.json) return false;
    const bytes = this.foundBytes;
    const at = skipJsonSpace(bytes, this.foundStart);
    if (bytes[at] === 0x7b) {
      const member = findMember(bytes, at, field.keyBytes[depth]!);
      if (member === undefined) return false;
      this.foundAt(bytes, member.start, member.end);
      return true;
    }
    if (bytes[at] !== 0x5b || !isArrayIndex(key)) return false;
    const element = elementSpans(bytes, at).at(Number(key));
    if (element === undefined) return false;
    this.foundAt(bytes, element.start, element.end);
    return true;
  }

  /** A field's value as a string: text decoded, a JSON string unescaped, other JSON as it is
   *  written. Undefined when the field is missing. */
  textAt(index: number, field: Field): string | undefined {
    return this.locate(index, field) ? this.foundText() : undefined;
  }

  /** What `locate` found, as a string. */
  foundText(): string {
    const text = this.foundBytes.utf8Slice(this.foundStart, this.foundEnd);
    if (this.foundKind === valueKind.text || text.charCodeAt(0) !== 0x22) return text;
    return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1);
  }

  /** A field's value as JavaScript has it, or undefined when it is missing. */
  valueAt(index: number, field: Field): unknown {
    if (!this.locate(index, field)) return undefined;
    return this.foundValue();
  }

  /** What `locate` found, as JavaScript has it. */
  foundValue(): unknown {
    if (this.foundKind === valueKind.text) {
      return shortText(this.foundBytes, this.foundStart, this.foundEnd);
    }
    const first = this.foundBytes[this.foundStart]!;
    if (first === 0x22) return this.foundText();
    return JSON.parse(this.foundBytes.utf8Slice(this.foundStart, this.foundEnd));
  }

  /** The value of a column that stands over event `index`, as JavaScript has it; undefined where it
   *  does not or hides a member. */
  columnValue(column: Column, index: number): unknown {
    return this.locateInColumn(column, index) ? this.foundValue() : undefined;
  }

  /** Adds a mark to the event's `tags` array, once. */
  addMark(index: number, mark: string, field: Field = tagsField): void {
    const value = this.valueAt(index, field);
    if (value === undefined || value === null) this.setValue(index, field, [mark]);
    else if (!Array.isArray(value)) this.setValue(index, field, [value, mark]);
    else if (!value.includes(mark)) this.setValue(index, field, [...value, mark]);
  }

  removeMark(index: number, mark: string, field: Field = tagsField): void {
    const value = this.valueAt(index, field);
    if (Array.isArray(value) && value.includes(mark)) {
      this.setValue(
        index,
        field,
        value.filter((entry) => entry !== mark),
      );
    }
  }

  tagName(index: number): string {
    return this.tagNames[this.tag[index]!]!;
  }

  setTag(index: number, name: string): void {
    this.tag[index] = this.tagNumber(name);
  }

  private tagNumber(name: string): number {
    const last = this.tagNames.length - 1;
    if (this.tagNames[last] === name) return last;
    const position = this.tagNames.indexOf(name);
    return position < 0 ? this.tagNames.push(name) - 1 : position;
  }

  /** Folds nested columns under `top` into one JSON value of the top-level field. */
  collapse(index: number, top: string): void {
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i]!;
      if (column.field.keys.length === 1 || column.field.keys[0] !== top) continue;
      if (column.kind[index] === valueKind.absent) continue;
      this.locateInColumn(column, index);
      const value =
        column.kind[index] === valueKind.removed
          ? undefined
          : this.foundKind === valueKind.json
            ? Buffer.from(this.foundBytes.subarray(this.foundStart, this.foundEnd))
            : quoted(this.foundBytes.subarray(this.foundStart, this.foundEnd));
      column.kind[index] = valueKind.absent;
      this.spliceTop(index, column.field, value, false);
    }
  }

  /** Folds every nested column of one event. */
  collapseAll(index: number): void {
    for (let i = 0; i < this.columns.length; i++) {
      const column = this.columns[i]!;
      if (column.field.keys.length > 1 && column.kind[index] !== valueKind.absent) {
        this.collapse(index, column.field.keys[0]!);
      }
    }
  }

  private canStandNested(index: number, field: Field): boolean {
    const exact = this.findColumn(field);
    if (exact !== undefined && exact.kind[index] !== valueKind.absent) return true;
    const top = field.keys[0]!;
    for (const column of this.columns) {
      if (column.field.keys[0] !== top || column.kind[index] === valueKind.absent) continue;
      if (column.field.keys.length === 1) return false;
      // A shorter or longer path over the same keys would hide or be hidden.
      const shared = Math.min(column.field.keys.length, field.keys.length);
      let same = 0;
      while (same < shared && column.field.keys[same] === field.keys[same]) same++;
      if (same === shared) return false;
    }
    const root = this.rootBytes(index);
    return (
      root === undefined || findMember(root, this.foundStart, field.keyBytes[0]!) === undefined
    );
  }

  private clearBelow(index: number, field: Field): void {
    for (const column of this.columns) {
      if (column.field.keys.length > 1 && column.field.keys[0] === field.keys[0]) {
        if (field.keys.length === 1) column.kind[index] = valueKind.absent;
      }
    }
  }

  private spliceTop(index: number, field: Field, value: Buffer | undefined, fold = true): void {
    const top = field.keys[0]!;
    if (fold) this.collapse(index, top);
    const topField = fieldOf([top]);
    const container = this.locateTop(index, topField)
      ? this.foundKind === valueKind.json
        ? Buffer.from(this.foundBytes.subarray(this.foundStart, this.foundEnd))
        : quoted(this.foundBytes.subarray(this.foundStart, this.foundEnd))
      : Buffer.from('{}');
    const json = spliceJson(container, field.keys.slice(1), value);
    const column = this.column(topField);
    if (column === undefined) this.spliceRoot(index, topField, json);
    else this.setBytes(column, index, json, valueKind.json);
  }

  /** For the event that touches more fields than there are columns: its root takes the edit. */
  private spliceRoot(index: number, field: Field, value: Buffer | undefined): void {
    const root = this.rootBytes(index);
    const json = root
      ? Buffer.from(root.subarray(this.foundStart, this.foundEnd))
      : Buffer.from('{}');
    const edited = spliceJson(json, field.keys, value);
    const at = this.reserveScratch(edited.length);
    if (at < 0) {
      this.external.push(edited);
      this.rootStart[index] = this.external.length - 1;
      this.rootEnd[index] = edited.length;
      this.rootKind[index] = 2;
    } else {
      edited.copy(this.bytes, at);
      this.setRoot(index, at, at + edited.length);
    }
  }
}

export interface BatchMark {
  readonly columns: readonly Column[];
  readonly scratchAt: number;
  readonly external: number;
  readonly hasNested: boolean;
}

export interface BatchShape {
  readonly events: number;
  readonly dataBytes: number;
  readonly scratchBytes: number;
  readonly inKernelMemory: boolean;
}

/** Makes a batch on the heap: for events larger than a slot, and for what filters emit. */
export function heapBatch(dataBytes: number, events: number): Batch {
  const scratchBytes = 4096 + dataBytes;
  const bytes =
    align(dataBytes + layout.guardBytes) +
    align(scratchBytes + layout.guardBytes) +
    eventArraysBytes(events);
  return new Batch(Buffer.alloc(bytes), 0, {
    events,
    dataBytes,
    scratchBytes,
    inKernelMemory: false,
  });
}

/** A text as a JSON string with its quotes. */
export function quoted(text: Buffer): Buffer {
  return Buffer.from(JSON.stringify(text.toString()));
}

/** True when the span holds nothing but JSON white space. */
export function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isJsonSpace(bytes[at]!)) return false;
  return true;
}

/** Cuts typed arrays out of a buffer, each aligned to 16 bytes. */
class ArrayCarver {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = bytes.byteOffset + at;
  }

  private take(bytes: number): number {
    this.at = (this.at + 15) & ~15;
    const at = this.at;
    this.at += bytes;
    return at;
  }

  float64(length: number): Float64Array {
    return new Float64Array(this.bytes.buffer, this.take(length * 8), length);
  }

  int32(length: number): Int32Array {
    return new Int32Array(this.bytes.buffer, this.take(length * 4), length);
  }

  uint16(length: number): Uint16Array {
    return new Uint16Array(this.bytes.buffer, this.take(length * 2), length);
  }

  uint8(length: number): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.take(length), length);
  }
}
