/** Rewrites that keep every match and every capture, and take away needless choices: nested loops
 *  over the same characters (the usual cause of a runaway), atomic groups that cannot backtrack. */
import { mapNode, type RegexNode, type RepeatNode } from './ast.ts';
import { isSubset, negateSet, setsOverlap, unionSets } from './char_set.ts';
import { FactTable } from './facts.ts';

export function simplifyRegex(root: RegexNode): RegexNode {
  const facts = new FactTable();
  return mapNode(root, (node) => {
    switch (node.kind) {
      case 'sequence':
        return flattenSequence(node.items);
      case 'alternation':
        return mergeAlternatives(node.items);
      case 'repeat':
        return flattenLoop(node, facts);
      case 'atomic':
        return withoutAtomic(node.body, facts) ?? node;
      default:
        return node;
    }
  });
}

function flattenSequence(items: readonly RegexNode[]): RegexNode {
  const flat = items.flatMap((item) => {
    if (item.kind === 'sequence') return item.items;
    return item.kind === 'empty' ? [] : [item];
  });
  if (flat.length === 0) return { kind: 'empty' };
  return flat.length === 1 ? flat[0]! : { kind: 'sequence', items: flat };
}

/** `(?:a|(?:b|c))` is `(?:a|b|c)`; neighbours that are single characters become one set. */
function mergeAlternatives(items: readonly RegexNode[]): RegexNode {
  const flat = items.flatMap((item) => (item.kind === 'alternation' ? item.items : [item]));
  const merged: RegexNode[] = [];
  for (const item of flat) {
    const last = merged.at(-1);
    if (item.kind === 'set' && last?.kind === 'set') {
      merged[merged.length - 1] = { kind: 'set', set: unionSets(last.set, item.set) };
    } else {
      merged.push(item);
    }
  }
  return merged.length === 1 ? merged[0]! : { kind: 'alternation', items: merged };
}

function isUnbounded(node: RegexNode): node is RepeatNode {
  return node.kind === 'repeat' && node.max === Number.POSITIVE_INFINITY && !node.lazy;
}

/** `(?:X+)*` is `X*`; `(?:A|X+)+` is `(?:A|X)+` when no other alternative can start inside X. */
function flattenLoop(node: RepeatNode, facts: FactTable): RegexNode {
  if (node.min === 1 && node.max === 1) return node.body;
  if (!isUnbounded(node) || node.min > 1) return node;
  const body = node.body;
  if (
    body.kind === 'repeat' &&
    !body.lazy &&
    body.min <= 1 &&
    body.max >= 1 &&
    body.body.kind === 'set'
  ) {
    return { ...node, body: body.body, min: Math.min(node.min, body.min) };
  }
  if (body.kind !== 'alternation') return node;
  const items = body.items.map((item, index) => {
    if (!isUnbounded(item) || item.min !== 1 || item.body.kind !== 'set') return item;
    const { set } = item.body;
    const others = body.items.filter((_, other) => other !== index);
    const apart = others.every(
      (other) => !facts.nullable(other) && !setsOverlap(facts.of(other).first, set),
    );
    return apart ? item.body : item;
  });
  return { ...node, body: mergeAlternatives(items) };
}

/** The body of an atomic group rewritten so that it needs no group, or undefined. */
function withoutAtomic(body: RegexNode, facts: FactTable): RegexNode | undefined {
  switch (body.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
    case 'atomic':
    case 'look':
      return body;
    case 'capture':
    case 'reference': {
      const inner = withoutAtomic(body.body, facts);
      return inner === undefined ? undefined : { ...body, body: inner };
    }
    case 'sequence':
      return sequenceWithoutAtomic(body.items, facts);
    case 'alternation':
      return alternationWithoutAtomic(body.items, facts);
    case 'repeat':
      return repeatWithoutAtomic(body, facts);
    case 'backreference':
      return undefined;
  }
}

