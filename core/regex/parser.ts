import type { BackreferenceNode, CaptureNode, RegexNode } from './ast.ts';
import { mapNode } from './ast.ts';
import {
  anySet,
  lineFeedSet,
  negateSet,
  setOfRanges,
  singleSet,
  withCaseVariants,
} from './char_set.ts';
import { takeClass } from './class_parser.ts';
import { takeCodeEscape, takeSetEscape } from './escapes.ts';
import { Scanner } from './scanner.ts';

const repeatCountMax = 100_000;
const nestingMax = 250;
const nodesMax = 100_000;

/** A use of a named pattern found in the text. */
export interface ReferenceSite {
  readonly name: string;
  /** Group name to capture under; undefined does not capture. */
  readonly captureName: string | undefined;
  readonly semantic: string | undefined;
  readonly type: string | undefined;
  /** The text that the name stands for. */
  readonly definition: string;
  /** Characters of the use itself. */
  readonly length: number;
}

/** Says what stands at `position` of `source`; `path` holds the names being expanded. */
export type ReferenceResolver = (
  source: string,
  position: number,
  path: readonly string[],
) => ReferenceSite | undefined;

export interface ParseOptions {
  readonly ignoreCase?: boolean;
  readonly extended?: boolean;
  /** `.` also matches a line feed: Ruby's `m`. */
  readonly rubyMultiline?: boolean;
  readonly resolveReference?: ReferenceResolver;
}

export interface ParsedRegex {
  readonly root: RegexNode;
  /** Name of group n at index n - 1. All undefined, or all defined: with a named group, plain ones do not capture. */
  readonly captures: readonly (string | undefined)[];
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly extended: boolean;
  readonly dotAll: boolean;
}

interface Shared {
  readonly captures: (string | undefined)[];
  /** Group names or numbers used by back-references, until all groups are known. */
  readonly pending: Map<RegexNode, { key: string; from: number; scanner: Scanner; at: number }>;
  readonly resolve: ReferenceResolver | undefined;
  nodes: number;
}

const empty: RegexNode = { kind: 'empty' };

/** Parses Oniguruma's Ruby syntax. Errors: SLUICE_REGEX_INVALID with the position.
 *  Not supported: \K, \X, \g, conditionals and absent groups. Source: Oniguruma doc/RE. */
export function parseRegex(source: string, options: ParseOptions = {}): ParsedRegex {
  const flags: Flags = {
    ignoreCase: options.ignoreCase ?? false,
    extended: options.extended ?? false,
    dotAll: options.rubyMultiline ?? false,
  };
  const shared: Shared = {
    captures: [],
    pending: new Map(),
    resolve: options.resolveReference,
    nodes: 0,
  };
  const parser = new Parser(new Scanner(source), flags, shared, []);
  return resolveGroups(parser.parseWhole(), shared);
}

class Parser {
  readonly #scanner: Scanner;
  readonly #shared: Shared;
  readonly #path: readonly string[];
  #flags: Flags;
  #depth = 0;

  constructor(scanner: Scanner, flags: Flags, shared: Shared, path: readonly string[]) {
    this.#scanner = scanner;
    this.#flags = flags;
    this.#shared = shared;
    this.#path = path;
  }

