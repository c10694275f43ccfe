import { childrenOf, type RegexNode } from '../regex/ast.ts';
import { type CharSet, unionSets } from '../regex/char_set.ts';

/** The ASCII character that a node stands for, if it is one. */
export function singleByte(node: RegexNode): number | undefined {
  if (node.kind !== 'set' || node.set.length !== 2 || node.set[0] !== node.set[1]) return undefined;
  return node.set[0]! < 128 ? node.set[0] : undefined;
}

export interface NeededPrefix {
  readonly members: CharSet;
  readonly byte: number;
  /** Nodes that a matcher goes through to get there. */
  readonly nodes: number;
}

/** An ASCII character that every match has, and the characters that may stand up to its first
 *  place; undefined when they are not easy to see. */
export function neededPrefix(node: RegexNode): NeededPrefix | undefined {
  switch (node.kind) {
    case 'set': {
      const byte = singleByte(node);
      return byte === undefined ? undefined : { members: node.set, byte, nodes: 1 };
    }
    case 'sequence':
      return neededInSequence(node.items);
    case 'alternation': {
      const all = node.items.map(neededPrefix);
      const byte = all[0]?.byte;
      if (byte === undefined || all.some((one) => one?.byte !== byte)) return undefined;
      const members = unionSets(...all.map((one) => one!.members));
      return { members, byte, nodes: all.reduce((sum, one) => sum + one!.nodes, 1) };
    }
    case 'repeat':
      return node.min > 0 ? neededPrefix(node.body) : undefined;
    case 'capture':
    case 'reference':
    case 'atomic':
      return neededPrefix(node.body);
    default:
      return undefined;
  }
}

function neededInSequence(items: readonly RegexNode[]): NeededPrefix | undefined {
  let members: CharSet = [];
  let nodes = 1;
  for (const item of items) {
    const needed = neededPrefix(item);
    if (needed !== undefined) {
      const all = unionSets(members, needed.members);
      return { members: all, byte: needed.byte, nodes: nodes + needed.nodes };
    }
    const more = membersOf(item);
    if (more === undefined) return undefined;
    members = unionSets(members, more);
    nodes += countNodes(item);
  }
  return undefined;
}

function countNodes(node: RegexNode): number {
  let count = 1;
  for (const child of childrenOf(node)) count += countNodes(child);
  return count;
}

/** All characters that a match of the node may have; undefined when that is not clear. */
function membersOf(node: RegexNode): CharSet | undefined {
  switch (node.kind) {
    case 'set':
      return node.set;
    case 'empty':
    case 'assertion':
    case 'look':
      return [];
    case 'sequence':
    case 'alternation': {
      const sets: CharSet[] = [];
      for (const item of node.items) {
        const set = membersOf(item);
        if (set === undefined) return undefined;
        sets.push(set);
      }
      return unionSets(...sets);
    }
    case 'repeat':
    case 'capture':
    case 'reference':
    case 'atomic':
      return membersOf(node.body);
    default:
      return undefined;
  }
}
