import type { Batch } from './batch.ts';
import { dropReason } from './batch.ts';
import type { ByteWriter } from './byte_writer.ts';
import { type Field, fieldOf } from './field.ts';
import { JsonEventEncoder } from './json_encode.ts';

/** One event of a batch, as a plugin's `filter(event)` sees it. The view is moved from event to
 *  event: keep values, never the view. Reading decodes only the field that is asked for. */
export class EventView {
  private batch!: Batch;
  private index = 0;
  private readonly fields = new Map<string, Field>();
  private readonly resolve: (reference: string) => Field;
  private readonly encoder = new JsonEventEncoder();
  private readonly writer: ByteWriter;

  /** `resolve` turns `a`, `[a][b]` or `$a['b']` into a field; results are kept. */
  constructor(resolve: (reference: string) => Field, writer: ByteWriter) {
    this.resolve = resolve;
    this.writer = writer;
  }

  /** Moves the view. For the engine, not for plugins. */
  at(batch: Batch, index: number): this {
    this.batch = batch;
    this.index = index;
    return this;
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
    return this.batch.valueAt(this.index, this.field(reference));
  }

  has(reference: string): boolean {
    return this.batch.locate(this.index, this.field(reference));
  }

  set(reference: string, value: unknown): void {
    this.batch.setValue(this.index, this.field(reference), value);
  }

  rename(from: string, to: string): void {
    const source = this.field(from);
    if (!this.batch.locate(this.index, source)) return;
    const { batch, index } = this;
    const { foundBytes, foundStart, foundEnd } = batch;
    // `locate` gives text or json, no other kind.
    const kind = batch.foundKind as 1 | 2;
    const target = this.field(to);
    batch.removeField(index, source);
    if (foundBytes === batch.bytes) {
      if (batch.setFieldSpan(index, target, foundStart, foundEnd, kind)) return;
    }
    batch.setField(index, target, Buffer.from(foundBytes.subarray(foundStart, foundEnd)), kind);
  }

  remove(reference: string): void {
    this.batch.removeField(this.index, this.field(reference));
  }

  addMark(mark: string): void {
    this.batch.addMark(this.index, mark);
  }

  /** Takes the event out of the pipeline; it counts as filtered. */
  drop(): void {
    this.batch.dropped[this.index] = dropReason.filtered;
  }

  /** The whole event as a plain object. */
  toObject(): Record<string, unknown> {
    const { batch, index } = this;
    if (batch.rootKind[index] === 0 && !batch.hasNested) return this.columnsObject();
    this.writer.clear();
    this.encoder.write(this.batch, this.index, this.writer);
    // The encoder writes one JSON object.
    return JSON.parse(this.writer.view().toString()) as Record<string, unknown>;
  }

  /** Replaces the whole event by a plain object. */
  replace(object: Record<string, unknown>): void {
    this.batch.replaceRootText(this.index, JSON.stringify(object));
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

  private field(reference: string): Field {
    let field = this.fields.get(reference);
    if (field === undefined) {
      field = this.resolve(reference);
      // Names built from data would fill the map: past the bound they are made anew.
      if (this.fields.size < 1024) this.fields.set(reference, field);
    }
    return field;
  }
}

/** A field of the top level, whatever characters its name has. */
export function topLevel(name: string): Field {
  return fieldOf([name]);
}
