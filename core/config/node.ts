/** The tree of a pipeline file: values with the places they were written at. Trees are never changed; each
 *  step of loading makes a new one. */

export interface SourcePosition {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
}

export type Scalar = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: Scalar;
  /** The text of the value as written, without quotes: what a string option gets from `1.10`. */
  readonly text: string;
  readonly position: SourcePosition;
  /** Last line of the value; masks secrets in code frames. */
  readonly endLine: number;
  /** How offsets in a text value map to the file; absent when they do not. */
  readonly textStart?: TextStart;
  /** True when a variable gave part of the value: messages do not repeat it then. */
  readonly interpolated?: boolean;
}

export interface TextStart {
  readonly line: number;
  readonly column: number;
}

export interface MapEntry {
  readonly key: string;
  readonly keyPosition: SourcePosition;
  readonly value: ConfigNode;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
  readonly position: SourcePosition;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly position: SourcePosition;
}

export type ConfigNode = ScalarNode | MapNode | ListNode;

/** The plain value of a tree: objects, arrays and scalars. */
export function toValue(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toValue);
  const object: Record<string, unknown> = {};
  for (const entry of node.entries) setOwn(object, entry.key, toValue(entry.value));
  return object;
}

/** Sets a property whatever its name: assigning to `__proto__` would set the prototype instead. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') {
    object[key] = value;
    return;
  }
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** A tree for a value that no file has, such as a default; every part stands at `position`. */
export function fromValue(value: unknown, position: SourcePosition): ConfigNode {
  if (Array.isArray(value)) {
    return { kind: 'list', position, items: value.map((item) => fromValue(item, position)) };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => ({
      key,
      keyPosition: position,
      value: fromValue(item, position),
    }));
    return { kind: 'map', position, entries };
  }
  return scalarNode(value as Scalar, position); // Defaults are JSON: what is left is a scalar.
}

export function scalarNode(value: Scalar, position: SourcePosition): ScalarNode {
  return { kind: 'scalar', value, text: String(value), position, endLine: position.line };
}

/** The entry of a map with exactly this key. */
export function entryOf(node: ConfigNode | undefined, key: string): MapEntry | undefined {
  if (node?.kind !== 'map') return undefined;
  return node.entries.find((entry) => entry.key === key);
}

/** The entry of a map with this key in any case. */
export function entryIgnoringCase(node: ConfigNode | undefined, key: string): MapEntry | undefined {
  if (node?.kind !== 'map') return undefined;
  return node.entries.find((entry) => entry.key.toLowerCase() === key);
}

/** The node at a path of keys and indexes, and the last node on the way when the path goes on beyond. */
export function nodeAt(root: ConfigNode, path: readonly (string | number)[]): NodeLookup {
  let node = root;
  let keyPosition: SourcePosition | undefined;
  for (const [depth, step] of path.entries()) {
    const entry = entryOf(node, String(step));
    const next = entry?.value ?? (node.kind === 'list' ? node.items[Number(step)] : undefined);
    if (next === undefined) return { node, keyPosition, found: false, depth };
    keyPosition = entry?.keyPosition;
    node = next;
  }
  return { node, keyPosition, found: true, depth: path.length };
}

export interface NodeLookup {
  readonly node: ConfigNode;
  /** Where the key of the node is written, when it is a member of a map. */
  readonly keyPosition: SourcePosition | undefined;
  readonly found: boolean;
  /** How many steps of the path were found. */
  readonly depth: number;
}

/** The place of an offset in the text of a scalar; the start of the scalar when that is not known. */
export function positionInText(node: ScalarNode, offset: number): SourcePosition {
  const start = node.textStart;
  if (start === undefined || typeof node.value !== 'string') return node.position;
  const before = node.value.slice(0, offset);
  const lastNewline = before.lastIndexOf('\n');
  const lines = lastNewline < 0 ? 0 : before.split('\n').length - 1;
  const column = start.column + (lines === 0 ? offset : offset - lastNewline - 1);
  return { file: node.position.file, line: start.line + lines, column };
}

/** Writes a path as people read it: `pipeline.outputs[0].port`. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
