import { baseProperties, type PluginKind } from './base_options.ts';
import { coerceTree } from './coerce.ts';
import type { SecretPlaces } from './conceal.ts';
import { type Diagnostic, diagnosticAt } from './diagnostic.ts';
import type { JsonSchema } from './json_schema.ts';
import { normalizeKeys } from './keys.ts';
import { nearest } from './nearest.ts';
import {
  type ConfigNode,
  entryIgnoringCase,
  entryOf,
  formatPath,
  type MapNode,
  nodeAt,
} from './node.ts';
import { normalizeTree, type Reference } from './normalize.ts';
import {
  buildComponentSchema,
  isNamed,
  nameKeyOf,
  type OptionProblem,
  type PluginName,
  type PluginSchema,
} from './schema.ts';
import type { FilterBase } from './resolved.ts';
import type { SecretReader } from './secret_source.ts';
import type { SchemaValidator } from './validate.ts';

/** What every step of resolving shares. */
export interface ResolveContext {
  readonly plugins: readonly PluginSchema[];
  /** Those and others that could be named. */
  readonly pluginNames: readonly PluginName[];
  readonly validator: SchemaValidator;
  readonly secrets: SecretReader;
  readonly secretPlaces: SecretPlaces;
  report(diagnostic: Diagnostic): void;
}

/** A component whose options are right, before ids, inheritance and references. */
export interface PlainComponent {
  readonly plugin: PluginSchema;
  readonly node: MapNode;
  readonly path: readonly (string | number)[];
  readonly base: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly references: readonly Reference[];
  /** The input or output that has the filter among its `processors`. */
  readonly processorOf?: FilterBase['processorOf'];
}

/** Holds one entry of the file against the plugin that it names; undefined, with errors reported, when it is
 *  wrong. */
export function resolveComponent(
  node: ConfigNode,
  kind: PluginKind,
  path: readonly (string | number)[],
  context: ResolveContext,
): PlainComponent | undefined {
  // The schema of the sections reports what is no map.
  if (node.kind !== 'map') return undefined;
  const plugin = findPlugin(node, kind, path, context);
  if (plugin === undefined) return undefined;
  const schema = buildComponentSchema(plugin);
  let wrong = false;
  const report = (diagnostic: Diagnostic) => {
    if (diagnostic.severity === 'error') wrong = true;
    context.report(diagnostic);
  };
  const keyed = normalizeKeys(node, schema, report, path);
  context.secretPlaces.collect(keyed, schema);
  const coerced = coerceTree(keyed, schema);
  for (const diagnostic of context.validator.validate(coerced, schema, path)) report(diagnostic);
  if (wrong || coerced.kind !== 'map') return undefined;
  const references: Reference[] = [];
  const all = normalizeTree(
    coerced,
    schema,
    { secrets: context.secrets, report, refer: (reference) => references.push(reference) },
    path,
  ) as Record<string, unknown>; // The tree is a map.
  const { base, options } = splitOptions(all, plugin);
  // A parser's work depends on the options that all parsers share.
  const checked = plugin.kind === 'parser' ? { ...base, ...options } : options;
  for (const problem of plugin.check?.(checked) ?? []) {
    report(explainProblem(problem, coerced, path));
  }
  return wrong ? undefined : { plugin, node: coerced, path, base, options, references };
}

const kindWords: Readonly<Record<PluginKind, string>> = {
  input: 'an input',
  filter: 'a filter',
  output: 'an output',
  parser: 'a parser',
};

function findPlugin(
  node: MapNode,
  kind: PluginKind,
  path: readonly (string | number)[],
  context: ResolveContext,
): PluginSchema | undefined {
  const key = nameKeyOf(kind);
  const entry = entryIgnoringCase(node, key);
  const ofKind = context.pluginNames.filter((plugin) => plugin.kind === kind);
  const names = ofKind.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]);
  if (entry?.value.kind !== 'scalar' || entry.value.text === '') {
    const position = entry?.value.position ?? node.position;
    const message = `The option "${key}", which names ${kindWords[kind]}, is missing.`;
    const expected = `${key}: one of ${names.slice(0, 12).join(', ')}`;
    context.report(diagnosticAt(position, message, { path: formatPath(path), expected }));
    return undefined;
  }
  const { text } = entry.value;
  const plugin = context.plugins.find((one) => one.kind === kind && isNamed(one, text));
  if (plugin !== undefined) return plugin;
  const elsewhere = context.pluginNames.find((one) => isNamed(one, text));
  const shown =
    entry.value.interpolated === true ? 'that the variable names' : `"${entry.value.text}"`;
  const hint = elsewhere === undefined ? '' : `; it is ${kindWords[elsewhere.kind]}`;
  const near = nearest(text.trim().toLowerCase(), names);
  context.report(
    diagnosticAt(entry.value.position, `There is no ${kind} ${shown}${hint}.`, {
      code: 'SLUICE_PLUGIN_UNKNOWN',
      path: formatPath([...path, key]),
      nearest: near,
      expected: near === undefined ? `one of ${names.slice(0, 30).join(', ')}` : undefined,
    }),
  );
  return undefined;
}

/** An option that both a plugin and its kind have is the plugin's. */
function splitOptions(
  all: Readonly<Record<string, unknown>>,
  plugin: PluginSchema,
): { base: Record<string, unknown>; options: Record<string, unknown> } {
  const own: Readonly<Record<string, JsonSchema>> = plugin.schema.properties ?? {};
  const shared = baseProperties[plugin.kind];
  const base: [string, unknown][] = [];
  const options: [string, unknown][] = [];
  for (const [key, value] of Object.entries(all)) {
    if (Object.hasOwn(own, key) && key !== nameKeyOf(plugin.kind)) options.push([key, value]);
    else if (Object.hasOwn(shared, key)) base.push([key, value]);
    else if (key !== 'name' && key !== 'format') options.push([key, value]);
  }
  return { base: Object.fromEntries(base), options: Object.fromEntries(options) };
}

function explainProblem(
  problem: OptionProblem,
  node: MapNode,
  path: readonly (string | number)[],
): Diagnostic {
  const steps = problemSteps(problem.path, node);
  const found = nodeAt(node, steps);
  const position = found.depth === 0 && steps.length > 0 ? node.position : found.node.position;
  return diagnosticAt(position, problem.message, {
    code: 'SLUICE_OPTION_INVALID',
    path: formatPath([...path, ...steps]),
    expected: problem.expected,
    ...(problem.severity === undefined ? {} : { severity: problem.severity }),
  });
}

/** A path in text may be a key with dots, such as `storage.type`, or lead into maps and lists. */
function problemSteps(path: OptionProblem['path'], node: MapNode): readonly (string | number)[] {
  if (path === undefined || path === '') return [];
  if (typeof path !== 'string') return path;
  if (entryOf(node, path) !== undefined) return [path];
  return path
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
