import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import type { JsonSchema } from './json_schema.ts';
import { type ConfigNode, formatPath, type MapEntry, type MapNode } from './node.ts';
import { selectSchema, typesOf } from './select_schema.ts';

/** Turns the keys of a tree into those of its schema: any case, camelCase, `storage: {type: …}` for
 *  `storage.type` and the reverse. Keys that no schema names, as in `rename: {…}`, stay untouched. */
export function normalizeKeys(
  node: ConfigNode,
  schema: JsonSchema,
  report: (diagnostic: Diagnostic) => void,
  path: readonly (string | number)[] = [],
): ConfigNode {
  const selected = selectSchema(schema, node);
  if (selected['x-type'] !== undefined && selected['x-type'] !== 'secret') return node;
  if (node.kind === 'list') {
    const items = selected.items;
    if (items === undefined) return node;
    const normalized = node.items.map((item, index) =>
      normalizeKeys(item, items, report, [...path, index]),
    );
    return { ...node, items: normalized };
  }
  if (node.kind === 'scalar') return node;
  const properties = selected.properties ?? selected.items?.properties;
  if (properties === undefined) return normalizeFreeForm(node, selected, report, path);
  return new KeyNormalizer(selected.properties ? selected : selected.items!, report, path).map(
    node,
  );
}

