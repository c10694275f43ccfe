import type { RegexNode, RepeatNode } from './ast.ts';
import { closesRun, countedLoopMax, isRun, mayBeTheSame } from './cost.ts';
import { type CharSet, emptySet, setsOverlap, unionSets } from './char_set.ts';
import type { FactTable } from './facts.ts';

const bitsMax = 64;

/** Estimates in how many ways counted loops, optional parts and alternatives can divide one text, as
 *  its logarithm to the base 2: `(?:a|aa){40}` has 40 choices of two. An upper bound for what a
 *  failing search may try beside what loops without a count cost (`costDegree`). */
export function countedWayBits(root: RegexNode, facts: FactTable): number {
  return Math.min(bitsMax, bits(root, emptySet, facts));
}

function bits(node: RegexNode, follow: CharSet, facts: FactTable): number {
  switch (node.kind) {
    case 'sequence':
      return sequenceBits(node.items, follow, facts);
    case 'alternation': {
      const own = Math.max(...node.items.map((item) => bits(item, follow, facts)));
      return own + Math.log2(alikeMost(node.items, facts));
    }
    case 'repeat':
      return repeatBits(node, follow, facts);
    case 'capture':
    case 'reference':
      return bits(node.body, follow, facts);
    case 'atomic':
    case 'look':
      return bits(node.body, emptySet, facts);
    default:
      return 0;
  }
}

function sequenceBits(items: readonly RegexNode[], follow: CharSet, facts: FactTable): number {
  let total = 0;
  let next = follow;
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i]!;
    const closed = isRun(item) && i + 1 < items.length && closesRun(items[i + 1]!, item);
    total += bits(item, closed ? emptySet : next, facts);
    const known = facts.of(item);
    next = known.minLength > 0 ? known.first : unionSets(known.first, next);
  }
  return total;
}

function repeatBits(node: RepeatNode, follow: CharSet, facts: FactTable): number {
  const { first } = facts.of(node.body);
  const isCounted = node.max <= countedLoopMax;
  // Where it ends is a choice when what follows may begin as a further round does.
  const isOpen = isCounted && node.max > node.min && setsOverlap(first, follow);
  const endBits = isOpen ? Math.log2(node.max - node.min + 1) : 0;
  if (node.body.kind === 'set') return endBits;
  const behind = node.max > 1 ? unionSets(first, follow) : follow;
  // A loop without a count is looked at by `costDegree`.
  return endBits + bits(node.body, behind, facts) * (isCounted ? node.max : 1);
}

/** How many alternatives may take the same text as one of them, itself included. */
function alikeMost(items: readonly RegexNode[], facts: FactTable): number {
  let most = 1;
  for (const one of items) {
    let alike = 0;
    for (const other of items) if (one === other || mayBeTheSame(one, other, facts)) alike++;
    most = Math.max(most, alike);
  }
  return most;
}
