import fc from 'fast-check';
import type { Batch } from '../../../core/batch/batch.ts';
import { type Field, fieldOf } from '../../../core/batch/field.ts';

/** One change to an event, as a filter makes it. */
export type Edit =
  | { readonly kind: 'set'; readonly path: string[]; readonly value: unknown }
  | { readonly kind: 'span'; readonly path: string[]; readonly text: string }
  | { readonly kind: 'remove'; readonly path: string[] }
  | { readonly kind: 'replace'; readonly value: Record<string, unknown> };

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const key = fc.constantFrom('a', 'b', 'level', 'msg', 'é"\\', '0', '1', '-1', '');
const path = fc.oneof(
  { weight: 3, arbitrary: key.map((top) => [top]) },
  { weight: 2, arbitrary: fc.array(key, { minLength: 2, maxLength: 4 }) },
);
const value = fc.oneof(
  fc.string({ maxLength: 30, unit: 'binary' }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>({ a: { b: [1, { a: 2 }] } }, [[1, 2], { level: 'x' }], 'x'.repeat(200)),
);

/** Any change of a field; paths overlap often. */
export const edits: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('set' as const), path, value }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('span' as const),
      path,
      text: fc.string({ maxLength: 40 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), path }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      value: fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
    }),
  },
);

const fields = new Map<string, Field>();

/** One field object per path, as filters keep them. */
export function fieldAt(keys: string[]): Field {
  const name = JSON.stringify(keys);
  let field = fields.get(name);
  if (field === undefined) {
    field = fieldOf(keys);
    fields.set(name, field);
  }
  return field;
}

/** Makes the change in the batch. */
export function applyEdit(batch: Batch, index: number, edit: Edit): void {
  if (edit.kind === 'replace') batch.replaceRoot(index, Buffer.from(JSON.stringify(edit.value)));
  else if (edit.kind === 'remove') batch.removeField(index, fieldAt(edit.path));
  else if (edit.kind === 'set') batch.setValue(index, fieldAt(edit.path), edit.value);
  else {
    const text = Buffer.from(edit.text);
    const at = batch.reserveScratch(text.length);
    if (at < 0) {
      batch.setField(index, fieldAt(edit.path), text, 1);
      return;
    }
    text.copy(batch.bytes, at);
    batch.setFieldSpan(index, fieldAt(edit.path), at, at + text.length, 1);
  }
}

/** Makes the change in a plain value and returns it. */
export function applyToModel(model: Json, edit: Edit): Json {
  if (edit.kind === 'replace') return plain(edit.value);
  if (edit.kind === 'remove') return removeIn(model, edit.path);
  return setIn(model, edit.path, edit.kind === 'span' ? edit.text : plain(edit.value));
}

/** The value at a path, or undefined. */
export function readModel(model: Json, keys: readonly string[]): Json | undefined {
  let at: Json | undefined = model;
  for (const name of keys) {
    if (Array.isArray(at)) at = /^-?\d+$/.test(name) ? at.at(Number(name)) : undefined;
    else if (isObject(at)) at = Object.hasOwn(at, name) ? at[name] : undefined;
    else return undefined;
  }
  return at;
}

function setIn(model: Json, keys: readonly string[], wanted: Json): Json {
  if (keys.length === 0) return wanted;
  const [first, ...rest] = keys as [string, ...string[]];
  if (Array.isArray(model) && /^-?\d+$/.test(first)) {
    const place = Number(first) < 0 ? model.length + Number(first) : Number(first);
    return model.map((element, i) => (i === place ? setIn(element, rest, wanted) : element));
  }
  const target = isObject(model) ? model : {};
  const inner = Object.hasOwn(target, first) ? target[first]! : {};
  return { ...target, [first]: setIn(inner, rest, wanted) };
}

function removeIn(model: Json, keys: readonly string[]): Json {
  if (readModel(model, keys) === undefined) return model;
  const [first, ...rest] = keys as [string, ...string[]];
  if (Array.isArray(model)) {
    const place = Number(first) < 0 ? model.length + Number(first) : Number(first);
    if (rest.length === 0) return model.filter((_, i) => i !== place);
    return model.map((element, i) => (i === place ? removeIn(element, rest) : element));
  }
  const target = model as { [key: string]: Json };
  if (rest.length > 0) return { ...target, [first]: removeIn(target[first]!, rest) };
  const { [first]: _removed, ...kept } = target;
  return kept;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as JSON can say it. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
