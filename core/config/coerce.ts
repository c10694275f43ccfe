import type { JsonSchema, JsonType } from './json_schema.ts';
import type { ConfigNode, MapNode, ScalarNode } from './node.ts';
import { hasType, selectSchema, typesOf } from './select_schema.ts';
import { parseBooleanWord, parseNumber, splitCommas, splitSpaces } from './spellings.ts';

/** Gives values the types that their schema names, where their text allows: `"9200"` and `On` become a number
 *  and a boolean, `1.10` the text `1.10`, one value a list of one. What does not fit stays as it is, for
 *  validation to report. Entries without a value fall away where a map or a list stands. */
export function coerceTree(node: ConfigNode, schema: JsonSchema): ConfigNode {
  const selected = selectSchema(schema, node);
  if (selected['x-type'] !== undefined) return coerceSpelling(node, selected);
  const types = typesOf(selected);
  if (node.kind === 'map') {
    // A map where a list of maps is wanted stays for validation to report; its keys are already right.
    return coerceMap(node, selected);
  }
  if (node.kind === 'list') {
    const { items } = selected;
    if (items === undefined) return node;
    return { ...node, items: node.items.map((item) => coerceTree(item, items)) };
  }
  if (selected.enum !== undefined || selected.const !== undefined) {
    return coerceToChoice(node, selected.enum ?? [selected.const]);
  }
  if (types === undefined || hasType(types, node)) return node;
  if (types.includes('array') && node.value !== null) {
    const item = selected.items === undefined ? node : coerceTree(node, selected.items);
    return { kind: 'list', items: [item], position: node.position };
  }
  return coerceScalar(node, types);
}

function coerceMap(node: MapNode, schema: JsonSchema): ConfigNode {
  const entries = node.entries.flatMap((entry) => {
    const property = propertySchema(schema, entry.key);
    if (property === undefined) return [entry];
    if (isNothing(entry.value) && isCollection(property)) return [];
    return [{ ...entry, value: coerceTree(entry.value, property) }];
  });
  return { ...node, entries };
}

/** The schema of a member of a map, from its properties, patterns or the rest. */
export function propertySchema(schema: JsonSchema, key: string): JsonSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) {
    return schema.properties[key];
  }
  for (const [pattern, value] of Object.entries(schema.patternProperties ?? {})) {
    if (new RegExp(pattern, 'u').test(key)) return value;
  }
  const additional = schema.additionalProperties;
  return typeof additional === 'object' ? additional : undefined;
}

function isNothing(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function isCollection(schema: JsonSchema): boolean {
  if (schema['x-type'] !== undefined) return false;
  const types = typesOf(schema);
  if (types === undefined) return (schema.oneOf ?? schema.anyOf ?? []).some(isCollection);
  return types.every((type) => type === 'object' || type === 'array');
}

function coerceSpelling(node: ConfigNode, schema: JsonSchema): ConfigNode {
  const type = schema['x-type'];
  if (type === 'comma_list' || type === 'space_list') {
    if (node.kind === 'list') return { ...node, items: node.items.map(toTextNode) };
    if (node.kind !== 'scalar' || node.value === null) return node;
    const parts = type === 'comma_list' ? splitCommas(node.text) : splitSpaces(node.text);
    const items = parts.map((part): ScalarNode => {
      const { textStart: _textStart, ...rest } = node;
      return { ...rest, value: part, text: part };
    });
    return { kind: 'list', items, position: node.position };
  }
  if (node.kind !== 'scalar') return node;
  if (type === 'boolean_word') return coerceScalar(node, ['boolean']);
  if (type === 'duration' || type === 'size' || type === 'retry_limit') return node;
  return toTextNode(node);
}

function toTextNode(node: ConfigNode): ConfigNode {
  return node.kind === 'scalar' ? coerceScalar(node, ['string']) : node;
}

function coerceToChoice(node: ScalarNode, choices: readonly unknown[]): ConfigNode {
  if (choices.includes(node.value)) return node;
  // `name: null` is written without quotes by everybody who wants the plugin of that name.
  const text = node.text.toLowerCase();
  if (text === '') return node;
  const choice = choices.find((candidate) => String(candidate).toLowerCase() === text);
  if (choice === undefined) return node;
  return { ...node, value: choice as ScalarNode['value'] }; // Choices of a schema are JSON scalars.
}

function coerceScalar(node: ScalarNode, types: readonly JsonType[]): ScalarNode {
  const value = coerceValue(node, types);
  return value === undefined ? node : { ...node, value };
}

function coerceValue(
  node: ScalarNode,
  types: readonly JsonType[],
): ScalarNode['value'] | undefined {
  if (node.value === null) return undefined;
  if (typeof node.value === 'string') {
    const numeric = types.includes('number') || types.includes('integer');
    const number = numeric ? parseNumber(node.value) : undefined;
    if (number !== undefined) return number;
    return types.includes('boolean') ? parseBooleanWord(node.value) : undefined;
  }
  return types.includes('string') ? node.text : undefined;
}
