import type { JsonSchema, JsonType, XType } from './json_schema.ts';

/** `validation` is what a loaded file must meet; `editor` also takes what loading turns into that: variables,
 *  words for booleans, one value for a list of one, `storage: {type: …}` for `storage.type`. */
export type SchemaForm = 'validation' | 'editor';

/** Completes a schema as plugins write it: what each `x-type` looks like in the file, objects that refuse
 *  unknown keys, and the tolerance of the form. */
export function expandSchema(schema: JsonSchema, form: SchemaForm): JsonSchema {
  const children = expandChildren(schema, form);
  const spelled = children['x-type'] === undefined ? children : expandSpelling(children);
  return form === 'editor' ? loosen(spelled) : spelled;
}

function expandChildren(schema: JsonSchema, form: SchemaForm): JsonSchema {
  const expand = (child: JsonSchema) => expandSchema(child, form);
  const all = (list: readonly JsonSchema[] | undefined) => list?.map(expand);
  const each = (map: Readonly<Record<string, JsonSchema>>) =>
    Object.fromEntries(Object.entries(map).map(([key, child]) => [key, expand(child)]));
  const { properties, patternProperties, additionalProperties, items } = schema;
  const out: Record<string, unknown> = { ...schema };
  if (properties !== undefined) {
    out['properties'] = form === 'editor' ? withGroups(each(properties)) : each(properties);
    out['type'] ??= 'object';
    out['additionalProperties'] ??= false;
  }
  if (patternProperties !== undefined) out['patternProperties'] = each(patternProperties);
  if (typeof additionalProperties === 'object') {
    out['additionalProperties'] = expand(additionalProperties);
  }
  if (items !== undefined) out['items'] = expand(items);
  // Branches that only restrict, as in `anyOf: [{required: [a]}, {required: [b]}]`, stay as they are.
  if (schema.oneOf !== undefined) out['oneOf'] = all(schema.oneOf);
  if (schema.anyOf !== undefined) out['anyOf'] = all(schema.anyOf);
  return out as JsonSchema; // Built from a schema, keyword by keyword.
}

const spellingTypes: Readonly<Record<XType, readonly JsonType[]>> = {
  duration: ['string', 'number'],
  size: ['string', 'number'],
  retry_limit: ['string', 'integer', 'boolean'],
  secret: ['string', 'object'],
  comma_list: ['string', 'array'],
  space_list: ['string', 'array'],
  boolean_word: ['boolean'],
  field: ['string'],
  expression: ['string'],
  regex: ['string'],
  template: ['string'],
  date_format: ['string'],
  time_zone: ['string'],
};

function expandSpelling(schema: JsonSchema): JsonSchema {
  const type = schema['x-type']!;
  const types = spellingTypes[type];
  const expanded: JsonSchema = { ...schema, type: types.length === 1 ? types[0]! : types };
  if (type === 'comma_list' || type === 'space_list') {
    return { ...expanded, items: { type: 'string', ...schema.items } };
  }
  if (type !== 'secret') return expanded;
  return {
    ...expanded,
    properties: {
      file: { type: 'string', minLength: 1, description: 'File that has the value.' },
      env: { type: 'string', minLength: 1, description: 'Variable that has the value.' },
    },
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
  };
}

const variable = '\\$\\{';
const booleanWords = `^(?:[Tt]rue|TRUE|[Ff]alse|FALSE|[Oo]n|ON|[Oo]ff|OFF|[Yy]es|YES|[Nn]o|NO)$|${variable}`;

function loosen(schema: JsonSchema): JsonSchema {
  if (schema.enum !== undefined) {
    const { description, default: fallback, ...rest } = schema;
    const loose: JsonSchema = { anyOf: [rest, { type: 'string', pattern: variable }] };
    return {
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
      ...loose,
    };
  }
  if (schema.type === 'boolean') {
    return { ...schema, type: ['boolean', 'string'], pattern: booleanWords };
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    return { ...schema, type: [schema.type, 'string'], pattern: `^[+-]?[\\d.]+$|${variable}` };
  }
  if (schema.type === 'array' && schema.items !== undefined && isScalarSchema(schema.items)) {
    const { description, default: fallback, ...rest } = schema;
    return {
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
      anyOf: [rest, schema.items],
    };
  }
  return schema;
}

function isScalarSchema(schema: JsonSchema): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.every(isScalarSchema);
  if (schema.enum !== undefined || schema.const !== undefined) return true;
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type;
  return types?.every((type) => type !== 'object' && type !== 'array') ?? false;
}

/** Adds `storage: {type, path}` beside `storage.type` and `storage.path`. */
function withGroups(
  properties: Readonly<Record<string, JsonSchema>>,
): Readonly<Record<string, JsonSchema>> {
  const groups = new Map<string, Record<string, JsonSchema>>();
  for (const [key, schema] of Object.entries(properties)) {
    const dot = key.indexOf('.');
    if (dot <= 0 || dot === key.length - 1) continue;
    const prefix = key.slice(0, dot);
    const group = groups.get(prefix) ?? {};
    group[key.slice(dot + 1)] = schema;
    groups.set(prefix, group);
  }
  const out: Record<string, JsonSchema> = { ...properties };
  for (const [prefix, members] of groups) {
    const group: JsonSchema = {
      type: 'object',
      properties: withGroups(members),
      additionalProperties: false,
    };
    const alone = out[prefix];
    out[prefix] = alone === undefined ? group : { anyOf: [alone, group] };
  }
  return out;
}