  parseWhole(): RegexNode {
    const root = this.#parseAlternation();
    if (!this.#scanner.done) return this.#scanner.fail('there is no group to close');
    return root;
  }

  /** Up to the closing parenthesis or the end; flags set inside end with it. */
  #parseAlternation(): RegexNode {
    const outer = this.#flags;
    if (++this.#depth > nestingMax) return this.#scanner.fail('groups are nested too deep');
    const items = [this.#parseSequence()];
    while (this.#scanner.take('|')) items.push(this.#parseSequence());
    this.#depth--;
    this.#flags = outer;
    return items.length === 1 ? items[0]! : { kind: 'alternation', items };
  }

  #parseSequence(): RegexNode {
    const items: RegexNode[] = [];
    while (!this.#scanner.done && this.#scanner.peek() !== '|' && this.#scanner.peek() !== ')') {
      if (this.#flags.extended && this.#skipBlank()) continue;
      const atom = this.#parseAtom();
      if (atom === undefined) continue;
      items.push(this.#parseQuantifiers(atom));
    }
    if (items.length === 0) return empty;
    return items.length === 1 ? items[0]! : { kind: 'sequence', items };
  }

  #skipBlank(): boolean {
    if (this.#scanner.takeMatch(/[ \t\r\n\f\v]+/y) !== null) return true;
    return this.#scanner.takeMatch(/#[^\n]*/y) !== null;
  }

  #parseAtom(): RegexNode | undefined {
    if (++this.#shared.nodes > nodesMax) return this.#scanner.fail('the expression is too large');
    const start = this.#scanner.position;
    const character = this.#scanner.peek();
    switch (character) {
      case '(':
        this.#scanner.position++;
        return this.#parseGroup(start);
      case '[':
        this.#scanner.position++;
        return { kind: 'set', set: takeClass(this.#scanner, this.#flags.ignoreCase) };
      case '.':
        this.#scanner.position++;
        return { kind: 'set', set: this.#flags.dotAll ? anySet : negateSet(lineFeedSet) };
      case '^':
        this.#scanner.position++;
        return { kind: 'assertion', type: 'line_start' };
      case '$':
        this.#scanner.position++;
        return { kind: 'assertion', type: 'line_end' };
      case '\\':
        this.#scanner.position++;
        return this.#parseEscape(start);
      case '*':
      case '+':
      case '?':
        return this.#scanner.fail('there is nothing to repeat');
      case '%':
        return this.#parseReference() ?? this.#literal(this.#scanner.takeCode());
      default:
        return this.#literal(this.#scanner.takeCode());
    }
  }

  #literal(code: number): RegexNode {
    const set = singleSet(code);
    return { kind: 'set', set: this.#flags.ignoreCase ? withCaseVariants(set) : set };
  }

  #parseReference(): RegexNode | undefined {
    const scanner = this.#scanner;
    const site = this.#shared.resolve?.(scanner.source, scanner.position, this.#path);
    if (site === undefined) return undefined;
    scanner.position += site.length;
    let index = 0;
    if (site.captureName !== undefined) index = this.#shared.captures.push(site.captureName);
    const inner = new Parser(new Scanner(site.definition, site.name), this.#flags, this.#shared, [
      ...this.#path,
      site.name,
    ]).parseWhole();
    const body: RegexNode =
      index === 0 ? inner : { kind: 'capture', index, name: site.captureName, body: inner };
    return { kind: 'reference', name: site.name, semantic: site.semantic, type: site.type, body };
  }

  #parseEscape(start: number): RegexNode {
    const scanner = this.#scanner;
    switch (scanner.peek()) {
      case 'A':
        return this.#assertion('text_start');
      case 'z':
        return this.#assertion('text_end');
      case 'Z':
        return this.#assertion('text_end_newline');
      case 'b':
        return this.#assertion('word_boundary');
      case 'B':
        return this.#assertion('not_word_boundary');
      case 'G':
        return this.#assertion('search_start');
      case 'R':
        scanner.position++;
        return lineBreak();
      case 'K':
      case 'X':
      case 'g':
        return scanner.fail(`\\${scanner.peek()} is not supported`, start);
      case 'k':
        return this.#parseNamedBackreference(start);
    }
    const number = scanner.takeMatch(/[1-9][0-9]{0,2}/y);
    if (number !== null) {
      const value = Number(number[0]);
      if (value <= 9 || value <= this.#shared.captures.length) {
        return this.#backreference(number[0], start);
      }
      scanner.position -= number[0].length;
    }
    const set = takeSetEscape(scanner);
    if (set !== undefined) return { kind: 'set', set };
    return this.#literal(takeCodeEscape(scanner));
  }

  #assertion(type: Extract<RegexNode, { kind: 'assertion' }>['type']): RegexNode {
    this.#scanner.position++;
    return { kind: 'assertion', type };
  }

  #parseNamedBackreference(start: number): RegexNode {
    const match = this.#scanner.takeMatch(/k(?:<([^>]+)>|'([^']+)')/y);
    if (match === null) return this.#scanner.fail('\\k needs a name such as \\k<name>', start);
    return this.#backreference((match[1] ?? match[2])!, start);
  }

  #backreference(key: string, at: number): RegexNode {
    const node: BackreferenceNode = {
      kind: 'backreference',
      indexes: [],
      ignoreCase: this.#flags.ignoreCase,
    };
    const from = this.#shared.captures.length;
    this.#shared.pending.set(node, { key, from, scanner: this.#scanner, at });
    return node;
  }

  #parseGroup(start: number): RegexNode | undefined {
    const scanner = this.#scanner;
    if (!scanner.take('?')) return this.#finishCapture(undefined, start);
    if (scanner.take('#')) {
      if (scanner.takeMatch(/[^)]*\)/y) === null)
        return scanner.fail('the comment is not closed', start);
      return undefined;
    }
    if (scanner.take(':')) return this.#finish(start);
    if (scanner.take('>')) return { kind: 'atomic', body: this.#finish(start) };
    for (const [text, behind, negative] of lookarounds) {
      if (scanner.take(text)) return { kind: 'look', behind, negative, body: this.#finish(start) };
    }
    const name = scanner.takeMatch(/<([^>]+)>|'([^']+)'/y);
    if (name !== null) return this.#finishCapture((name[1] ?? name[2])!, start);
    return this.#parseFlags(start);
  }

  #finish(start: number): RegexNode {
    const body = this.#parseAlternation();
    if (!this.#scanner.take(')')) return this.#scanner.fail('the group is not closed', start);
    return body;
  }

  #finishCapture(name: string | undefined, start: number): CaptureNode {
    const index = this.#shared.captures.push(name);
    return { kind: 'capture', index, name, body: this.#finish(start) };
  }

  #parseFlags(start: number): RegexNode {
    const match = this.#scanner.takeMatch(/([imx]*)(?:-([imx]*))?([:)])/y);
    if (match === null) return this.#scanner.fail('this kind of group is not supported', start);
    const outer = this.#flags;
    const on = match[1]!;
    const off = match[2] ?? '';
    const pick = (flag: string, now: boolean) => (on.includes(flag) || now) && !off.includes(flag);
    this.#flags = {
      ignoreCase: pick('i', outer.ignoreCase),
      extended: pick('x', outer.extended),
      dotAll: pick('m', outer.dotAll),
    };
    // `a(?i)b|c` means `a(?i:b|c)`: the rest of the group, bars included, is under the flags.
    const body = match[3] === ':' ? this.#finish(start) : this.#parseAlternation();
    this.#flags = outer;
    return body;
  }

  #parseQuantifiers(atom: RegexNode): RegexNode {
    let node = atom;
    while (!this.#scanner.done) {
      if (this.#flags.extended && this.#skipBlank()) continue;
      const next = this.#parseQuantifier(node);
      if (next === undefined) return node;
      node = next;
    }
    return node;
  }

  #parseQuantifier(body: RegexNode): RegexNode | undefined {
    const simple = this.#scanner.takeMatch(/([*+?])([?+]?)/y);
    if (simple !== null) {
      const min = simple[1] === '+' ? 1 : 0;
      const max = simple[1] === '?' ? 1 : Number.POSITIVE_INFINITY;
      const node: RegexNode = { kind: 'repeat', body, min, max, lazy: simple[2] === '?' };
      return simple[2] === '+' ? { kind: 'atomic', body: node } : node;
    }
    const start = this.#scanner.position;
    const interval = this.#scanner.takeMatch(/\{(\d*)(,?)(\d*)\}(\??)/y);
    if (interval === null) return undefined;
    const [, low, comma, high, lazy] = interval;
    if (low === '' && high === '') {
      // `{}` and `{,}` are literals.
      this.#scanner.position = start;
      return undefined;
    }
    const min = low === '' ? 0 : Number(low);
    let max = Number.POSITIVE_INFINITY;
    if (comma === '') max = min;
    else if (high !== '') max = Number(high);
    if (min > repeatCountMax || (max > repeatCountMax && max !== Number.POSITIVE_INFINITY)) {
      return this.#scanner.fail(`a repeat count is above ${repeatCountMax}`, start);
    }
    if (min > max) return this.#scanner.fail('the repeat counts are in the wrong order', start);
    // In Ruby's syntax `{n}?` is not lazy: it is the whole `{n}`, optional.
    if (lazy === '?' && comma === '') {
      const inner: RegexNode = { kind: 'repeat', body, min, max, lazy: false };
      return { kind: 'repeat', body: inner, min: 0, max: 1, lazy: false };
    }
    return { kind: 'repeat', body, min, max, lazy: lazy === '?' };
  }
}

