import type { ParsedFields } from '../../../core/sdk/index.ts';
import type { MultilineRules } from './definition.ts';

/** Fills `fields` with what the rules' parser finds in a line; false when it does not fit. */
export function parseInto(rules: MultilineRules, text: string, fields: ParsedFields): boolean {
  fields.clear();
  const parser = rules.parser;
  if (parser === undefined || !parser.parse(text, fields)) return false;
  if (parser.wholeObject) {
    fields.clear();
    // `parse` said that the text is a JSON object.
    const object = JSON.parse(text) as Record<string, unknown>;
    for (const key of Object.keys(object)) fields.set(key, object[key]);
  }
  return true;
}

/** A field as text; '' for none. */
export function textOf(fields: ParsedFields, key: string | undefined): string {
  if (key === undefined) return '';
  for (let i = fields.count - 1; i >= 0; i--) {
    if (fields.keys[i] === key) {
      const value = fields.values[i];
      return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    }
  }
  return '';
}

/** The key that holds the content when none is given. */
export function lastTextKey(fields: ParsedFields): string {
  for (let i = fields.count - 1; i >= 0; i--) {
    if (typeof fields.values[i] === 'string') return fields.keys[i]!;
  }
  return 'log';
}
