import type { Kernel } from '../kernel/kernel.ts';
import type { Batch, Column } from './batch.ts';
import { dropReason } from './batch.ts';
import type { ByteWriter } from './byte_writer.ts';
import { type Field, fieldOf } from './field.ts';
import { JsonEventEncoder } from './json_encode.ts';
import { PlainObjects } from './plain_objects.ts';
import { shortText } from './short_text.ts';
import { valueKind } from './value_kind.ts';

/** A field that was asked for, and what is known of it in the batch under way. */
interface KnownField {
  readonly field: Field;
  /** One key, which means nothing else. */
  readonly isPlain: boolean;
  /** True for the batch of this number, while it has so many columns. */
  batchNumber: number;
  columnCount: number;
  column: Column | undefined;
  /** The text set last, and where it stands in the batch of this number. */
  text: string | undefined;
  textBatchNumber: number;
  textStart: number;
  textEnd: number;
}

/** One event of a batch, as a plugin's `filter(event)` sees it. The view is moved from event to
 *  event: keep values, never the view. Reading decodes only the field that is asked for. */
export class EventView {
  private batch!: Batch;
  private index = 0;
  private readonly fields = new Map<string, KnownField>();
  private readonly resolve: (reference: string) => Field;
  private readonly encoder = new JsonEventEncoder();
  private readonly writer: ByteWriter;
  private readonly objects: PlainObjects | undefined;
  /** Number of the batch that `begin` began; 0 outside of one. */
  private batchNumber = 0;
  private batches = 0;
  /** The event's new root is not written yet. */
  private isDue = false;

  /** `resolve` turns `a`, `[a][b]` or `$a['b']` into a field; results are kept. */
  constructor(resolve: (reference: string) => Field, writer: ByteWriter, kernel?: Kernel) {
    this.resolve = resolve;
    this.writer = writer;
    this.objects = kernel && new PlainObjects(kernel);
  }

  /** From here to `end`, all events are of this batch, and nobody else edits it. For the engine, not
   *  for plugins. */
  begin(batch: Batch): void {
    this.batchNumber = ++this.batches;
    this.isDue = false;
    this.objects?.begin(batch);
  }

  /** Ends what `begin` began. For the engine. */
  end(): void {
    this.settle();
    this.objects?.settle();
    this.batchNumber = 0;
  }

  /** Frees what the view has of the kernel's memory. For the engine. */
  close(): void {
    this.objects?.close();
  }

  /** Moves the view. For the engine, not for plugins. */
  at(batch: Batch, index: number): this {
    this.batch = batch;
    this.index = index;
    this.isDue = false;
    return this;
  }

  /** Makes the event what `replace` said, for whoever edits it past the view. For the engine. */
  settle(): void {
    if (!this.isDue) return;
    this.objects!.settle();
    this.isDue = false;
  }

  get tag(): string {
    return this.batch.tagName(this.index);
  }

  /** Event time in Unix milliseconds. */
  get timeMs(): number {
    return this.batch.seconds[this.index]! * 1000 + this.batch.nanos[this.index]! / 1e6;
  }

  set timeMs(value: number) {
    const seconds = Math.floor(value / 1000);
    this.batch.seconds[this.index] = seconds;
    this.batch.nanos[this.index] = Math.round((value - seconds * 1000) * 1e6);
  }

  /** The value of a field, or undefined. */
  get(reference: string): unknown {
    // hot path
    const known = this.known(reference);
    const { batch, index } = this;
    const column = this.columnOf(known);
    if (column === undefined) return batch.valueAt(index, known.field);
    const kind = column.kind[index]!;
    if (kind === valueKind.text) {
      return shortText(batch.bytes, column.start[index]!, column.end[index]!);
    }
    return kind === valueKind.removed ? undefined : batch.valueAt(index, known.field);
  }

  has(reference: string): boolean {
    const known = this.known(reference);
    return this.batch.locate(this.index, known.field);
  }

  set(reference: string, value: unknown): void {
    // hot path
    const known = this.known(reference);
    const { batch, index } = this;
    this.objects?.forget();
    const column = typeof value === 'string' ? this.columnFor(known) : undefined;
    if (column === undefined) {
      batch.setValue(index, known.field, value);
      return;
    }
    if (known.text !== value || known.textBatchNumber !== this.batchNumber) {
      batch.setText(column, index, value as string);
      if (column.kind[index] !== valueKind.text) return;
      known.text = value as string;
      known.textBatchNumber = this.batchNumber;
      known.textStart = column.start[index]!;
      known.textEnd = column.end[index]!;
      return;
    }
    column.start[index] = known.textStart;
    column.end[index] = known.textEnd;
    column.kind[index] = valueKind.text;
  }

  rename(from: string, to: string): void {
    // hot path
    const source = this.known(from);
    const target = this.known(to);
    const { index } = this;
    this.objects?.forget();
    const column = this.columnOf(source);
    const kind = column === undefined ? valueKind.absent : column.kind[index]!;
    if (kind === valueKind.text || kind === valueKind.json) {
      const targetColumn = this.columnFor(target);
      if (targetColumn !== undefined) {
        const start = column!.start[index]!;
        const end = column!.end[index]!;
        column!.kind[index] = valueKind.removed;
        targetColumn.start[index] = start;
        targetColumn.end[index] = end;
        targetColumn.kind[index] = kind;
        return;
      }
    }
    if (kind !== valueKind.removed) this.renameAnywhere(source.field, target.field);
  }