const lookarounds: readonly (readonly [string, boolean, boolean])[] = [
  ['=', false, false],
  ['!', false, true],
  ['<=', true, false],
  ['<!', true, true],
];

/** `\R`: CR LF as one, or any single line break. */
function lineBreak(): RegexNode {
  const single: RegexNode = {
    kind: 'set',
    set: setOfRanges([
      [10, 13],
      [0x85, 0x85],
      [0x2028, 0x2029],
    ]),
  };
  const pair: RegexNode = {
    kind: 'sequence',
    items: [
      { kind: 'set', set: singleSet(13) },
      { kind: 'set', set: singleSet(10) },
    ],
  };
  return { kind: 'atomic', body: { kind: 'alternation', items: [pair, single] } };
}

/** Drops plain groups when there are named ones, renumbers, and binds back-references. */
function resolveGroups(root: RegexNode, shared: Shared): ParsedRegex {
  const named = shared.captures.some((name) => name !== undefined);
  const kept: (string | undefined)[] = [];
  const renumbered = shared.captures.map((name) => {
    if (named && name === undefined) return 0;
    return kept.push(name);
  });
  const bound = (node: BackreferenceNode): RegexNode => {
    const use = shared.pending.get(node)!;
    const byNumber = /^-?\d+$/.test(use.key);
    if (byNumber && named) {
      return use.scanner.fail('a numbered back-reference needs unnamed groups', use.at);
    }
    const indexes = byNumber
      ? [Number(use.key) < 0 ? use.from + 1 + Number(use.key) : Number(use.key)]
      : kept.flatMap((name, index) => (name === use.key ? [index + 1] : []));
    if (indexes.length === 0 || indexes.some((index) => index < 1 || index > kept.length)) {
      return use.scanner.fail(`there is no group ${use.key}`, use.at);
    }
    return { ...node, indexes };
  };
  const changed = mapNode(root, (node) => {
    if (node.kind === 'backreference') return bound(node);
    if (node.kind !== 'capture') return node;
    const index = renumbered[node.index - 1]!;
    return index === 0 ? node.body : { ...node, index };
  });
  return { root: changed, captures: kept };
}
