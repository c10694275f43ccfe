import { type Batch, type Field, tagsField } from '../../../core/sdk/index.ts';
import { Constant } from '../../shared/values/constant.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import { TextTemplate } from '../../shared/values/text_template.ts';
import { ValueTemplate } from '../../shared/values/value_template.ts';
import { type Operation, type OperationContext, putJson, putText } from './operation.ts';

/** Which events a value is set in: all, those that have the field, those that have it as null. */
export type SetWhen = 'always' | 'present' | 'null';

/** `set`, `replace`, `update` and `coerce`. */
export class SetField implements Operation {
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly field: Field;
  private readonly when: SetWhen;
  private readonly constant: Constant | undefined;
  private readonly template: TextTemplate | undefined;
  private readonly json: ValueTemplate | undefined;

  constructor(reference: string, value: unknown, when: SetWhen, context: OperationContext) {
    this.field = context.field(reference);
    this.finder = context.finder;
    this.which = when === 'always' ? -1 : context.finder.add(this.field);
    this.when = when;
    const template = typeof value === 'string' ? new TextTemplate(value) : undefined;
    this.json = ValueTemplate.of(value);
    if (this.json !== undefined) return;
    if (template !== undefined && template.constant === undefined) this.template = template;
    else this.constant = new Constant(template?.constant ?? value);
  }

  run(batch: Batch): void {
    this.constant?.begin();
    if (this.when === 'always' && this.constant !== undefined) {
      this.constant.putSelected(batch, this.field);
      return;
    }
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !this.isWanted(batch, index)) continue;
      if (this.constant !== undefined) this.constant.put(batch, index, this.field);
      else if (this.json !== undefined) {
        putJson(batch, index, this.field, this.json.render(batch, index));
      } else putText(batch, index, this.field, this.template!.render(batch, index));
    }
  }

  private isWanted(batch: Batch, index: number): boolean {
    if (this.when === 'always') return true;
    const finder = this.finder;
    if (!finder.find(batch, index, this.which)) return false;
    return this.when === 'present' || (!finder.isString() && finder.text() === 'null');
  }
}

/** `add_tag`. */
export class AddTags implements Operation {
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly templates: readonly TextTemplate[];
  /** The whole array, for events without tags. */
  private readonly whole: Constant | undefined;

  constructor(tags: readonly string[], context: OperationContext) {
    this.finder = context.finder;
    this.which = context.finder.add(tagsField);
    this.templates = tags.map((tag) => new TextTemplate(tag));
    const texts = this.templates.map((template) => template.constant);
    if (!texts.includes(undefined)) this.whole = new Constant([...new Set(texts)]);
  }

  run(batch: Batch): void {
    this.whole?.begin();
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      if (this.whole !== undefined && !this.finder.find(batch, index, this.which)) {
        this.whole.put(batch, index, tagsField);
        continue;
      }
      for (const template of this.templates) batch.addMark(index, template.render(batch, index));
    }
  }
}

/** `remove_tag`. */
export class RemoveTags implements Operation {
  private readonly templates: readonly TextTemplate[];

  constructor(tags: readonly string[]) {
    this.templates = tags.map((tag) => new TextTemplate(tag));
  }

  run(batch: Batch): void {
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      for (const template of this.templates) batch.removeMark(index, template.render(batch, index));
    }
  }
}
