import type { JsonSchema, JsonType } from './json_schema.ts';
import { type ConfigNode, entryIgnoringCase } from './node.ts';

/** The branch of a schema that a value means: of `oneOf` or `anyOf`, the one whose discriminating constants
 *  fit, else the first whose type fits as it is, else the first that a spelling could turn into. */
export function selectSchema(schema: JsonSchema, node: ConfigNode): JsonSchema {
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches === undefined || schema['x-type'] !== undefined) return schema;
  const resolved = branches.map((branch) => selectSchema(branch, node));
  return (
    resolved.find((branch) => constantsFit(branch, node)) ??
    resolved.find((branch) => typeFits(branch, node) && !hasConstants(branch)) ??
    resolved.find((branch) => typeCouldFit(branch, node) && !hasConstants(branch)) ??
    resolved.find((branch) => typeFits(branch, node)) ??
    schema
  );
}

/** The types that a schema allows; undefined when it says nothing. */
export function typesOf(schema: JsonSchema): readonly JsonType[] | undefined {
  if (schema.type === undefined) return schema.properties === undefined ? undefined : ['object'];
  return typeof schema.type === 'string' ? [schema.type] : schema.type;
}

/** The JSON type of a node; `integer` for whole numbers. */
export function typeOfNode(node: ConfigNode): JsonType {
  if (node.kind === 'map') return 'object';
  if (node.kind === 'list') return 'array';
  if (node.value === null) return 'null';
  if (typeof node.value === 'number') return Number.isInteger(node.value) ? 'integer' : 'number';
  return typeof node.value === 'boolean' ? 'boolean' : 'string';
}

/** Whether a node already has one of the types. */
export function hasType(types: readonly JsonType[], node: ConfigNode): boolean {
  const type = typeOfNode(node);
  return types.includes(type) || (type === 'integer' && types.includes('number'));
}

function constantsOf(schema: JsonSchema): readonly [string, readonly unknown[]][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    if (property.const !== undefined) return [[key, [property.const]]];
    return [];
  });
}

function hasConstants(schema: JsonSchema): boolean {
  return schema.const !== undefined || constantsOf(schema).length > 0;
}

function constantsFit(schema: JsonSchema, node: ConfigNode): boolean {
  if (schema.const !== undefined) return node.kind === 'scalar' && schema.const === node.value;
  if (schema.enum !== undefined) return node.kind === 'scalar' && isChoice(schema.enum, node.text);
  const constants = constantsOf(schema);
  if (constants.length === 0 || node.kind !== 'map') return false;
  return constants.every(([key, allowed]) => {
    const value = entryIgnoringCase(node, key)?.value;
    return value?.kind === 'scalar' && allowed.includes(value.value);
  });
}

/** Whether a text is one of the choices, in any case. */
function isChoice(choices: readonly unknown[], text: string): boolean {
  return choices.some((choice) => String(choice).toLowerCase() === text.toLowerCase());
}

function typeFits(schema: JsonSchema, node: ConfigNode): boolean {
  if (schema['x-type'] !== undefined) return node.kind === 'scalar';
  if (schema.enum !== undefined) return false;
  const types = typesOf(schema);
  return types === undefined || hasType(types, node);
}

function typeCouldFit(schema: JsonSchema, node: ConfigNode): boolean {
  if (node.kind !== 'scalar' || node.value === null || schema.enum !== undefined) return false;
  const types = typesOf(schema);
  return types === undefined || types.some((type) => type !== 'object' && type !== 'null');
}
