import { childrenOf, type RegexNode } from './ast.ts';
import { type CharSet, emptySet, unionSets } from './char_set.ts';

/** What can be known of a node without running it. Lengths count code points. */
export interface NodeFacts {
  readonly minLength: number;
  readonly maxLength: number;
  /** Code points that a non-empty match can start with. */
  readonly first: CharSet;
  /** Groups inside. */
  readonly captures: ReadonlySet<number>;
  /** Groups that have a value after every match. */
  readonly always: ReadonlySet<number>;
}

const noGroups: ReadonlySet<number> = new Set();
const nothing: NodeFacts = {
  minLength: 0,
  maxLength: 0,
  first: emptySet,
  captures: noGroups,
  always: noGroups,
};

/** Computes and remembers facts; one instance per expression. */
export class FactTable {
  readonly #known = new WeakMap<RegexNode, NodeFacts>();

  of(node: RegexNode): NodeFacts {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const facts = this.#compute(node);
    this.#known.set(node, facts);
    return facts;
  }

  /** True when the node can match without consuming. */
  nullable(node: RegexNode): boolean {
    return this.of(node).minLength === 0;
  }

  #compute(node: RegexNode): NodeFacts {
    switch (node.kind) {
      case 'empty':
      case 'assertion':
        return nothing;
      case 'set':
        return { ...nothing, minLength: 1, maxLength: 1, first: node.set };
      case 'sequence':
        return this.#sequence(node.items);
      case 'alternation':
        return this.#alternation(node.items);
      case 'repeat': {
        const body = this.of(node.body);
        const maxLength = body.maxLength === 0 || node.max === 0 ? 0 : body.maxLength * node.max;
        return {
          minLength: body.minLength * node.min,
          maxLength,
          first: node.max === 0 ? emptySet : body.first,
          captures: body.captures,
          always: node.min > 0 ? body.always : noGroups,
        };
      }
      case 'capture': {
        const body = this.of(node.body);
        return {
          ...body,
          captures: new Set([...body.captures, node.index]),
          always: new Set([...body.always, node.index]),
        };
      }
      case 'atomic':
      case 'reference':
        return this.of(node.body);
      case 'look': {
        const body = this.of(node.body);
        return {
          ...nothing,
          captures: body.captures,
          always: node.negative ? noGroups : body.always,
        };
      }
      case 'backreference':
        return { ...nothing, maxLength: Number.POSITIVE_INFINITY, first: [0, 0x10ffff] };
    }
  }

  #sequence(items: readonly RegexNode[]): NodeFacts {
    let minLength = 0;
    let maxLength = 0;
    const captures = new Set<number>();
    const always = new Set<number>();
    const first: CharSet[] = [];
    for (const item of items) {
      const facts = this.of(item);
      if (minLength === 0) first.push(facts.first);
      minLength += facts.minLength;
      maxLength += facts.maxLength;
      for (const group of facts.captures) captures.add(group);
      for (const group of facts.always) always.add(group);
    }
    return { minLength, maxLength, first: unionSets(...first), captures, always };
  }

  #alternation(items: readonly RegexNode[]): NodeFacts {
    const all = items.map((item) => this.of(item));
    const always = [...all[0]!.always].filter((group) => all.every((one) => one.always.has(group)));
    return {
      minLength: Math.min(...all.map((one) => one.minLength)),
      maxLength: Math.max(...all.map((one) => one.maxLength)),
      first: unionSets(...all.map((one) => one.first)),
      captures: new Set(all.flatMap((one) => [...one.captures])),
      always: new Set(always),
    };
  }
}

/** True when any node of the tree satisfies the test. */
export function someNode(node: RegexNode, test: (node: RegexNode) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => someNode(child, test));
}