/** Strict camelCase to snake_case: `memBufLimit` is `mem_buf_limit`; `MemBuf` and `aURL` stay. */
export function camelToSnake(key: string): string {
  if (!/^[a-z][a-z0-9]*(?:[A-Z][a-z0-9]+)+$/.test(key)) return key;
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function normalizeFreeForm(
  node: MapNode,
  schema: JsonSchema,
  report: (diagnostic: Diagnostic) => void,
  path: readonly (string | number)[],
): ConfigNode {
  const entries = node.entries.map((entry) => {
    const value = freeFormSchema(schema, entry.key);
    if (value === undefined) return entry;
    return { ...entry, value: normalizeKeys(entry.value, value, report, [...path, entry.key]) };
  });
  return { ...node, entries };
}

function freeFormSchema(schema: JsonSchema, key: string): JsonSchema | undefined {
  for (const [pattern, value] of Object.entries(schema.patternProperties ?? {})) {
    if (new RegExp(pattern, 'u').test(key)) return value;
  }
  const additional = schema.additionalProperties;
  return typeof additional === 'object' ? additional : undefined;
}

class KeyNormalizer {
  readonly #schema: JsonSchema;
  readonly #properties: Readonly<Record<string, JsonSchema>>;
  readonly #byLowerCase: ReadonlyMap<string, string>;
  readonly #report: (diagnostic: Diagnostic) => void;
  readonly #path: readonly (string | number)[];
  readonly #entries = new Map<string, MapEntry>();

  constructor(
    schema: JsonSchema,
    report: (diagnostic: Diagnostic) => void,
    path: readonly (string | number)[],
  ) {
    this.#schema = schema;
    this.#properties = schema.properties ?? {};
    this.#byLowerCase = new Map(
      Object.keys(this.#properties).map((key) => [key.toLowerCase(), key]),
    );
    this.#report = report;
    this.#path = path;
  }

  map(node: MapNode): MapNode {
    for (const entry of node.entries) this.#add(entry);
    return { ...node, entries: [...this.#entries.values()] };
  }

  #add(entry: MapEntry): void {
    const key = this.#canonical(entry.key);
    if (key !== undefined) {
      const schema = this.#properties[key]!;
      if (entry.value.kind === 'map' && this.#isScalarGroup(key, schema)) {
        this.#addSwitch(key, entry);
        this.#addGroup(key, entry.value);
      } else {
        this.#put(key, entry, schema);
      }
      return;
    }
    if (entry.value.kind === 'map' && this.#isGroup(entry.key)) {
      this.#addGroup(entry.key, entry.value);
      return;
    }
    if (this.#addNested(entry)) return;
    const free = freeFormSchema(this.#schema, entry.key);
    this.#put(entry.key, entry, free);
  }

  #canonical(key: string): string | undefined {
    if (Object.hasOwn(this.#properties, key)) return key;
    const snake = key.split('.').map(camelToSnake).join('.');
    const known = this.#byLowerCase.get(key.toLowerCase()) ?? this.#byLowerCase.get(snake);
    // `storagePath` is `storage.path`: camelCase has no dots.
    return known ?? (snake === key ? undefined : this.#byWords(snake));
  }

  #byWords(snake: string): string | undefined {
    const wanted = snake.replaceAll('.', '_');
    const fitting = [...this.#byLowerCase].filter(([key]) => key.replaceAll('.', '_') === wanted);
    return fitting.length === 1 ? fitting[0]![1] : undefined;
  }

  /** `tls: {ca_file: …}` where `tls` alone is a switch. */
  #isScalarGroup(key: string, schema: JsonSchema): boolean {
    return (
      !typesOf(schema)?.includes('object') && schema['x-type'] !== 'secret' && this.#isGroup(key)
    );
  }

  #isGroup(key: string): boolean {
    const prefix = `${camelToSnake(key).toLowerCase()}.`;
    return [...this.#byLowerCase.keys()].some((property) => property.startsWith(prefix));
  }

  /** A map under a switch turns it on, unless its `enabled` says otherwise. */
  #addSwitch(key: string, entry: MapEntry): void {
    const members = entry.value.kind === 'map' ? entry.value.entries : [];
    const enabled = members.find((member) => member.key.toLowerCase() === 'enabled');
    const position = entry.keyPosition;
    const on: ConfigNode = {
      ...{ kind: 'scalar', value: true, text: 'true', position, endLine: position.line },
    };
    this.#put(key, { ...entry, value: enabled?.value ?? on }, undefined);
  }

  #addGroup(prefix: string, group: MapNode): void {
    const lower = camelToSnake(prefix).toLowerCase();
    for (const entry of group.entries) {
      if (entry.key.toLowerCase() === 'enabled' && this.#byLowerCase.has(lower)) continue;
      this.#add({ ...entry, key: `${lower}.${entry.key}` });
    }
  }

  /** `retry.max_attempts` where the schema has `retry: {max_attempts}`. */
  #addNested(entry: MapEntry): boolean {
    const dot = entry.key.indexOf('.');
    const outer = dot > 0 ? this.#canonical(entry.key.slice(0, dot)) : undefined;
    if (outer === undefined) return false;
    const schema = this.#properties[outer]!;
    if (schema.properties === undefined) return false;
    const inner: MapEntry = { ...entry, key: entry.key.slice(dot + 1) };
    const value: MapNode = { kind: 'map', entries: [inner], position: entry.keyPosition };
    const known = this.#entries.get(outer);
    const normalized = normalizeKeys(value, schema, this.#report, [...this.#path, outer]);
    if (known?.value.kind === 'map' && normalized.kind === 'map') {
      const entries = [...known.value.entries, ...normalized.entries];
      this.#entries.set(outer, { ...known, value: { ...known.value, entries } });
    } else {
      this.#put(outer, { ...entry, value: normalized }, undefined);
    }
    return true;
  }

  #put(key: string, entry: MapEntry, schema: JsonSchema | undefined): void {
    const known = this.#entries.get(key);
    if (known !== undefined && schema !== undefined && takesList(schema)) {
      const position = known.value.position;
      const items = [...itemsOf(known.value), ...itemsOf(entry.value)];
      this.#entries.set(key, { ...known, value: { kind: 'list', items, position } });
      return;
    }
    if (known !== undefined) {
      const first = `${known.keyPosition.line}:${known.keyPosition.column}`;
      const message = `The option "${key}" is written twice; the first is at ${first}, as "${known.key}".`;
      const path = formatPath([...this.#path, key]);
      this.#report(diagnosticAt(entry.keyPosition, message, { path }));
      return;
    }
    const value =
      schema === undefined
        ? entry.value
        : normalizeKeys(entry.value, schema, this.#report, [...this.#path, key]);
    this.#entries.set(key, { ...entry, key, value });
  }
}

/** Whether an option may have several values, so that its key may be written again. */
function takesList(schema: JsonSchema): boolean {
  const branches = schema.oneOf ?? schema.anyOf ?? [];
  const type = schema['x-type'];
  return (
    typesOf(schema)?.includes('array') === true ||
    type === 'comma_list' ||
    type === 'space_list' ||
    branches.some(takesList)
  );
}

function itemsOf(node: ConfigNode): readonly ConfigNode[] {
  return node.kind === 'list' ? node.items : [node];
}
