import type { AssertionType, RegexNode, RepeatNode } from './ast.ts';
import { type CharSet, intersectSets, negateSet } from './char_set.ts';
import { type FactTable, someNode } from './facts.ts';

/** JavaScript source for the two kinds of text. Both have the same groups. */
export interface Translation {
  /** Correct for ASCII text without a line feed; compile without flags. */
  readonly plain: string;
  /** Correct for any text; compile with the `u` flag. */
  readonly general: string;
  /** JavaScript group number of group n at index n - 1 (atomic groups take numbers too). */
  readonly slots: readonly number[];
}

/** Characters of a plain text: ASCII except the line feed. */
const plainUniverse: CharSet = [0, 9, 11, 127];
const generalUniverse: CharSet = [0, 0x10ffff];

/** Says why an expression cannot run as a JavaScript one, or undefined when it can.
 *  JavaScript resets groups at each round of a loop, rejects an empty round, lets a reference to an
 *  unset group match, and matches look-behinds from right to left. */
export function whyNotTranslatable(root: RegexNode, facts: FactTable): string | undefined {
  let reason: string | undefined;
  someNode(root, (node) => {
    reason ??= refusal(node, facts);
    return reason !== undefined;
  });
  return reason;
}

function refusal(node: RegexNode, facts: FactTable): string | undefined {
  if (node.kind === 'backreference') return 'it has a back-reference';
  if (node.kind === 'assertion' && node.type === 'search_start') return 'it has \\G';
  if (node.kind === 'look' && node.behind) {
    const known = facts.of(node.body);
    if (known.captures.size > 0) return 'a look-behind captures';
    if (someNode(node.body, (inner) => inner.kind === 'atomic')) return 'a look-behind is atomic';
  }
  if (node.kind === 'repeat' && node.max > 1) {
    const body = facts.of(node.body);
    if (body.captures.size > body.always.size) return 'a group in a loop may keep an older value';
    if (body.minLength === 0) return 'a loop may run without consuming';
  }
  return undefined;
}

export function translateRegex(root: RegexNode, facts: FactTable, groups: number): Translation {
  const plain = new Writer(facts, false, groups);
  const general = new Writer(facts, true, groups);
  return { plain: plain.write(root), general: general.write(root), slots: plain.slots };
}

class Writer {
  readonly slots: number[];
  readonly #facts: FactTable;
  readonly #general: boolean;
  readonly #universe: CharSet;
  readonly #sets = new Map<string, string>();
  #groups = 0;

  constructor(facts: FactTable, general: boolean, groups: number) {
    this.#facts = facts;
    this.#general = general;
    this.#universe = general ? generalUniverse : plainUniverse;
    this.slots = new Array<number>(groups).fill(0);
  }

  write(node: RegexNode): string {
    switch (node.kind) {
      case 'empty':
        return '';
      case 'set':
        return this.#set(node.set);
      case 'sequence':
        return node.items
          .map((item) => (item.kind === 'alternation' ? this.#wrapped(item) : this.write(item)))
          .join('');
      case 'alternation':
        return node.items.map((item) => this.write(item)).join('|');
      case 'repeat':
        return this.#repeat(node);
      case 'capture':
        this.slots[node.index - 1] = ++this.#groups;
        return `(${this.write(node.body)})`;
      case 'reference':
        return node.body.kind === 'alternation' ? this.#wrapped(node.body) : this.write(node.body);
      case 'atomic': {
        const group = ++this.#groups;
        return `(?:(?=(${this.write(node.body)}))\\${group})`;
      }
      case 'look': {
        const open = `(?${node.behind ? '<' : ''}${node.negative ? '!' : '='}`;
        return `${open}${this.write(node.body)})`;
      }
      case 'assertion':
        return this.#assertion(node.type);
      case 'backreference':
        // Kept out by whyNotTranslatable.
        return '';
    }
  }

  #wrapped(node: RegexNode): string {
    return `(?:${this.write(node)})`;
  }

  #repeat(node: RepeatNode): string {
    const { body, min, max, lazy } = node;
    if (max === 0) {
      // The groups inside must still be numbered.
      return `(?:${this.write(body)}){0}`;
    }
    if (min === 0 && max === 1 && this.#facts.nullable(body)) {
      // JavaScript would refuse the empty round and go on inside the body.
      const once = this.#wrapped(body);
      return lazy ? `(?:|${once})` : `(?:${once}|)`;
    }
    const target =
      body.kind === 'set' || body.kind === 'capture' ? this.write(body) : this.#wrapped(body);
    return target + quantifier(min, max) + (lazy ? '?' : '');
  }

  #assertion(type: AssertionType): string {
    switch (type) {
      case 'text_start':
        return '^';
      case 'text_end':
        return '$';
      case 'line_start':
        // Oniguruma: not after a line feed that ends the text.
        return this.#general ? '(?:^|(?<=\\n)(?!$))' : '^';
      case 'line_end':
        return this.#general ? '(?=\\n|$)' : '$';
      case 'text_end_newline':
        return this.#general ? '(?=\\n?$)' : '$';
      case 'word_boundary':
        return this.#general ? unicodeBoundary : '\\b';
      case 'not_word_boundary':
        return this.#general ? unicodeNotBoundary : '\\B';
      case 'search_start':
        return '';
    }
  }

  #set(set: CharSet): string {
    const key = set.join();
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const text = this.#renderSet(set);
    this.#sets.set(key, text);
    return text;
  }

  #renderSet(set: CharSet): string {
    const inside = intersectSets(set, this.#universe);
    const outside = intersectSets(negateSet(set), this.#universe);
    if (outside.length === 0) return '[^]';
    if (inside.length === 0) return '[]';
    if (inside.length === 2 && inside[0] === inside[1]) return renderCode(inside[0]!, false);
    const key = inside.join();
    if (key === '48,57') return '\\d';
    if (key === '48,57,65,90,95,95,97,122') return '\\w';
    return inside.length <= outside.length
      ? `[${renderRanges(inside)}]`
      : `[^${renderRanges(outside)}]`;
  }
}

const unicodeWord = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]';
const unicodeBoundary = `(?:(?<=${unicodeWord})(?!${unicodeWord})|(?<!${unicodeWord})(?=${unicodeWord}))`;
const unicodeNotBoundary = `(?:(?<=${unicodeWord})(?=${unicodeWord})|(?<!${unicodeWord})(?!${unicodeWord}))`;

function quantifier(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) {
    if (min === 0) return '*';
    return min === 1 ? '+' : `{${min},}`;
  }
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function renderRanges(set: CharSet): string {
  let text = '';
  for (let i = 0; i < set.length; i += 2) {
    text += renderCode(set[i]!, true);
    if (set[i + 1]! === set[i]! + 1) text += renderCode(set[i + 1]!, true);
    else if (set[i + 1]! > set[i]!) text += `-${renderCode(set[i + 1]!, true)}`;
  }
  return text;
}

/** One code point; everything but letters, digits and a few safe signs is escaped by number. */
function renderCode(code: number, inClass: boolean): string {
  const character = String.fromCodePoint(code);
  if (/[A-Za-z0-9 _"'%&,:;<=>@#!~`]/.test(character)) return character;
  if (!inClass && /[/()[\]{}.*+?^$|\\]/.test(character)) return `\\${character}`;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\u{${code.toString(16)}}`;
}
