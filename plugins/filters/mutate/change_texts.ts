import type { Batch, CompiledRegex, Field } from '../../../core/sdk/index.ts';
import { arrayElements } from '../../shared/values/array_elements.ts';
import type { FieldFinder } from '../../shared/values/field_finder.ts';
import { matchTexts } from '../../shared/values/guarded_matching.ts';
import { TextTemplate } from '../../shared/values/text_template.ts';
import type { ConvertType } from './config.ts';
import { convertValue } from './convert_value.ts';
import { type Operation, type OperationContext, putJson, putText } from './operation.ts';
import { compileReplacement, type Replacement } from './replacement.ts';

/** Changes a text; the same text means no change. */
type TextChange = (text: string) => string;

export const textChanges = {
  uppercase: (text: string) => text.toUpperCase(),
  lowercase: (text: string) => text.toLowerCase(),
  capitalize: capitalized,
  strip: stripped,
} as const satisfies Record<string, TextChange>;

/** `uppercase`, `capitalize`, `lowercase` and `strip`: on texts, and on the texts of an array. */
export class ChangeText implements Operation {
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly field: Field;
  private readonly change: TextChange;

  constructor(reference: string, change: TextChange, context: OperationContext) {
    this.field = context.field(reference);
    this.finder = context.finder;
    this.which = context.finder.add(this.field);
    this.change = change;
  }

  run(batch: Batch): void {
    const { finder, field, change } = this;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, this.which)) continue;
      const text = finder.text();
      if (finder.isString()) {
        const changed = change(text);
        if (changed !== text) putText(batch, index, field, changed);
        continue;
      }
      const elements = arrayElements(text);
      if (elements !== undefined) putJson(batch, index, field, changedArray(elements, change));
    }
  }
}

/** `convert`. */
export class ConvertField implements Operation {
  private readonly finder: FieldFinder;
  private readonly which: number;
  private readonly field: Field;
  private readonly type: ConvertType;

  constructor(reference: string, type: ConvertType, context: OperationContext) {
    this.field = context.field(reference);
    this.finder = context.finder;
    this.which = context.finder.add(this.field);
    this.type = type;
  }

  run(batch: Batch): void {
    const { finder, field, type } = this;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, this.which)) continue;
      const isString = finder.isString();
      const token = finder.text();
      const converted = convertValue(token, isString, type);
      if (converted !== undefined && (isString || converted !== token)) {
        putJson(batch, index, field, converted);
      }
    }
  }
}

/** `gsub`: on texts, and on the texts of an array. */
export class ReplaceMatches implements Operation {
  private readonly context: OperationContext;
  private readonly which: number;
  private readonly field: Field;
  private readonly regex: CompiledRegex;
  private readonly template: TextTemplate;
  private readonly fixed: Replacement | undefined;
  private readonly texts: string[] = [];
  private readonly indices: number[] = [];
  private readonly areArrays: boolean[] = [];

  constructor(
    reference: string,
    regex: CompiledRegex,
    replacement: string,
    context: OperationContext,
  ) {
    this.field = context.field(reference);
    this.context = context;
    this.which = context.finder.add(this.field);
    this.regex = regex;
    this.template = new TextTemplate(replacement);
    const { constant } = this.template;
    if (constant !== undefined) this.fixed = compileReplacement(constant, regex.groupNames);
  }

  run(batch: Batch): void {
    const { texts, indices, areArrays } = this;
    const finder = this.context.finder;
    texts.length = 0;
    indices.length = 0;
    areArrays.length = 0;
    for (let index = 0; index < batch.count; index++) {
      if (batch.select[index] !== 1 || !finder.find(batch, index, this.which)) continue;
      const isString = finder.isString();
      const text = finder.text();
      if (!isString && !text.startsWith('[')) continue;
      texts.push(text);
      indices.push(index);
      areArrays.push(!isString);
    }
    if (texts.length > 0) this.replaceCollected(batch);
  }

  private replaceCollected(batch: Batch): void {
    const { texts, indices, areArrays, field } = this;
    const results = texts.slice();
    const givenUp = matchTexts(this.regex, texts, (position) => {
      const replacement = this.replacementFor(batch, indices[position]!);
      const change = (part: string) =>
        this.regex.replaceAll(part, (match) => replacement(match, part));
      const text = texts[position]!;
      results[position] = areArrays[position]
        ? changedArray(arrayElements(text) ?? [], change)
        : change(text);
    });
    for (const position of givenUp) results[position] = texts[position]!;
    for (let position = 0; position < texts.length; position++) {
      const result = results[position]!;
      if (result === texts[position]) continue;
      if (areArrays[position]) putJson(batch, indices[position]!, field, result);
      else putText(batch, indices[position]!, field, result);
    }
    for (const position of givenUp) this.context.fail(batch, indices[position]!);
  }

  private replacementFor(batch: Batch, index: number): Replacement {
    if (this.fixed !== undefined) return this.fixed;
    return compileReplacement(this.template.render(batch, index), this.regex.groupNames);
  }
}

function changedArray(elements: readonly string[], change: TextChange): string {
  const changed = elements.map((element) =>
    // An element that begins with a quote is a JSON string.
    element.startsWith('"') ? JSON.stringify(change(JSON.parse(element) as string)) : element,
  );
  return `[${changed.join(',')}]`;
}

function capitalized(text: string): string {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0);
  return text === '' ? '' : first.toUpperCase() + text.slice(first.length).toLowerCase();
}

/** As Ruby's `strip`: ASCII white space, and NUL at the end. */
function stripped(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlankCode(text.charCodeAt(start))) start++;
  while (end > start && (isBlankCode(text.charCodeAt(end - 1)) || text.charCodeAt(end - 1) === 0)) {
    end--;
  }
  return text.slice(start, end);
}

function isBlankCode(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
