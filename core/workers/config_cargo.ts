import type { ResolvedConfig } from '../config/resolved.ts';
import { Secret } from '../config/secret.ts';

/** A configuration as a message can carry it: secrets, whose text no copy keeps, stand apart. */
export interface PackedConfig {
  readonly tree: unknown;
  /** Paths and texts of the secrets. */
  readonly secrets: readonly { readonly path: readonly string[]; readonly text: string }[];
}

export function packConfig(config: ResolvedConfig): PackedConfig {
  const secrets: { path: readonly string[]; text: string }[] = [];
  const copy = (value: unknown, path: readonly string[]): unknown => {
    if (value instanceof Secret) {
      secrets.push({ path, text: value.reveal() });
      return null;
    }
    if (Array.isArray(value)) return value.map((one, i) => copy(one, [...path, String(i)]));
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
    // Messages carry these; no secret is in them.
    if (value instanceof Map || value instanceof Set) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, copy(one, [...path, key])]),
    );
  };
  return { tree: copy(config, []), secrets };
}

export function unpackConfig({ tree, secrets }: PackedConfig): ResolvedConfig {
  for (const { path, text } of secrets) {
    // The tree is `packConfig`'s: every path leads through objects and arrays.
    let holder = tree as Record<string, unknown>;
    for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
    holder[path[path.length - 1]!] = new Secret(text);
  }
  return tree as ResolvedConfig;
}
