import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import { type ConfigNode, formatPath, type ListNode, type MapEntry, type MapNode } from './node.ts';

/** Joins the trees of several files: lists go one after the other, maps join, and a value that two files give
 *  is an error that names both places. */
export function mergeTrees(
  trees: readonly ConfigNode[],
  report: (diagnostic: Diagnostic) => void,
): ConfigNode | undefined {
  const [first, ...others] = trees;
  if (first === undefined) return undefined;
  return others.reduce((merged, tree) => mergeNodes(merged, tree, [], report), first);
}

function mergeNodes(
  left: ConfigNode,
  right: ConfigNode,
  path: readonly string[],
  report: (diagnostic: Diagnostic) => void,
): ConfigNode {
  if (isNothing(right)) return left;
  if (isNothing(left)) return right;
  if (left.kind === 'map' && right.kind === 'map') return mergeMaps(left, right, path, report);
  if (path.length > 0 && left.kind !== 'map' && right.kind !== 'map') {
    if (left.kind === 'list' || right.kind === 'list') {
      const items = [...itemsOf(left), ...itemsOf(right)];
      return { kind: 'list', items, position: left.position };
    }
  }
  const first = left.position;
  const message =
    path.length === 0
      ? 'The file is no map of sections.'
      : `The option "${path.at(-1)}" is set by two files; the first is at ${first.file}:${first.line}:${first.column}.`;
  report(diagnosticAt(right.position, message, { path: formatPath(path) }));
  return left;
}

function isNothing(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function itemsOf(node: ConfigNode): readonly ConfigNode[] {
  return (node as ListNode).kind === 'list' ? (node as ListNode).items : [node];
}

function mergeMaps(
  left: MapNode,
  right: MapNode,
  path: readonly string[],
  report: (diagnostic: Diagnostic) => void,
): MapNode {
  const entries = new Map<string, MapEntry>(left.entries.map((entry) => [entry.key, entry]));
  for (const entry of right.entries) {
    const known = entries.get(entry.key);
    const value =
      known === undefined
        ? entry.value
        : mergeNodes(known.value, entry.value, [...path, entry.key], report);
    entries.set(entry.key, { ...(known ?? entry), value });
  }
  return { ...left, entries: [...entries.values()] };
}
