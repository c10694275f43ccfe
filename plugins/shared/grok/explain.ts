import type { RegexNode } from '../../../core/sdk/index.ts';
import { someNode } from '../../../core/sdk/index.ts';
import { runGuarded } from '../../../core/sdk/index.ts';
import { compileParsed } from '../../../core/sdk/index.ts';
import type { Grok, GrokPattern } from './grok.ts';

const attemptTimeoutMs = 1000;

/** How far a line got in a pattern. */
export interface GrokExplanation {
  readonly matched: boolean;
  /** Index of the pattern that got furthest. */
  readonly pattern: number;
  /** The pattern's elements: uses such as `%{IP:client}`, literal text in quotes, other expressions. */
  readonly elements: readonly string[];
  /** How many of the elements match, from the first. */
  readonly matchedElements: number;
  /** Where in the line the matched elements begin and end. */
  readonly start: number;
  readonly position: number;
  /** The element that did not match; undefined when all did. */
  readonly expected: string | undefined;
}

interface Element {
  readonly label: string;
  readonly node: RegexNode;
  /** The characters of literal text. */
  readonly literal?: string;
}

/** Finds the longest run of leading elements that the line matches, over all patterns. */
export function explainGrok(grok: Grok, text: string): GrokExplanation {
  let best: GrokExplanation | undefined;
  for (const [index, pattern] of grok.patterns.entries()) {
    const one = explainPattern(pattern, index, text);
    if (one.matched) return one;
    if (best === undefined || one.position > best.position) best = one;
  }
  return best!;
}

function explainPattern(pattern: GrokPattern, index: number, text: string): GrokExplanation {
  const elements = describeElements(pattern.ast);
  let low = 0;
  let high = elements.length;
  let start = 0;
  let position = 0;
  // When n elements match, fewer do too: the longest run is found by halving.
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const match = tryElements(pattern, elements.slice(0, middle), text);
    if (match === undefined) {
      high = middle - 1;
    } else {
      low = middle;
      [start, position] = match;
    }
  }
  const next = elements[low];
  // Literal text may stand there in part: the place to show is its first wrong character.
  const common = commonLength(next?.literal ?? '', text.slice(position));
  return {
    matched: next === undefined,
    pattern: index,
    elements: elements.map((element) => element.label),
    matchedElements: low,
    start,
    position: position + common,
    expected: common === 0 ? next?.label : JSON.stringify(next!.literal!.slice(common)),
  };
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function tryElements(
  pattern: GrokPattern,
  elements: readonly Element[],
  text: string,
): [number, number] | undefined {
  const root: RegexNode = { kind: 'sequence', items: elements.map((element) => element.node) };
  const regex = compileParsed(pattern.source, { root, captures: pattern.parsed.captures });
  let found: [number, number] | undefined;
  const work = {
    count: 1,
    progress: 0,
    step: () => {
      const match = regex.execRaw(text);
      found = match === null ? undefined : [match.index, match.index + match[0]!.length];
    },
  };
  runGuarded(work, attemptTimeoutMs);
  return found;
}

/** Flattens the pattern down to the uses that have a field, and to plain text between them. */
function describeElements(root: RegexNode): readonly Element[] {
  const nodes = flatten(root);
  const out: Element[] = [];
  for (let i = 0; i < nodes.length; i++) {
    const literal: RegexNode[] = [];
    let characters = '';
    while (i < nodes.length) {
      const character = literalOf(nodes[i]!);
      if (character === undefined) break;
      characters += character;
      literal.push(nodes[i++]!);
    }
    if (literal.length > 0) {
      const node: RegexNode = { kind: 'sequence', items: literal };
      out.push({ label: JSON.stringify(characters), node, literal: characters });
    }
    if (i < nodes.length) out.push({ label: labelOf(nodes[i]!), node: nodes[i]! });
  }
  return out;
}

function flatten(node: RegexNode): readonly RegexNode[] {
  if (node.kind === 'sequence') return node.items.flatMap(flatten);
  if (node.kind === 'reference' && node.body.kind === 'sequence' && hasFields(node.body)) {
    return flatten(node.body);
  }
  if (node.kind === 'reference' && node.body.kind === 'reference') return flatten(node.body);
  return node.kind === 'empty' ? [] : [node];
}

function hasFields(node: RegexNode): boolean {
  return someNode(node, (inner) => inner.kind === 'capture');
}

function literalOf(node: RegexNode): string | undefined {
  if (node.kind !== 'set' || node.set.length !== 2 || node.set[0] !== node.set[1]) return undefined;
  return String.fromCodePoint(node.set[0]!);
}

function labelOf(node: RegexNode): string {
  switch (node.kind) {
    case 'reference': {
      const parts = [node.name, node.semantic, node.type].filter((part) => part !== undefined);
      return `%{${parts.join(':')}}`;
    }
    case 'capture':
      return node.name === undefined ? 'a group' : `(?<${node.name}>)`;
    case 'repeat': {
      const inner = labelOf(node.body);
      if (node.min === 0 && node.max === 1) return `optional ${inner}`;
      return `repeated ${inner}`;
    }
    case 'alternation':
      return `one of ${node.items.slice(0, 4).map(sequenceLabel).join(' | ')}`;
    case 'assertion':
      return node.type.replaceAll('_', ' ');
    case 'look':
      return 'a look-around';
    case 'set':
      return literalOf(node) === undefined ? 'a character class' : JSON.stringify(literalOf(node));
    case 'sequence':
      return sequenceLabel(node);
    default:
      return 'an expression';
  }
}

function sequenceLabel(node: RegexNode): string {
  const elements = describeElements(node);
  return elements.length === 0
    ? 'nothing'
    : elements
        .slice(0, 3)
        .map((one) => one.label)
        .join(' ');
}
