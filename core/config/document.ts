import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node as YamlNode,
  type Pair,
  parseAllDocuments,
  type Scalar as YamlScalar,
  type YAMLMap,
  type YAMLParseError,
  type YAMLSeq,
  type YAMLWarning,
} from 'yaml';
import { messageOf } from '../errors/sluice_error.ts';
import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import type { ConfigNode, MapEntry, Scalar, SourcePosition, TextStart } from './node.ts';

type YAMLParseProblem = YAMLParseError | YAMLWarning;

/** Limits of one pipeline file. */
export const documentLimits = { bytesMax: 4 << 20, depthMax: 64, nodesMax: 100_000 } as const;

export interface ParsedDocument {
  /** Absent for an empty file, and for one whose syntax is broken. */
  readonly root?: ConfigNode;
  /** True when the syntax is broken: what the file says cannot be known. */
  readonly isBroken?: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses one YAML 1.2 file (core schema; anchors and merge keys; one document) into a tree with positions.
 *  Every syntax error is reported. Limits: 4 MiB, 64 levels, 100,000 nodes after aliases are expanded. */
export function parseDocument(text: string, file: string): ParsedDocument {
  const whole: SourcePosition = { file, line: 0, column: 0 };
  if (text.length > documentLimits.bytesMax) {
    const message = `The file is larger than ${documentLimits.bytesMax} bytes.`;
    return { isBroken: true, diagnostics: [diagnosticAt(whole, message)] };
  }
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const deep = offsetOfTooDeep(source);
  if (deep !== undefined) {
    const message = `The file is nested deeper than ${documentLimits.depthMax} levels.`;
    const position = positionOf(source, deep, file);
    return { isBroken: true, diagnostics: [diagnosticAt(position, message)] };
  }
  const lineCounter = new LineCounter();
  try {
    const documents = parseAllDocuments(source, {
      version: '1.2',
      schema: 'core',
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter,
    });
    return readDocuments([...documents], new TreeReader(source, file, lineCounter));
  } catch (error) {
    // The YAML parser recurses: nesting of thousands of levels overflows its stack.
    const message =
      error instanceof RangeError
        ? `The file is nested deeper than ${documentLimits.depthMax} levels.`
        : `The file cannot be parsed: ${messageOf(error)}`;
    return { isBroken: true, diagnostics: [diagnosticAt(whole, message)] };
  }
}

/** Where brackets open deeper than the limit. The parser recurses and would take the process with
 *  it; the lexer does not, and knows which brackets are text. */
function offsetOfTooDeep(source: string): number | undefined {
  let depth = 0;
  let offset = 0;
  for (const token of new Lexer().lex(source)) {
    if (token === '[' || token === '{') {
      depth++;
      if (depth > documentLimits.depthMax) return offset;
    } else if (token === ']' || token === '}') depth = Math.max(0, depth - 1);
    // The lexer's marks of documents and scalars stand for no text.
    if (!lexerMarks.has(token)) offset += token.length;
  }
  return undefined;
}

const lexerMarks: ReadonlySet<string> = new Set(['\x02', '\x18', '\x1f']);

function positionOf(source: string, offset: number, file: string): SourcePosition {
  const before = source.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { file, line: before.split('\n').length, column: offset - lineStart + 1 };
}

function readDocuments(documents: readonly Document[], reader: TreeReader): ParsedDocument {
  const problems = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]);
  for (const { message, pos } of withoutConsequences(problems)) reader.failSyntax(pos[0], message);
  if (reader.diagnostics.length > 0) return { isBroken: true, diagnostics: reader.diagnostics };
  const [first, second] = documents;
  if (second !== undefined) {
    const offset = second.contents?.range?.[0] ?? second.range?.[0] ?? 0;
    reader.fail(offset, 'The file has a second YAML document.', 'one document in each file');
  }
  const contents = first?.contents;
  // A file of comments has a null document: it is empty, not wrong.
  const empty = !contents || (isScalar(contents) && contents.value === null && !contents.source);
  if (empty) return { diagnostics: reader.diagnostics };
  const root = reader.read(contents, 0);
  return { root, diagnostics: reader.diagnostics };
}

