import { messageOf } from '../errors/sluice_error.ts';
import { coerceTree, propertySchema } from './coerce.ts';
import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import type { JsonSchema, XReference } from './json_schema.ts';
import {
  type ConfigNode,
  entryOf,
  formatPath,
  fromValue,
  type MapNode,
  setOwn,
  type SourcePosition,
  toValue,
} from './node.ts';
import type { SecretReader } from './secret_source.ts';
import { Secret } from './secret.ts';
import { selectSchema } from './select_schema.ts';
import { parseDuration, parseRetryLimit, parseSize } from './spellings.ts';

export interface Reference {
  readonly to: XReference;
  readonly name: string;
  readonly position: SourcePosition;
  readonly path: string;
}

/** What normalising finds besides the value. */
export interface NormalizeContext {
  readonly secrets: SecretReader;
  report(diagnostic: Diagnostic): void;
  refer(reference: Reference): void;
}

/** Turns a valid tree into plain options: spellings into numbers, booleans, lists and Secrets, defaults filled
 *  in. Never throws; an unreadable secret is reported. */
export function normalizeTree(
  node: ConfigNode,
  schema: JsonSchema,
  context: NormalizeContext,
  path: readonly (string | number)[] = [],
): unknown {
  const selected = selectSchema(schema, node);
  if (selected['x-ref'] !== undefined) collectReferences(node, selected, context, path);
  if (selected['x-type'] !== undefined) return normalizeSpelling(node, selected, context, path);
  if (node.kind === 'list') {
    const { items } = selected;
    if (items === undefined) return checkedValue(node, context, path);
    return node.items.map((item, index) => normalizeTree(item, items, context, [...path, index]));
  }
  if (node.kind === 'map') return normalizeMap(node, selected, context, path);
  return checkedValue(node, context, path);
}

function normalizeMap(
  node: MapNode,
  schema: JsonSchema,
  context: NormalizeContext,
  path: readonly (string | number)[],
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const entry of node.entries) {
    const property = propertySchema(schema, entry.key);
    const memberPath = [...path, entry.key];
    const value =
      property === undefined
        ? checkedValue(entry.value, context, memberPath)
        : normalizeTree(entry.value, property, context, memberPath);
    setOwn(options, entry.key, value);
    if (property?.['x-ignored'] !== undefined) {
      const message = `The option "${entry.key}" has no effect. ${property['x-ignored']}`;
      const place = { severity: 'warning', path: formatPath(memberPath) } as const;
      context.report(diagnosticAt(entry.keyPosition, message, place));
    }
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined || entryOf(node, key) !== undefined) continue;
    const fallback = coerceTree(fromValue(property.default, node.position), property);
    setOwn(options, key, normalizeTree(fallback, property, context, [...path, key]));
  }
  return options;
}

/** A free value as it is. A whole number beyond 2^53 would change in silence, so it is an error. */
function checkedValue(
  node: ConfigNode,
  context: NormalizeContext,
  path: readonly (string | number)[],
): unknown {
  if (node.kind === 'list') {
    return node.items.map((item, index) => checkedValue(item, context, [...path, index]));
  }
  if (node.kind === 'map') {
    const object: Record<string, unknown> = {};
    for (const { key, value } of node.entries) {
      setOwn(object, key, checkedValue(value, context, [...path, key]));
    }
    return object;
  }
  const { value, text } = node;
  if (typeof value === 'number' && /^[+-]?\d+$/.test(text) && !Number.isSafeInteger(value)) {
    const message = `The number ${text.slice(0, 40)} cannot be kept exactly.`;
    const detail = { path: formatPath(path), expected: 'quotes around it, to keep it as a text' };
    context.report(diagnosticAt(node.position, message, detail));
  }
  return value;
}

function normalizeSpelling(
  node: ConfigNode,
  schema: JsonSchema,
  context: NormalizeContext,
  path: readonly (string | number)[],
): unknown {
  const value = toValue(node);
  switch (schema['x-type']) {
    case 'duration':
      return parseDuration(value, schema['x-unit']);
    case 'size':
      return parseSize(value);
    case 'retry_limit':
      return parseRetryLimit(value);
    case 'secret':
      return normalizeSecret(node, context, path);
    case 'comma_list':
    case 'space_list':
      return typeof value === 'string' ? [value] : value;
    default:
      return value;
  }
}

function normalizeSecret(
  node: ConfigNode,
  context: NormalizeContext,
  path: readonly (string | number)[],
): Secret {
  if (node.kind === 'scalar') return new Secret(node.value === null ? '' : node.text);
  const place = { path: formatPath(path) };
  const file = entryOf(node, 'file')?.value;
  const source = file ?? entryOf(node, 'env')?.value;
  if (source?.kind !== 'scalar') return new Secret('');
  try {
    const read =
      file === undefined
        ? context.secrets.fromEnvironment(source.text)
        : context.secrets.fromFile(source.text, source.position.file);
    if (read.warning !== undefined) {
      const detail = { ...place, severity: 'warning' } as const;
      context.report(diagnosticAt(source.position, read.warning, detail));
    }
    return new Secret(read.value);
  } catch (error) {
    context.report(diagnosticAt(source.position, messageOf(error), place));
    return new Secret('');
  }
}

function collectReferences(
  node: ConfigNode,
  schema: JsonSchema,
  context: NormalizeContext,
  path: readonly (string | number)[],
): void {
  const nodes = node.kind === 'list' ? node.items : [node];
  for (const item of nodes) {
    if (item.kind !== 'scalar' || item.value === null) continue;
    const { position, text } = item;
    context.refer({ to: schema['x-ref']!, name: text, position, path: formatPath(path) });
  }
}
