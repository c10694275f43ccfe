import { fingerprintOf } from './fingerprint.ts';
import type { ComponentConfig, ResolvedConfig } from './resolved.ts';

export interface ChangedComponent {
  readonly from: ComponentConfig;
  readonly to: ComponentConfig;
}

/** What a reload has to do, component by component. */
export interface ConfigDiff {
  readonly added: readonly ComponentConfig[];
  readonly removed: readonly ComponentConfig[];
  readonly changed: readonly ChangedComponent[];
  /** As they stand in the new configuration. */
  readonly unchanged: readonly ComponentConfig[];
  readonly serviceChanged: boolean;
  /** True when filters that both have stand in another order. */
  readonly filtersReordered: boolean;
  readonly isEmpty: boolean;
}

/** Compares two configurations by the ids and fingerprints of their components. */
export function diffConfigs(from: ResolvedConfig, to: ResolvedConfig): ConfigDiff {
  const before = componentsById(from);
  const after = componentsById(to);
  const added: ComponentConfig[] = [];
  const changed: ChangedComponent[] = [];
  const unchanged: ComponentConfig[] = [];
  for (const [key, component] of after) {
    const known = before.get(key);
    if (known === undefined) added.push(component);
    else if (known.fingerprint === component.fingerprint) unchanged.push(component);
    else changed.push({ from: known, to: component });
  }
  const removed = [...before].filter(([key]) => !after.has(key)).map(([, component]) => component);
  const serviceChanged = fingerprintOf(from.service) !== fingerprintOf(to.service);
  const filtersReordered = isReordered(from, to);
  const touched = added.length + removed.length + changed.length > 0;
  const routesChanged = routesOf(from) !== routesOf(to);
  const isEmpty = !touched && !serviceChanged && !filtersReordered && !routesChanged;
  return { added, removed, changed, unchanged, serviceChanged, filtersReordered, isEmpty };
}

function componentsById(config: ResolvedConfig): ReadonlyMap<string, ComponentConfig> {
  const all = [...config.inputs, ...config.filters, ...config.outputs];
  return new Map(all.map((component) => [`${component.kind}/${component.id}`, component]));
}

function routesOf({ routes }: ResolvedConfig): string {
  const byInput = [...routes.byInput].map(([input, outputs]) => [input, [...outputs]]);
  return fingerprintOf([byInput, [...routes.routedOnly]]);
}

function isReordered(from: ResolvedConfig, to: ResolvedConfig): boolean {
  const ids = (config: ResolvedConfig) => config.filters.map(({ id }) => id);
  const [before, after] = [ids(from), ids(to)];
  const kept = before.filter((id) => after.includes(id));
  return kept.join('\n') !== after.filter((id) => before.includes(id)).join('\n');
}