/** Once the parser has lost its place, it complains about every token that follows: the first says it all. */
function withoutConsequences(problems: readonly YAMLParseProblem[]): readonly YAMLParseProblem[] {
  let lost = false;
  let endOffset = Number.NEGATIVE_INFINITY;
  return problems.filter(({ code, message, pos }) => {
    if (code === 'MULTIPLE_DOCS') return false;
    if (message.includes('token in YAML stream')) {
      const isFirst = !lost;
      lost = true;
      return isFirst;
    }
    lost = true;
    if (!message.includes('at node end')) return true;
    const isFirst = pos[0] > endOffset + tokenDistance;
    endOffset = pos[0];
    return isFirst;
  });
}

/** Tokens this near to one that has no place have none for the same reason. */
const tokenDistance = 4;

/** Turns the parser's nodes into ours. */
class TreeReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #source: string;
  readonly #file: string;
  readonly #lineCounter: LineCounter;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #open = new Set<YamlNode>();
  #nodes = 0;
  #full = false;

  constructor(source: string, file: string, lineCounter: LineCounter) {
    this.#source = source;
    this.#file = file;
    this.#lineCounter = lineCounter;
  }

  fail(offset: number, message: string, expected?: string): void {
    this.diagnostics.push(diagnosticAt(this.#position(offset), message, { expected }));
  }

  failSyntax(offset: number, message: string): void {
    if (this.#source.startsWith('${', offset - 1) && message.includes('flow-map-start')) {
      this.fail(offset - 1, 'A variable inside {…} or […] needs quotes.', '"${NAME}", in quotes');
    } else {
      this.fail(offset, `Broken YAML: ${message}`);
    }
  }

  read(node: YamlNode, depth: number, isEntry = false): ConfigNode {
    const offset = node.range?.[0] ?? 0;
    this.#nodes += 1;
    if (this.#nodes > documentLimits.nodesMax || depth > documentLimits.depthMax) {
      return this.#tooLarge(offset, depth);
    }
    if (isAlias(node)) return this.#alias(node, depth, isEntry);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node);
    this.#open.add(node);
    const tree = isMap(node) ? this.#map(node, depth, isEntry) : this.#list(node as YAMLSeq, depth);
    this.#open.delete(node);
    return tree;
  }

  #tooLarge(offset: number, depth: number): ConfigNode {
    if (!this.#full) {
      const message =
        depth > documentLimits.depthMax
          ? `The file is nested deeper than ${documentLimits.depthMax} levels.`
          : `The file has more than ${documentLimits.nodesMax} values once its aliases are expanded.`;
      this.fail(offset, message);
    }
    this.#full = true;
    return this.#null(offset);
  }

  #alias(alias: Alias, depth: number, isEntry: boolean): ConfigNode {
    const offset = alias.range?.[0] ?? 0;
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      this.fail(offset, `The alias *${alias.source} has no anchor before it.`);
      return this.#null(offset);
    }
    if (this.#open.has(target)) {
      this.fail(offset, `The alias *${alias.source} stands inside what it refers to.`);
      return this.#null(offset);
    }
    return this.read(target, depth, isEntry);
  }

  /** In a component, which is an entry of a list with a name, keys may be written again: whether the
   *  option takes several values is for its schema to say. */
  #map(map: YAMLMap, depth: number, isEntry: boolean): ConfigNode {
    const mayRepeat = isEntry && map.items.some(({ key }) => isScalar(key) && isName(key.value));
    const written: MapEntry[] = [];
    const entries = new Map<string, MapEntry>();
    const merges: Pair[] = [];
    for (const pair of map.items) {
      const key = this.#key(pair.key, map);
      if (key === undefined) continue;
      if (key.isMerge) {
        merges.push(pair);
        continue;
      }
      const keyPosition = this.#position(key.offset);
      const known = entries.get(key.text);
      if (known !== undefined && !mayRepeat) {
        const first = `${known.keyPosition.line}:${known.keyPosition.column}`;
        this.fail(
          key.offset,
          `The key "${key.text}" is written twice; the first is at ${first}.`,
          'each key once, or a list under one key',
        );
      }
      const value = isYamlNode(pair.value)
        ? this.read(pair.value, depth + 1)
        : this.#null(key.offset);
      const entry: MapEntry = { key: key.text, keyPosition, value };
      if (known === undefined) entries.set(key.text, entry);
      if (known === undefined || mayRepeat) written.push(entry);
    }
    const own = entries.size;
    for (const merge of merges) this.#merge(merge, entries, depth);
    const offset = map.range?.[0] ?? 0;
    const all = [...written, ...[...entries.values()].slice(own)];
    return { kind: 'map', entries: all, position: this.#position(offset) };
  }

  #key(key: unknown, map: YAMLMap): { text: string; offset: number; isMerge: boolean } | undefined {
    const node = isYamlNode(key) && isAlias(key) ? this.#anchors.get(key.source) : key;
    if (!isScalar(node)) {
      const offset = (isYamlNode(key) ? key.range?.[0] : undefined) ?? map.range?.[0] ?? 0;
      this.fail(offset, 'A key is itself a map or a list.', 'a plain name before the colon');
      return undefined;
    }
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
    return {
      text,
      offset: node.range?.[0] ?? 0,
      isMerge: text === '<<' && node.type === 'PLAIN',
    };
  }

  /** `<<: *base` and `<<: [*a, *b]`: keys written here win, then those of the earlier map. */
  #merge(pair: Pair, entries: Map<string, MapEntry>, depth: number): void {
    const { value } = pair;
    if (!isYamlNode(value)) return;
    const tree = this.read(value, depth + 1);
    const sources = tree.kind === 'list' ? tree.items : [tree];
    for (const source of sources) {
      if (source.kind !== 'map') {
        this.fail(value.range?.[0] ?? 0, 'A merge key << has no map.', 'an alias of a map');
        return;
      }
      for (const entry of source.entries) {
        if (!entries.has(entry.key)) entries.set(entry.key, entry);
      }
    }
  }

  #list(list: YAMLSeq, depth: number): ConfigNode {
    const position = this.#position(list.range?.[0] ?? 0);
    const items = list.items.map((item) =>
      isYamlNode(item) ? this.read(item, depth + 1, true) : this.#null(list.range?.[0] ?? 0),
    );
    return { kind: 'list', items, position };
  }

  #scalar(scalar: YamlScalar): ConfigNode {
    const [start, end] = scalar.range ?? [0, 0, 0];
    const value = scalar.value as Scalar; // The core schema makes nothing else.
    const textStart = typeof value === 'string' ? this.#textStart(scalar, value) : undefined;
    return {
      kind: 'scalar',
      value,
      text: typeof value === 'string' ? value : (scalar.source ?? String(value)),
      position: this.#position(start),
      endLine: this.#lineCounter.linePos(Math.max(start, end - 1)).line,
      ...(textStart === undefined ? {} : { textStart }),
    };
  }

  #textStart(scalar: YamlScalar, value: string): TextStart | undefined {
    const [start, end] = scalar.range ?? [0, 0, 0];
    const raw = this.#source.slice(start, end);
    if (raw === value) return this.#linePosition(start);
    if (raw.slice(1, -1) === value && !value.includes('\n')) return this.#linePosition(start + 1);
    if (scalar.type !== 'BLOCK_LITERAL') return undefined;
    const match = /^[^\n]*\n( +)\S/.exec(raw);
    if (match === null) return undefined;
    return { line: this.#linePosition(start).line + 1, column: match[1]!.length + 1 };
  }

  #null(offset: number): ConfigNode {
    const position = this.#position(offset);
    return { kind: 'scalar', value: null, text: '', position, endLine: position.line };
  }

  #linePosition(offset: number): TextStart {
    const { line, col } = this.#lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  #position(offset: number): SourcePosition {
    return { file: this.#file, ...this.#linePosition(offset) };
  }
}

function isName(key: unknown): boolean {
  return typeof key === 'string' && key.toLowerCase() === 'name';
}

function isYamlNode(value: unknown): value is YamlNode {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}
