import { propertySchema } from './coerce.ts';
import type { JsonSchema } from './json_schema.ts';
import { nearest } from './nearest.ts';
import type { ConfigNode, ScalarNode } from './node.ts';
import { selectSchema } from './select_schema.ts';

/** Remembers where secrets are written, so that code frames do not show them. */
export class SecretPlaces {
  readonly lines = new Map<string, Map<number, number>>();

  /** Finds the secrets of a tree by its schema, whether or not the tree is valid. */
  collect(node: ConfigNode, schema: JsonSchema): void {
    const selected = selectSchema(schema, node);
    if (selected['x-type'] === 'secret') {
      this.#concealAll(node);
      return;
    }
    if (selected['x-header'] === true && node.kind === 'scalar') {
      const name = /^\S*\s*/.exec(node.text)![0];
      this.#conceal(node, name.length);
      return;
    }
    if (node.kind === 'list') {
      const { items } = selected;
      if (items !== undefined) for (const item of node.items) this.collect(item, items);
    }
    // One text stands for a list of one.
    if (node.kind === 'scalar' && selected.items !== undefined) this.collect(node, selected.items);
    if (node.kind !== 'map') return;
    for (const entry of node.entries) {
      const property = propertySchema(selected, entry.key) ?? this.#meant(selected, entry.key);
      if (property !== undefined) this.collect(entry.value, property);
    }
  }

  /** What a mistyped option was meant to be: its value is as secret. */
  #meant(schema: JsonSchema, key: string): JsonSchema | undefined {
    const near = nearest(key, Object.keys(schema.properties ?? {}));
    return near === undefined ? undefined : schema.properties![near];
  }

  /** Whatever stands in the place of a secret; paths of files and names of variables are none. */
  #concealAll(node: ConfigNode): void {
    if (node.kind === 'scalar') this.#conceal(node, 0);
    else if (node.kind === 'list') for (const item of node.items) this.#concealAll(item);
    else {
      for (const { key, value } of node.entries) {
        if (value.kind !== 'scalar' || (key !== 'file' && key !== 'env')) this.#concealAll(value);
      }
    }
  }

  #conceal(node: ScalarNode, from: number): void {
    const { file, line, column } = node.position;
    const columns = this.lines.get(file) ?? new Map<number, number>();
    this.lines.set(file, columns);
    columns.set(line, Math.min(column + from, columns.get(line) ?? column + from));
    for (let next = line + 1; next <= node.endLine; next += 1) columns.set(next, 1);
  }
}
