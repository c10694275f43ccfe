import { pathToFileURL } from 'node:url';
import type { PluginPath } from '../core/config/resolved.ts';
import { messageOf, SluiceError } from '../core/errors/sluice_error.ts';
import type { AnyPlugin } from '../core/sdk/define.ts';
import type { PluginSet } from '../core/topology/component_factory.ts';
import { builtInParsers } from '../plugins/parsers/built_in.ts';
import { builtInPlugins } from '../plugins/registry.generated.ts';

/** The plugins that come with Sluice. */
export const ownPlugins: PluginSet = { plugins: builtInPlugins, builtInParsers };

/** Adds the plugins that a pipeline file names under `plugins:`: npm packages or files. */
export async function withThirdParty(paths: readonly PluginPath[]): Promise<PluginSet> {
  if (paths.length === 0) return ownPlugins;
  const loaded: AnyPlugin[] = [];
  for (const path of paths) loaded.push(...(await loadModule(path)));
  return { ...ownPlugins, plugins: [...loaded, ...builtInPlugins] };
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
