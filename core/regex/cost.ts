import type { RegexNode, RepeatNode } from './ast.ts';
import { type CharSet, emptySet, isSubset, setsOverlap, unionSets, wordSet } from './char_set.ts';
import type { FactTable } from './facts.ts';

/** A counted loop over more than this many characters is treated as unbounded. */
export const countedLoopMax = 200;

/** Estimates how the time of a failing match grows: the exponent n of length^n, Infinity when
 *  exponential. An upper bound, found without running: a loop costs a factor when what follows it
 *  can also start inside it, and an unanchored search costs one. */
export function costDegree(root: RegexNode, facts: FactTable): number {
  const start = isAnchored(root) ? 0 : 1;
  return start + 1 + degree(root, emptySet, facts);
}

/** True when a match can only begin at the start of the text (or of a line). */
export function isAnchored(node: RegexNode): boolean {
  switch (node.kind) {
    case 'assertion':
      return node.type === 'text_start' || node.type === 'line_start';
    case 'sequence':
      return node.items.length > 0 && isAnchored(node.items[0]!);
    case 'alternation':
      return node.items.every(isAnchored);
    case 'capture':
    case 'reference':
    case 'atomic':
      return isAnchored(node.body);
    default:
      return false;
  }
}

function degree(node: RegexNode, follow: CharSet, facts: FactTable): number {
  switch (node.kind) {
    case 'sequence':
      return sequenceDegree(node.items, follow, facts);
    case 'alternation':
      return Math.max(...node.items.map((item) => degree(item, follow, facts)));
    case 'repeat':
      return repeatDegree(node, follow, facts);
    case 'capture':
    case 'reference':
      return degree(node.body, follow, facts);
    case 'atomic':
    case 'look':
      return degree(node.body, emptySet, facts);
    case 'backreference':
      return 1;
    default:
      return 0;
  }
}

function sequenceDegree(items: readonly RegexNode[], follow: CharSet, facts: FactTable): number {
  let total = 0;
  let next = follow;
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i]!;
    // After a run of X, `\b` or `(?!X)` refuses every shorter run at once: the loop has one way out.
    const closed = isRun(item) && i + 1 < items.length && closesRun(items[i + 1]!, item);
    total += degree(item, closed ? emptySet : next, facts);
    const known = facts.of(item);
    next = known.minLength > 0 ? known.first : unionSets(known.first, next);
  }
  return total;
}

export function isRun(node: RegexNode): node is RepeatNode {
  return node.kind === 'repeat' && node.body.kind === 'set';
}

export function closesRun(next: RegexNode, run: RepeatNode): boolean {
  if (run.body.kind !== 'set' || run.lazy) return false;
  if (next.kind === 'assertion') {
    return next.type === 'word_boundary' && isSubset(run.body.set, wordSet);
  }
  return (
    next.kind === 'look' &&
    next.negative &&
    !next.behind &&
    next.body.kind === 'set' &&
    isSubset(run.body.set, next.body.set)
  );
}

function repeatDegree(node: RepeatNode, follow: CharSet, facts: FactTable): number {
  const body = facts.of(node.body);
  const unbounded = node.max > countedLoopMax;
  if (node.body.kind === 'set') {
    return unbounded && setsOverlap(node.body.set, follow) ? 1 : 0;
  }
  if (node.max <= 1) return degree(node.body, follow, facts);
  const inner = degree(node.body, unionSets(body.first, follow), facts);
  if (!unbounded) return inner * node.max;
  // Two ways to divide the same text into rounds double with every round.
  if (degree(node.body, body.first, facts) > 0) return Number.POSITIVE_INFINITY;
  if (hasTwoWays(node.body, unionSets(body.first, follow), facts)) return Number.POSITIVE_INFINITY;
  return inner + (setsOverlap(body.first, follow) ? 1 : 0);
}

/** True when the same text may be a round in two ways, or end in two places that the next round can
 *  begin at: it can then be divided differently, as by `(a|aa)+`, `(a?a)+` and `(ab|[ac]b)+`. */
function hasTwoWays(node: RegexNode, follow: CharSet, facts: FactTable): boolean {
  switch (node.kind) {
    case 'capture':
    case 'reference':
      return hasTwoWays(node.body, follow, facts);
    case 'sequence':
      return sequenceHasTwoWays(node.items, follow, facts);
    case 'alternation':
      return (
        node.items.some((one, at) =>
          node.items.slice(at + 1).some((other) => mayBeTheSame(one, other, facts)),
        ) || node.items.some((one) => hasTwoWays(one, follow, facts))
      );
    case 'repeat': {
      const { first } = facts.of(node.body);
      const endsAnywhere = node.max > node.min && node.max <= countedLoopMax;
      if (endsAnywhere && setsOverlap(first, follow)) return true;
      return hasTwoWays(node.body, node.max > 1 ? unionSets(first, follow) : follow, facts);
    }
    default:
      return false;
  }
}

function sequenceHasTwoWays(
  items: readonly RegexNode[],
  follow: CharSet,
  facts: FactTable,
): boolean {
  let next = follow;
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i]!;
    if (hasTwoWays(item, next, facts)) return true;
    const known = facts.of(item);
    next = known.minLength > 0 ? known.first : unionSets(known.first, next);
  }
  return false;
}

/** Whether two alternatives may take the same text. Of plain characters one behind the other that is
 *  known; of others it is taken for true when they begin alike. */
export function mayBeTheSame(one: RegexNode, other: RegexNode, facts: FactTable): boolean {
  if (!setsOverlap(facts.of(one).first, facts.of(other).first)) return false;
  const sets = plainSets(one);
  const others = plainSets(other);
  if (sets === undefined || others === undefined) return true;
  const both = Math.min(sets.length, others.length);
  return sets.slice(0, both).every((set, at) => setsOverlap(set, others[at]!));
}

/** The characters of a node without any choice but among them. */
function plainSets(node: RegexNode): CharSet[] | undefined {
  if (node.kind === 'set') return [node.set];
  if (node.kind === 'capture') return plainSets(node.body);
  if (node.kind !== 'sequence') return undefined;
  const sets: CharSet[] = [];
  for (const item of node.items) {
    const inner = plainSets(item);
    if (inner === undefined) return undefined;
    sets.push(...inner);
  }
  return sets;
}
