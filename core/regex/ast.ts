import type { CharSet } from './char_set.ts';

/** Anchors and boundaries. `line_*` are Ruby's `^` and `$`; `text_*` are `\A`, `\z`, `\Z`. */
export type AssertionType =
  | 'line_start'
  | 'line_end'
  | 'text_start'
  | 'text_end'
  | 'text_end_newline'
  | 'word_boundary'
  | 'not_word_boundary'
  | 'search_start';

/** A parsed regular expression. Case folding, `.` and named classes are already resolved to sets. */
export type RegexNode =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'alternation'; readonly items: readonly RegexNode[] }
  | RepeatNode
  | CaptureNode
  | { readonly kind: 'atomic'; readonly body: RegexNode }
  | LookNode
  | { readonly kind: 'assertion'; readonly type: AssertionType }
  | BackreferenceNode
  | ReferenceNode;

export interface RepeatNode {
  readonly kind: 'repeat';
  readonly body: RegexNode;
  readonly min: number;
  /** Infinity when unbounded. */
  readonly max: number;
  readonly lazy: boolean;
}

export interface CaptureNode {
  readonly kind: 'capture';
  /** 1 for the first group, in order of the opening parenthesis. */
  readonly index: number;
  readonly name: string | undefined;
  readonly body: RegexNode;
}

export interface LookNode {
  readonly kind: 'look';
  readonly behind: boolean;
  readonly negative: boolean;
  readonly body: RegexNode;
}

/** `\1`, `\k<name>`; with several indexes (a duplicate name) the last group that matched is meant. */
export interface BackreferenceNode {
  readonly kind: 'backreference';
  readonly indexes: readonly number[];
  readonly ignoreCase: boolean;
}

/** A use of a named pattern (grok's `%{NAME:field:type}`), expanded in place. */
export interface ReferenceNode {
  readonly kind: 'reference';
  /** The pattern's name. */
  readonly name: string;
  /** The field, when the use has one. */
  readonly semantic: string | undefined;
  /** The conversion, when the use has one. */
  readonly type: string | undefined;
  /** The expansion; a capture node when the use captures. */
  readonly body: RegexNode;
}

/** The children of a node, in order. */
export function childrenOf(node: RegexNode): readonly RegexNode[] {
  switch (node.kind) {
    case 'sequence':
    case 'alternation':
      return node.items;
    case 'repeat':
    case 'capture':
    case 'atomic':
    case 'look':
    case 'reference':
      return [node.body];
    default:
      return [];
  }
}

/** Rebuilds a node with its children replaced, bottom up. */
export function mapNode(node: RegexNode, change: (node: RegexNode) => RegexNode): RegexNode {
  switch (node.kind) {
    case 'sequence':
    case 'alternation':
      return change({ kind: node.kind, items: node.items.map((item) => mapNode(item, change)) });
    case 'repeat':
    case 'capture':
    case 'atomic':
    case 'look':
    case 'reference':
      return change({ ...node, body: mapNode(node.body, change) });
    default:
      return change(node);
  }
}
