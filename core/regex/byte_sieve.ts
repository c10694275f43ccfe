import type { RegexNode } from './ast.ts';
import { FactTable, someNode } from './facts.ts';
import { parseRegex } from './parser.ts';
import { simplifyRegex } from './simplify.ts';

/** What can be told of an expression's verdict on a text from bytes, before there is a string. */
export interface ByteSieve {
  /** False when the text at `bytes[start, end)` (UTF-8) does not match. `isOneLine`: it has no line
   *  feed. */
  mayMatch(bytes: Uint8Array, start: number, end: number, isOneLine: boolean): boolean;
  /** A match begins with the text, and a text that begins with what matched matches, too. */
  readonly isDecidedByHead: boolean;
}

const literalsMax = 16;
const literalBytesMin = 3;

/** Finds out about an expression in Ruby's syntax. Errors: SLUICE_REGEX_INVALID. */
export function byteSieve(source: string): ByteSieve {
  const root = simplifyRegex(parseRegex(source).root);
  const facts = new FactTable();
  const rest = behindStart(root);
  const first = rest === undefined ? undefined : firstBytes(rest, facts);
  const literals = literalsOf(root)?.map((literal) => Buffer.from(literal));
  const search = literals === undefined ? undefined : new LiteralSearch(literals);
  return {
    isDecidedByHead: rest !== undefined && !someNode(rest, isAboutNeighbours),
    mayMatch(bytes, start, end, isOneLine) {
      // hot path
      if (first !== undefined && isOneLine && end > start && first[bytes[start]!] === 0) {
        return false;
      }
      return search === undefined || search.isIn(bytes, start, end);
    },
  };
}

/** What follows the anchor that an expression begins with; undefined when it has none. */
function behindStart(root: RegexNode): RegexNode | undefined {
  if (root.kind !== 'sequence') return undefined;
  const [anchor, ...items] = root.items;
  if (anchor?.kind !== 'assertion') return undefined;
  const isStart = anchor.type === 'line_start' || anchor.type === 'text_start';
  return isStart ? { kind: 'sequence', items } : undefined;
}

/** 1 for each byte that a match in a text of one line can begin with; undefined when it may be
 *  empty before the end of the text. */
function firstBytes(rest: RegexNode, facts: FactTable): Uint8Array | undefined {
  const { minLength, first } = facts.of(rest);
  if (minLength === 0) {
    const last = rest.kind === 'sequence' ? rest.items.at(-1) : undefined;
    const isEnd =
      last?.kind === 'assertion' &&
      ['line_end', 'text_end', 'text_end_newline'].includes(last.type);
    if (!isEnd) return undefined;
  }
  const bytes = new Uint8Array(256);
  for (let i = 0; i < first.length; i += 2) {
    for (let code = first[i]!; code <= Math.min(first[i + 1]!, 0x7f); code++) bytes[code] = 1;
    if (first[i + 1]! > 0x7f) bytes.fill(1, 0x80);
  }
  return bytes;
}

/** Nodes by which what comes later may take a match away. */
function isAboutNeighbours({ kind }: RegexNode): boolean {
  return kind === 'assertion' || kind === 'look' || kind === 'atomic' || kind === 'backreference';
}

/** Texts of which every match has one; undefined when there are none that help. */
function literalsOf(node: RegexNode): readonly string[] | undefined {
  switch (node.kind) {
    case 'sequence':
      return best([...runsOf(node.items), ...node.items.map(literalsOf)]);
    case 'alternation': {
      const all = node.items.map(literalsOf);
      const literals = all.flatMap((one) => one ?? []);
      return all.includes(undefined) || literals.length > literalsMax ? undefined : literals;
    }
    case 'capture':
    case 'atomic':
    case 'reference':
      return literalsOf(node.body);
    case 'repeat':
      return node.min > 0 ? literalsOf(node.body) : undefined;
    default:
      return undefined;
  }
}

/** Characters that stand side by side. */
function runsOf(items: readonly RegexNode[]): string[][] {
  const runs: string[][] = [];
  let run = '';
  for (const item of [...items, undefined]) {
    const set = item?.kind === 'set' ? item.set : [];
    if (set.length === 2 && set[0] === set[1]) run += String.fromCodePoint(set[0]!);
    else {
      if (Buffer.byteLength(run) >= literalBytesMin) runs.push([run]);
      run = '';
    }
  }
  return runs;
}

/** The alternatives with the longest shortest text. */
function best(
  candidates: readonly (readonly string[] | undefined)[],
): readonly string[] | undefined {
  let found: readonly string[] | undefined;
  for (const one of candidates) {
    if (one !== undefined && shortest(one) > shortest(found ?? [''])) found = one;
  }
  return found;
}

function shortest(literals: readonly string[]): number {
  return Math.min(...literals.map((literal) => Buffer.byteLength(literal)));
}

/** Looks for one of several texts, jumping over what cannot be part of any (Horspool). */
class LiteralSearch {
  private readonly literals: readonly Uint8Array[];
  private readonly window: number;
  /** By the last byte of the window: how far it may move. */
  private readonly shifts: Uint8Array;

  constructor(literals: readonly Uint8Array[]) {
    this.literals = literals;
    this.window = Math.min(255, ...literals.map(({ length }) => length));
    this.shifts = new Uint8Array(256).fill(this.window);
    for (const literal of literals) {
      for (let i = 0; i < this.window; i++) {
        const shift = this.window - 1 - i;
        if (shift < this.shifts[literal[i]!]!) this.shifts[literal[i]!] = shift;
      }
    }
  }

  isIn(bytes: Uint8Array, start: number, end: number): boolean {
    // hot path
    const { window, shifts } = this;
    let at = start + window - 1;
    while (at < end) {
      const shift = shifts[bytes[at]!]!;
      if (shift === 0) {
        if (this.isAt(bytes, at - window + 1, end)) return true;
        at++;
      } else at += shift;
    }
    return false;
  }

  private isAt(bytes: Uint8Array, from: number, end: number): boolean {
    const { literals } = this;
    for (let i = 0; i < literals.length; i++) {
      const literal = literals[i]!;
      if (from + literal.length > end) continue;
      let k = 0;
      while (k < literal.length && bytes[from + k] === literal[k]) k++;
      if (k === literal.length) return true;
    }
    return false;
  }
}
