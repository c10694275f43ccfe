import {
  type Batch,
  type BatchFilter,
  ByteWriter,
  type Counter,
  type DerivedEmitter,
  dropReason,
  type Field,
  JsonEventEncoder,
  type PluginContext,
  spliceJson,
  topLevel,
  valueKind,
} from '../../../core/sdk/index.ts';
import { arrayElements } from '../../shared/values/array_elements.ts';
import { DerivedEvents } from '../../shared/values/derived_events.ts';
import type { Options } from './config.ts';

/** Bytes of all records made out of one: beyond, it stays whole. A large record with many pieces
 *  would otherwise fill the memory, each piece having a copy of the rest. */
const derivedBytesMax = 64 * 1024 * 1024;

/** Makes one record of each piece of a field. */
export class SplitFilter implements BatchFilter {
  private readonly field: Field;
  private readonly target: Field;
  private readonly keepsWhole: boolean;
  private readonly terminator: string;
  private readonly piecesMax: number;
  private readonly marks: readonly string[];
  private readonly failures: Counter;
  private readonly derived: DerivedEvents;
  private readonly encoder = new JsonEventEncoder();
  private readonly writer = new ByteWriter(4096);

  constructor(options: Options, context: PluginContext) {
    this.field = context.field(options.field ?? 'message');
    const { target } = options;
    this.target = target === undefined ? this.field : context.field(target);
    this.keepsWhole = this.target.name !== this.field.name;
    this.terminator = options.terminator ?? '\n';
    this.piecesMax = options.pieces_max ?? 10_000;
    this.marks = options.tag_on_failure ?? ['_split_type_failure'];
    this.failures = context.metrics.counter('sluice_split_failures_total');
    this.derived = new DerivedEvents(context.id);
  }

  process(batch: Batch, emitter: DerivedEmitter): void {
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] === 1) this.split(batch, index, emitter);
    }
    this.derived.flush(batch, emitter, 'next');
  }

  private split(batch: Batch, index: number, emitter: DerivedEmitter): void {
    const pieces = this.piecesOf(batch, index);
    if (pieces === undefined) {
      this.fail(batch, index);
      return;
    }
    // A record without pieces would vanish: it stays what it is.
    if (pieces.length === 0) return;
    const base = this.baseOf(batch, index);
    const bytes = pieces.reduce((sum, piece) => sum + piece.length + base.length, 0);
    if (pieces.length > this.piecesMax || bytes > derivedBytesMax) {
      this.fail(batch, index);
      return;
    }
    pieces.forEach((piece, i) => {
      const json = spliceJson(base, this.targetKeys(batch, index), Buffer.from(piece));
      this.derived.add(batch, index, i + 1, json, emitter, 'next');
    });
    batch.dropped[index] = dropReason.split;
  }

  /** The pieces as JSON; undefined when the field is neither an array nor a text. A text of one
   *  piece is not split. */
  private piecesOf(batch: Batch, index: number): readonly string[] | undefined {
    if (!batch.locate(index, this.field)) return undefined;
    const isText =
      batch.foundKind === valueKind.text || batch.foundBytes[batch.foundStart] === 0x22;
    const text = batch.foundText();
    if (!isText) return arrayElements(text);
    const pieces = text.split(this.terminator);
    if (pieces.length === 1) return [];
    return pieces.filter((piece) => piece !== '').map((piece) => JSON.stringify(piece));
  }

  /** The event as JSON, without the field when the pieces take its place. */
  private baseOf(batch: Batch, index: number): Buffer {
    this.writer.clear();
    this.encoder.write(batch, index, this.writer);
    const whole = Buffer.from(this.writer.view());
    if (this.keepsWhole) return whole;
    return spliceJson(whole, this.fieldKeys(batch, index, this.field), undefined);
  }

  private targetKeys(batch: Batch, index: number): readonly string[] {
    return this.fieldKeys(batch, index, this.target);
  }

  /** `a.b` is the flat key where an event has one. */
  private fieldKeys(batch: Batch, index: number, field: Field): readonly string[] {
    if (field.literal === undefined) return field.keys;
    return batch.locate(index, topLevel(field.literal)) ? [field.literal] : field.keys;
  }

  private fail(batch: Batch, index: number): void {
    this.failures.value++;
    for (const mark of this.marks) batch.addMark(index, mark);
  }
}