/** The last item may be atomic on its own when all before it can match in one way only. */
function sequenceWithoutAtomic(
  items: readonly RegexNode[],
  facts: FactTable,
): RegexNode | undefined {
  const out: RegexNode[] = [];
  for (const [index, item] of items.entries()) {
    const rest: RegexNode = { kind: 'sequence', items: items.slice(index + 1) };
    const inner = withoutAtomic(item, facts);
    if (inner === undefined) return undefined;
    const last = index === items.length - 1;
    if (!last && !oneWay(item, rest, facts)) return undefined;
    out.push(inner);
  }
  return flattenSequence(out);
}

/** True when giving back part of `item` can never let `rest` match where it failed before. */
function oneWay(item: RegexNode, rest: RegexNode, facts: FactTable): boolean {
  switch (item.kind) {
    case 'empty':
    case 'set':
    case 'assertion':
    case 'atomic':
    case 'look':
      return true;
    case 'repeat': {
      if (item.body.kind !== 'set' || item.lazy) return item.min === item.max && isPlain(item.body);
      if (item.min === item.max || isClosed(item.body, rest)) return true;
      return (
        neverFails(rest) ||
        (!facts.nullable(rest) && !setsOverlap(item.body.set, facts.of(rest).first))
      );
    }
    default:
      return isPlain(item);
  }
}

/** True when `rest` begins by refusing any further character of the run: there is one way to end it. */
function isClosed(run: RegexNode, rest: RegexNode): boolean {
  const next = rest.kind === 'sequence' ? rest.items[0] : undefined;
  return (
    run.kind === 'set' &&
    next?.kind === 'look' &&
    next.negative &&
    !next.behind &&
    next.body.kind === 'set' &&
    isSubset(run.set, next.body.set)
  );
}

/** A fixed path: no choice anywhere. */
function isPlain(node: RegexNode): boolean {
  if (node.kind === 'set' || node.kind === 'empty' || node.kind === 'assertion') return true;
  if (node.kind === 'sequence') return node.items.every(isPlain);
  if (node.kind === 'repeat') return node.min === node.max && isPlain(node.body);
  return (node.kind === 'capture' || node.kind === 'reference') && isPlain(node.body);
}

function neverFails(node: RegexNode): boolean {
  if (node.kind === 'empty') return true;
  if (node.kind === 'sequence') return node.items.every(neverFails);
  if (node.kind === 'repeat') return node.min === 0;
  if (node.kind === 'alternation') return node.items.some(neverFails);
  return false;
}

/** Alternatives that start with different characters exclude each other. */
function alternationWithoutAtomic(
  items: readonly RegexNode[],
  facts: FactTable,
): RegexNode | undefined {
  const out: RegexNode[] = [];
  for (const [index, item] of items.entries()) {
    if (facts.nullable(item)) return undefined;
    for (const other of items.slice(index + 1)) {
      if (setsOverlap(facts.of(item).first, facts.of(other).first)) return undefined;
    }
    const inner = withoutAtomic(item, facts);
    if (inner === undefined) return undefined;
    out.push(inner);
  }
  return { kind: 'alternation', items: out };
}

function repeatWithoutAtomic(node: RepeatNode, facts: FactTable): RegexNode | undefined {
  if (node.lazy) return undefined;
  if (node.body.kind === 'set' && node.max === Number.POSITIVE_INFINITY) {
    return { kind: 'sequence', items: [node, notFollowedBy(node.body)] };
  }
  if (isPlain(node.body) && node.min === node.max) return node;
  if (node.min !== 0 || node.max !== 1 || facts.nullable(node.body)) return undefined;
  if (facts.of(node.body).captures.size > 0) return undefined;
  const taken = withoutAtomic(node.body, facts);
  if (taken === undefined) return undefined;
  return { kind: 'alternation', items: [taken, notFollowedBy(node.body)] };
}

function notFollowedBy(body: RegexNode): RegexNode {
  if (body.kind === 'set' && isSubset(negateSet([]), body.set))
    return { kind: 'assertion', type: 'text_end' };
  return { kind: 'look', behind: false, negative: true, body };
}
