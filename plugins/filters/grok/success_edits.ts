import {
  type Batch,
  type Column,
  countMarked,
  type Field,
  type PluginContext,
  valueKind,
} from '../../../core/sdk/index.ts';
import { TextTemplate } from '../../shared/values/text_template.ts';
import type { Options } from './config.ts';
import { joinValue } from './join_value.ts';

/** A field whose name may depend on the event. */
class NamedField {
  readonly constant: Field | undefined;
  private readonly template: TextTemplate;
  private readonly context: PluginContext;

  constructor(name: string, context: PluginContext) {
    this.template = new TextTemplate(name);
    this.context = context;
    const { constant } = this.template;
    if (constant !== undefined) this.constant = context.field(constant);
  }

  of(batch: Batch, index: number): Field {
    return this.constant ?? this.context.field(this.template.render(batch, index));
  }
}

interface AddedField {
  readonly name: NamedField;
  readonly values: readonly (TextTemplate | number | boolean)[];
}

/** What becomes of an event that matched, in Logstash's order: `add_field`, `remove_field`,
 *  `add_tag`, `remove_tag`. */
export class SuccessEdits {
  readonly isEmpty: boolean;
  private readonly added: readonly AddedField[];
  private readonly removed: readonly NamedField[];
  private readonly addedTags: readonly TextTemplate[];
  private readonly removedTags: readonly TextTemplate[];
  /** Columns of the removed fields in the current batch, where hiding a value is all there is to do. */
  private readonly removedColumns: (Column | undefined)[] = [];

  constructor(options: Options, context: PluginContext) {
    this.added = Object.entries(options.add_field ?? {}).map(([name, value]) => ({
      name: new NamedField(name, context),
      values: valuesOf(value).map((one) => (typeof one === 'string' ? new TextTemplate(one) : one)),
    }));
    this.removed = (options.remove_field ?? []).map((name) => new NamedField(name, context));
    this.addedTags = (options.add_tag ?? []).map((tag) => new TextTemplate(tag));
    this.removedTags = (options.remove_tag ?? []).map((tag) => new TextTemplate(tag));
    this.isEmpty = [this.added, this.removed, this.addedTags, this.removedTags].every(
      (list) => list.length === 0,
    );
  }

  begin(batch: Batch): void {
    for (let i = 0; i < this.removed.length; i++) {
      const field = this.removed[i]!.constant;
      this.removedColumns[i] = undefined;
      // What is added could come to stand below the field.
      if (field === undefined || field.keys.length > 1 || this.added.length > 0) continue;
      const isAlone = batch.columns.every(
        (column) => column.field.keys.length === 1 || column.field.keys[0] !== field.keys[0],
      );
      if (isAlone) this.removedColumns[i] = batch.findColumn(field);
    }
  }

  /** `begin`, and `apply` for all events that the batch selects. */
  applySelected(batch: Batch): void {
    if (this.isEmpty) return;
    this.begin(batch);
    const { select, count } = batch;
    const hides = this.added.length + this.addedTags.length + this.removedTags.length === 0;
    if (hides && this.removed.length === 1 && countMarked(select, count) === count) {
      const column = this.removedColumns[0];
      if (column !== undefined) {
        column.kind.fill(valueKind.removed, 0, count);
        return;
      }
    }
    for (let index = 0; index < count; index++) {
      if (select[index] === 1) this.apply(batch, index);
    }
  }

  apply(batch: Batch, index: number): void {
    // hot path
    for (let i = 0; i < this.added.length; i++) this.add(batch, index, this.added[i]!);
    for (let i = 0; i < this.removed.length; i++) {
      const column = this.removedColumns[i];
      if (column !== undefined) column.kind[index] = valueKind.removed;
      else {
        const field = this.removed[i]!.of(batch, index);
        if (batch.locate(index, field)) batch.removeField(index, field);
      }
    }
    for (let i = 0; i < this.addedTags.length; i++) {
      batch.addMark(index, this.addedTags[i]!.render(batch, index));
    }
    for (let i = 0; i < this.removedTags.length; i++) {
      batch.removeMark(index, this.removedTags[i]!.render(batch, index));
    }
  }

  private add(batch: Batch, index: number, { name, values }: AddedField): void {
    const field = name.of(batch, index);
    for (const one of values) {
      const value = typeof one === 'object' ? one.render(batch, index) : one;
      if (!batch.locate(index, field)) batch.setValue(index, field, value);
      else {
        const json = joinValue(batch, JSON.stringify(value), 'any');
        batch.setField(index, field, Buffer.from(json!), valueKind.json);
      }
    }
  }
}

function valuesOf(
  value: string | number | boolean | readonly string[],
): readonly (string | number | boolean)[] {
  return typeof value === 'object' ? value : [value];
}
