import { pathToFileURL } from 'node:url';
import type { PluginMention } from '../core/config/mentions.ts';
import type { PluginPath, ResolvedConfig } from '../core/config/resolved.ts';
import { isNamed } from '../core/config/schema.ts';
import { messageOf, SluiceError } from '../core/errors/sluice_error.ts';
import type { AnyPlugin, PluginEntry } from '../core/sdk/define.ts';
import type { BuiltInParser, PluginSet } from '../core/topology/component_factory.ts';
import { catalogue } from '../plugins/catalogue.generated.ts';
import { builtInParsers } from '../plugins/parsers/built_in.ts';

export { builtInParsers, catalogue };

/** The plugins that come with Sluice, all of them: for what speaks of every plugin. */
export async function ownPlugins(): Promise<PluginSet> {
  return { plugins: await importPlugins(catalogue), builtInParsers };
}

/** Imports plugins of the catalogue, in its order. */
export function importPlugins(entries: readonly PluginEntry[]): Promise<readonly AnyPlugin[]> {
  // What a module of the catalogue exports was made by defineInput or one of its sisters.
  return Promise.all(entries.map((entry) => entry.load() as Promise<AnyPlugin>));
}

/** The plugins of these names that the configuration can mean, for a worker thread. */
export async function pluginsNamed(
  names: readonly { readonly kind: string; readonly name: string }[],
  config: ResolvedConfig,
): Promise<PluginSet> {
  const thirdParty = await importThirdParty(config.plugins);
  const isWanted = (one: { readonly kind: string; readonly name: string }) =>
    names.some(({ kind, name }) => kind === one.kind && name === one.name);
  const own = await importPlugins(catalogue.filter(isWanted));
  return { plugins: [...thirdParty, ...own], builtInParsers };
}

/** The entries of the catalogue that components name. */
export function entriesNamed(mentions: readonly PluginMention[]): readonly PluginEntry[] {
  return catalogue.filter((entry) =>
    mentions.some(({ kind, text }) => entry.kind === kind && isNamed(entry, text)),
  );
}

/** The entries behind parsers that need no definition. */
export function entriesOfParsers(names: readonly string[]): readonly PluginEntry[] {
  const formats = names.flatMap((name) => formatOf(name)?.format ?? []);
  return entriesNamed(formats.map((text) => ({ kind: 'parser', text })));
}

function formatOf(name: string): BuiltInParser | undefined {
  return Object.hasOwn(builtInParsers, name) ? builtInParsers[name] : undefined;
}

/** Imports the plugins that a pipeline file names under `plugins:`: npm packages or files. */
export async function importThirdParty(paths: readonly PluginPath[]): Promise<AnyPlugin[]> {
  const loaded: AnyPlugin[] = [];
  for (const path of paths) loaded.push(...(await loadModule(path)));
  return loaded;
}

async function loadModule(path: PluginPath): Promise<AnyPlugin[]> {
  const { file, line, column } = path.position;
  const place = `${file}:${line}:${column}`;
  try {
    const specifier =
      path.modulePath === undefined ? path.text : pathToFileURL(path.modulePath).href;
    // What it exports is checked below.
    const module = (await import(specifier)) as Record<string, unknown>;
    const plugins = Object.values(module).flat().filter(isPlugin);
    if (plugins.length > 0) return plugins;
  } catch (cause) {
    throw new SluiceError(
      'SLUICE_PLUGIN_UNKNOWN',
      `${place}: the plugin module "${path.text}" could not be loaded: ${messageOf(cause)}`,
      { cause },
    );
  }
  throw new SluiceError(
    'SLUICE_PLUGIN_UNKNOWN',
    `${place}: the module "${path.text}" exports no plugin; export what defineInput, defineFilter, defineOutput or defineParser return.`,
  );
}

function isPlugin(value: unknown): value is AnyPlugin {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'name' in value &&
    'schema' in value &&
    'create' in value
  );
}
