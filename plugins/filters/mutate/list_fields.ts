import { type Batch, type Field, MemberCursor, spliceJson } from '../../../core/sdk/index.ts';
import { arrayElements } from '../../shared/values/array_elements.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import { type Operation, type OperationContext, putJson, putText } from './operation.ts';

/** `split`: a text becomes an array of texts. */
export class SplitField implements Operation {
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly field: Field;
  private readonly separator: string;

  constructor(reference: string, separator: string, context: OperationContext) {
    this.field = context.field(reference);
    this.finder = context.finder;
    this.which = context.finder.add(this.field);
    this.separator = separator;
  }

  run(batch: Batch): void {
    const { finder, field } = this;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, this.which)) continue;
      if (!finder.isString()) continue;
      putJson(batch, index, field, JSON.stringify(splitAsRuby(finder.text(), this.separator)));
    }
  }
}

/** Ruby's `split`: empty parts at the end go; a single space means any white space. */
function splitAsRuby(text: string, separator: string): string[] {
  const parts = separator === ' ' ? text.trimStart().split(/\s+/) : text.split(separator);
  while (parts.length > 0 && parts[parts.length - 1] === '') parts.pop();
  return parts;
}

/** `join`: an array becomes a text. */
export class JoinField implements Operation {
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly field: Field;
  private readonly separator: string;

  constructor(reference: string, separator: string, context: OperationContext) {
    this.field = context.field(reference);
    this.finder = context.finder;
    this.which = context.finder.add(this.field);
    this.separator = separator;
  }

  run(batch: Batch): void {
    const { finder, field } = this;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, this.which)) continue;
      const elements = finder.isString() ? undefined : arrayElements(finder.text());
      if (elements === undefined) continue;
      putText(batch, index, field, joinElements(elements, this.separator));
    }
  }
}

/** Arrays inside are joined too; null is empty; objects are JSON. */
function joinElements(elements: readonly string[], separator: string): string {
  const texts = elements.map((element) => {
    // An element that begins with a quote is a JSON string.
    if (element.startsWith('"')) return JSON.parse(element) as string;
    const inner = arrayElements(element);
    if (inner !== undefined) return joinElements(inner, separator);
    return element === 'null' ? '' : element;
  });
  return texts.join(separator);
}

/** `merge`: arrays and single values become one array, objects one object. */
export class MergeField implements Operation {
  private readonly context: OperationContext;
  private readonly into: Field;
  private readonly intoNumber: number;
  private readonly fromNumber: number;
  private readonly cursor = new MemberCursor();

  constructor(into: string, from: string, context: OperationContext) {
    this.context = context;
    this.into = context.field(into);
    this.intoNumber = context.finder.add(this.into);
    this.fromNumber = context.finder.add(context.field(from));
  }

  run(batch: Batch): void {
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1) continue;
      const added = this.jsonOf(batch, index, this.fromNumber);
      if (added === undefined || added === 'null') continue;
      const present = this.jsonOf(batch, index, this.intoNumber) ?? 'null';
      const merged = this.merge(present, added);
      if (merged === undefined) this.context.fail(batch, index);
      else putJson(batch, index, this.into, merged);
    }
  }

  /** A field as JSON. */
  private jsonOf(batch: Batch, index: number, which: number): string | undefined {
    const finder = this.context.finder;
    if (!finder.find(batch, index, which)) return undefined;
    return finder.isString() ? JSON.stringify(finder.text()) : finder.text();
  }

  private merge(present: string, added: string): string | undefined {
    const addsObject = added.startsWith('{');
    const hasObject = present.startsWith('{');
    if (present === 'null') return addsObject ? added : arrayText(listOf(added));
    if (addsObject !== hasObject) return undefined;
    if (!addsObject) return arrayText([...listOf(present), ...listOf(added)]);
    let merged: Buffer = Buffer.from(present);
    const members = Buffer.from(added);
    this.cursor.start(members, 0);
    while (this.cursor.next()) {
      const value = members.subarray(this.cursor.valueStart, this.cursor.valueEnd);
      merged = spliceJson(merged, [this.cursor.keyText()], value);
    }
    return merged.toString();
  }
}

function listOf(json: string): string[] {
  return arrayElements(json) ?? [json];
}

function arrayText(elements: readonly string[]): string {
  return `[${elements.join(',')}]`;
}
