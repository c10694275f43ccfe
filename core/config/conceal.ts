import { propertySchema } from './coerce.ts';
import type { JsonSchema } from './json_schema.ts';
import type { ConfigNode, ScalarNode } from './node.ts';
import { selectSchema } from './select_schema.ts';

/** Remembers where secrets are written, so that code frames do not show them. */
export class SecretPlaces {
  readonly lines = new Map<string, Map<number, number>>();

  /** Finds the secrets of a tree by its schema, whether or not the tree is valid. */
  collect(node: ConfigNode, schema: JsonSchema): void {
    const selected = selectSchema(schema, node);
    if (selected['x-type'] === 'secret') {
      if (node.kind === 'scalar') this.#conceal(node);
      return;
    }
    if (node.kind === 'list') {
      const { items } = selected;
      if (items !== undefined) for (const item of node.items) this.collect(item, items);
    }
    if (node.kind !== 'map') return;
    for (const entry of node.entries) {
      const property = propertySchema(selected, entry.key);
      if (property !== undefined) this.collect(entry.value, property);
    }
  }

  #conceal(node: ScalarNode): void {
    const { file, line, column } = node.position;
    const columns = this.lines.get(file) ?? new Map<number, number>();
    this.lines.set(file, columns);
    columns.set(line, Math.min(column, columns.get(line) ?? column));
    for (let next = line + 1; next <= node.endLine; next += 1) columns.set(next, 1);
  }
}
