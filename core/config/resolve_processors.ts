import { messageOf } from '../errors/sluice_error.ts';
import { coerceTree } from './coerce.ts';
import { diagnosticAt } from './diagnostic.ts';
import { expandSchema } from './expand_schema.ts';
import { conditionExpression, conditionSchema, type RecordCondition } from './fluent_bit_routes.ts';
import { normalizeKeys } from './keys.ts';
import {
  type ConfigNode,
  entryIgnoringCase,
  formatPath,
  type MapEntry,
  type MapNode,
  nodeAt,
  scalarNode,
} from './node.ts';
import { normalizeTree } from './normalize.ts';
import { type PlainComponent, type ResolveContext, resolveComponent } from './resolve_component.ts';
import type { FilterBase } from './resolved.ts';

/** The filters under `processors.logs` of an input or output, in order. */
export function resolveProcessors(
  owner: PlainComponent,
  processorOf: NonNullable<FilterBase['processorOf']>,
  context: ResolveContext,
): PlainComponent[] {
  const { node, found } = nodeAt(owner.node, ['processors', 'logs']);
  if (!found || node.kind !== 'list') return [];
  return node.items.flatMap((item, index) => {
    const path = [...owner.path, 'processors', 'logs', index];
    const filter = resolveComponent(withWhen(item, path, context), 'filter', path, context);
    return filter === undefined ? [] : [{ ...filter, processorOf }];
  });
}

/** Writes the rules of `condition` as `when`. A filter's own option of that name is no map. */
function withWhen(
  node: ConfigNode,
  path: readonly (string | number)[],
  context: ResolveContext,
): ConfigNode {
  const condition = entryIgnoringCase(node, 'condition');
  if (node.kind !== 'map' || condition?.value.kind !== 'map') return node;
  const place = [...path, condition.key];
  const others = node.entries.filter((entry) => entry !== condition);
  const when = entryIgnoringCase(node, 'when');
  if (when !== undefined) {
    const message = 'The option "condition" says the same as "when".';
    const expected = 'one of the two';
    context.report(diagnosticAt(when.keyPosition, message, { path: formatPath(place), expected }));
    return { ...node, entries: others };
  }
  const written = expressionOf(condition, condition.value, place, context);
  if (written === undefined) return { ...node, entries: others };
  const { keyPosition } = condition;
  const entry = { key: 'when', keyPosition, value: scalarNode(written, keyPosition) };
  return { ...node, entries: [...others, entry] };
}

function expressionOf(
  entry: MapEntry,
  node: MapNode,
  path: readonly (string | number)[],
  { report, validator, secrets }: ResolveContext,
): string | undefined {
  const schema = expandSchema(conditionSchema, 'validation');
  const tree = coerceTree(normalizeKeys(node, schema, report, path), schema);
  const problems = validator.validate(tree, schema, path);
  for (const problem of problems) report(problem);
  if (problems.length > 0) return undefined;
  const condition = normalizeTree(tree, schema, { secrets, report, refer: () => {} }, path);
  try {
    return conditionExpression(condition as RecordCondition); // Normalised by this schema.
  } catch (error) {
    report(diagnosticAt(entry.keyPosition, messageOf(error), { path: formatPath(path) }));
    return undefined;
  }
}