  remove(reference: string): void {
    // hot path
    const known = this.known(reference);
    this.objects?.forget();
    const column = this.columnOf(known);
    if (column === undefined) this.batch.removeField(this.index, known.field);
    else column.kind[this.index] = valueKind.removed;
  }

  addMark(mark: string): void {
    this.settle();
    this.objects?.forget();
    this.batch.addMark(this.index, mark);
  }

  /** Takes the event out of the pipeline; it counts as filtered. */
  drop(): void {
    this.batch.dropped[this.index] = dropReason.filtered;
  }

  /** The whole event as a plain object. */
  toObject(): Record<string, unknown> {
    this.settle();
    const { batch, index } = this;
    const simple = this.batchNumber > 0 ? this.objects?.read(index) : undefined;
    if (simple !== undefined) return simple;
    if (batch.rootKind[index] === 0 && !batch.hasNested) return this.columnsObject();
    this.writer.clear();
    this.encoder.write(this.batch, this.index, this.writer);
    // The encoder writes one JSON object.
    return JSON.parse(this.writer.view().toString()) as Record<string, unknown>;
  }

  /** Replaces the whole event by a plain object. */
  replace(object: Record<string, unknown>): void {
    this.settle();
    if (this.batchNumber > 0 && this.objects?.replace(this.index, object) === true) {
      this.isDue = true;
    } else this.batch.replaceRootText(this.index, textOf(object));
  }

  private renameAnywhere(source: Field, target: Field): void {
    const { batch, index } = this;
    if (!batch.locate(index, source)) return;
    const { foundBytes, foundStart, foundEnd } = batch;
    // `locate` gives text or json, no other kind.
    const kind = batch.foundKind as 1 | 2;
    batch.removeField(index, source);
    if (foundBytes === batch.bytes) {
      if (batch.setFieldSpan(index, target, foundStart, foundEnd, kind)) return;
    }
    batch.setField(index, target, Buffer.from(foundBytes.subarray(foundStart, foundEnd)), kind);
  }

  /** The whole event, which is nothing but columns of one key each. */
  private columnsObject(): Record<string, unknown> {
    const { batch, index } = this;
    const object: Record<string, unknown> = {};
    for (let i = 0; i < batch.columns.length; i++) {
      const column = batch.columns[i]!;
      const value = batch.columnValue(column, index);
      if (value === undefined) continue;
      const key = column.field.keys[0]!;
      if (key !== '__proto__') object[key] = value;
      else {
        // As JSON.parse does: a member, not the object's prototype.
        const own = { value, enumerable: true, configurable: true, writable: true };
        Object.defineProperty(object, key, own);
      }
    }
    return object;
  }

  /** A field by its reference. Every access comes by here. */
  private known(reference: string): KnownField {
    // hot path
    if (this.isDue) this.settle();
    let known = this.fields.get(reference);
    if (known === undefined) {
      known = knownField(this.resolve(reference));
      // Names built from data would fill the map: past the bound they are made anew.
      if (this.fields.size < 1024) this.fields.set(reference, known);
    }
    return known;
  }

  /** The field's column, if it has one and nothing but that column and the root can have the field;
   *  undefined outside of `begin` and `end`. */
  private columnOf(known: KnownField): Column | undefined {
    // hot path
    const { batch, batchNumber } = this;
    if (known.batchNumber !== batchNumber || known.columnCount !== batch.columns.length) {
      const isSure = batchNumber > 0 && known.isPlain && !batch.hasNested;
      known.column = isSure ? batch.findColumn(known.field) : undefined;
      known.batchNumber = batchNumber;
      known.columnCount = batch.columns.length;
    }
    return known.column;
  }

  /** As `columnOf`, with a new column where there is none and room for one. */
  private columnFor(known: KnownField): Column | undefined {
    // hot path
    const column = this.columnOf(known);
    if (column !== undefined || this.batchNumber === 0) return column;
    if (!known.isPlain || this.batch.hasNested) return undefined;
    known.column = this.batch.column(known.field);
    known.columnCount = this.batch.columns.length;
    return known.column;
  }
}

function knownField(field: Field): KnownField {
  return {
    field,
    isPlain: field.keys.length === 1 && field.flat === undefined,
    batchNumber: -1,
    columnCount: 0,
    column: undefined,
    text: undefined,
    textBatchNumber: 0,
    textStart: 0,
    textEnd: 0,
  };
}

/** A field of the top level, whatever characters its name has. */
export function topLevel(name: string): Field {
  return fieldOf([name]);
}

/** An object as JSON. Throws a TypeError for what is none: an array, or one whose `toJSON` gives
 *  something else. */
function textOf(object: Record<string, unknown>): string {
  const text: string | undefined = JSON.stringify(object);
  if (text?.startsWith('{')) return text;
  throw new TypeError('a record must be a plain object');
}
